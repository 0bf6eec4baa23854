"""The wrapper's one exception, made of the client's."""

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
    """A failure of Spread: ``args`` is its number and a sentence, or a sentence alone where Spread has no number.

    Not chained to the client's error (``__cause__``): a program that does not catch it prints one traceback.
    """

    #: The client's error that it was made of, if any, with everything that is known.
    sidecar_error: Optional[spread_sidecar.SpreadError] = None


def closed_mailbox(method: str) -> SpreadError:
    """What every call of a mailbox gives that is disconnected, by the program or by Spread."""
    return SpreadError(f"{method}() called on closed mbox")


# Programs of the wrapper set no options: where the client's message names one, they set its environment variable.
_VARIABLES = (
    ("with the option tls", "with SPREAD_SIDECAR_TLS_CA or SPREAD_SIDECAR_TLS_SERVER_NAME"),
    ("set the option tls", "set SPREAD_SIDECAR_TLS"),
)


def of_connect(error: spread_sidecar.SpreadError) -> SpreadError:
    """What ``connect`` failed with."""
    if error.reason == "DAEMON_NOT_ALLOWED":
        return _made_of(error, ILLEGAL_SPREAD)
    return _made_of(error, _IN_CONNECT.get(error.status) if error.number is None else error.number)


def of_call(error: spread_sidecar.SpreadError) -> SpreadError:
    """What a call of a mailbox failed with."""
    return _made_of(error, _IN_CALLS.get(error.status) if error.number is None else error.number)


def of_end(error: spread_sidecar.SpreadError) -> SpreadError:
    """What a mailbox ended with: for a program of the wrapper, Spread has closed the connection, whatever the cause."""
    return _made_of(error, CONNECTION_CLOSED)


def _made_of(error: spread_sidecar.SpreadError, number: Optional[int]) -> SpreadError:
    message = error.message
    for option, variable in _VARIABLES:
        message = message.replace(option, variable)
    made = SpreadError(message) if number is None else SpreadError(number, message)
    made.sidecar_error = error
    return made
