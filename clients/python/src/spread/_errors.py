"""The wrapper's exception, converted from the client's."""

from __future__ import annotations

from typing import Optional

import spread_sidecar
from spread_sidecar.constants import (
    CONNECTION_CLOSED,
    COULD_NOT_CONNECT,
    ILLEGAL_SESSION,
    ILLEGAL_SPREAD,
    NET_ERROR_ON_SESSION,
    REJECT_AUTH,
    REJECT_QUOTA,
)

#: The error number that programs for the wrapper expect, by gRPC status, if Spread has no number for the
#: failure.
_IN_CONNECT = {
    "UNAVAILABLE": COULD_NOT_CONNECT,
    "DEADLINE_EXCEEDED": COULD_NOT_CONNECT,
    "UNIMPLEMENTED": COULD_NOT_CONNECT,
    "UNAUTHENTICATED": REJECT_AUTH,
    "PERMISSION_DENIED": REJECT_AUTH,
    "RESOURCE_EXHAUSTED": REJECT_QUOTA,
}
_IN_CALLS = {
    "UNAVAILABLE": CONNECTION_CLOSED,
    "DEADLINE_EXCEEDED": NET_ERROR_ON_SESSION,
    "UNAUTHENTICATED": NET_ERROR_ON_SESSION,
    # The lease expired, or the mailbox was disconnected during the call.
    "ABORTED": ILLEGAL_SESSION,
    # Another thread disconnected and closed the channel.
    "CANCELLED": ILLEGAL_SESSION,
}


class SpreadError(Exception):
    """A failure of Spread. ``args`` has the number and a description, or only a description if Spread has no number.

    The exception has no ``__cause__``. A program that does not catch the exception therefore prints only one
    traceback.
    """

    #: The client's error with all details, if there is one.
    sidecar_error: Optional[spread_sidecar.SpreadError] = None


def closed_mailbox(method: str) -> SpreadError:
    """The error of every call of a disconnected mailbox."""
    return SpreadError(f"{method}() called on closed mbox")


# Programs for the wrapper set no options: messages name the environment variable instead of the client's
# option.
_VARIABLES = (
    ("with the option tls", "with SPREAD_SIDECAR_TLS_CA or SPREAD_SIDECAR_TLS_SERVER_NAME"),
    ("set the option tls", "set SPREAD_SIDECAR_TLS"),
)


def of_connect(error: spread_sidecar.SpreadError) -> SpreadError:
    """The error of ``connect``."""
    if error.reason == "DAEMON_NOT_ALLOWED":
        return _made_of(error, ILLEGAL_SPREAD)
    return _made_of(error, _IN_CONNECT.get(error.status) if error.number is None else error.number)


def of_call(error: spread_sidecar.SpreadError) -> SpreadError:
    """The error of a call of a mailbox."""
    return _made_of(error, _IN_CALLS.get(error.status) if error.number is None else error.number)


def of_end(error: spread_sidecar.SpreadError) -> SpreadError:
    """The error of a mailbox's end. For programs of the wrapper, Spread closed the connection."""
    return _made_of(error, CONNECTION_CLOSED)


def _made_of(error: spread_sidecar.SpreadError, number: Optional[int]) -> SpreadError:
    message = error.message
    for option, variable in _VARIABLES:
        message = message.replace(option, variable)
    made = SpreadError(message) if number is None else SpreadError(number, message)
    made.sidecar_error = error
    return made
