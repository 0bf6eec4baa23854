"""The exception of the wrapper, made from the client's."""

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

#: By status, where Spread has no number for what happened: the one that a program of the wrapper is prepared for.
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
    # The mailbox's lease is over, or it was disconnected while the call waited.
    "ABORTED": ILLEGAL_SESSION,
    # The channel was closed: another thread has disconnected.
    "CANCELLED": ILLEGAL_SESSION,
}


class SpreadError(Exception):
    """A failure of Spread. ``args`` has its number and a message, or only a message if Spread has no number.

    The error has no ``__cause__``, so a program that does not catch it prints one traceback.
    """

    #: The client's error that it was made of, if any, with everything that is known.
    sidecar_error: Optional[spread_sidecar.SpreadError] = None


def closed_mailbox(method: str) -> SpreadError:
    """The error of every call of a disconnected mailbox."""
    return SpreadError(f"{method}() called on closed mbox")


# Programs of the wrapper set no options: where the client's message names one, they set its environment variable.
_VARIABLES = (
    ("with the option tls", "with SPREAD_SIDECAR_TLS_CA or SPREAD_SIDECAR_TLS_SERVER_NAME"),
    ("set the option tls", "set SPREAD_SIDECAR_TLS"),
)


def of_connect(error: spread_sidecar.SpreadError) -> SpreadError:
    """The error of a failed ``connect``."""
    if error.reason == "DAEMON_NOT_ALLOWED":
        return _made_of(error, ILLEGAL_SPREAD)
    return _made_of(error, _IN_CONNECT.get(error.status) if error.number is None else error.number)


def of_call(error: spread_sidecar.SpreadError) -> SpreadError:
    """The error of a failed call of a mailbox."""
    return _made_of(error, _IN_CALLS.get(error.status) if error.number is None else error.number)


def of_end(error: spread_sidecar.SpreadError) -> SpreadError:
    """The error for the end of a mailbox. As in the wrapper, it is a closed connection for every cause."""
    return _made_of(error, CONNECTION_CLOSED)


def _made_of(error: spread_sidecar.SpreadError, number: Optional[int]) -> SpreadError:
    message = error.message
    for option, variable in _VARIABLES:
        message = message.replace(option, variable)
    made = SpreadError(message) if number is None else SpreadError(number, message)
    made.sidecar_error = error
    return made
