"""The numbers and names of Spread's errors."""

from __future__ import annotations

from types import MappingProxyType
from typing import Mapping, Optional

from . import constants

_NAMES = (
    "ILLEGAL_SPREAD",
    "COULD_NOT_CONNECT",
    "REJECT_QUOTA",
    "REJECT_NO_NAME",
    "REJECT_ILLEGAL_NAME",
    "REJECT_NOT_UNIQUE",
    "REJECT_VERSION",
    "CONNECTION_CLOSED",
    "REJECT_AUTH",
    "ILLEGAL_SESSION",
    "ILLEGAL_SERVICE",
    "ILLEGAL_MESSAGE",
    "ILLEGAL_GROUP",
    "BUFFER_TOO_SHORT",
    "GROUPS_TOO_SHORT",
    "MESSAGE_TOO_LONG",
    "NET_ERROR_ON_SESSION",
    "SP_BUG",
    "ILLEGAL_TIME",
    "ILLEGAL_PARAM",
    "WOULD_BLOCK",
    "ILLEGAL_MESSAGE_TYPE",
    "ILLEGAL_STATE",
    "ILLEGAL_RECEIVERS",
)

#: The number of each of Spread's errors, all negative, by its name.
SPREAD_ERRORS: Mapping[str, int] = MappingProxyType({name: getattr(constants, name) for name in _NAMES})

_BY_NUMBER = {number: name for name, number in SPREAD_ERRORS.items()}


def spread_error_name(number: int) -> Optional[str]:
    """The name that belongs to one of Spread's error numbers; None if there is none."""
    return _BY_NUMBER.get(number)
