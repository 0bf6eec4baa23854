"""Converts between Spread's service type words and the contract."""

from __future__ import annotations

from .. import constants as c
from ..gen.spread.sidecar.v1 import types_pb2
from .local_errors import local_spread_error

_NUMBERS: dict[int, int] = {
    c.UNRELIABLE_MESS: types_pb2.SERVICE_TYPE_UNRELIABLE,
    c.RELIABLE_MESS: types_pb2.SERVICE_TYPE_RELIABLE,
    c.FIFO_MESS: types_pb2.SERVICE_TYPE_FIFO,
    c.CAUSAL_MESS: types_pb2.SERVICE_TYPE_CAUSAL,
    c.AGREED_MESS: types_pb2.SERVICE_TYPE_AGREED,
    c.SAFE_MESS: types_pb2.SERVICE_TYPE_SAFE,
}

#: Spread's bit of each service type of the contract; 0 for none.
SERVICE_BITS: dict[int, int] = {number: bits for bits, number in _NUMBERS.items()}

#: Spread's words in the contract: (number of the service type, self-discard).
SERVICE_WORDS: dict[int, tuple[int, bool]] = {
    **{bits: (number, False) for bits, number in _NUMBERS.items()},
    **{bits | c.SELF_DISCARD: (number, True) for bits, number in _NUMBERS.items()},
}


def from_service_word(word: int) -> tuple[int, bool]:
    """Converts Spread's service type word: (number of the service type, self-discard)."""
    known = SERVICE_WORDS.get(word)
    if known is None:
        if not isinstance(word, int):
            raise TypeError(f"service_type must be an int, not {type(word).__name__}")
        raise local_spread_error(
            "ILLEGAL_SERVICE",
            f"service type {word:#x} is invalid; "
            "allowed is one type from UNRELIABLE_MESS to SAFE_MESS, with or without SELF_DISCARD",
            field="service_type",
            bound="one of 0x1, 0x2, 0x4, 0x8, 0x10, 0x20, with or without 0x40",
        )
    return known
