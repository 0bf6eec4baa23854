"""The wrapper's one exception, made of the client's."""

from __future__ import annotations

import spread_sidecar
from spread_sidecar.constants import (
    CONNECTION_CLOSED,
    COULD_NOT_CONNECT,
    ILLEGAL_SPREAD,
    NET_ERROR_ON_SESSION,
    REJECT_AUTH,
)


class SpreadError(Exception):
    """A failure of Spread: ``args`` is its number and a sentence, or a sentence alone where Spread has no number.

    ``__cause__`` is the ``spread_sidecar.SpreadError`` that it was made of, if any, with everything that is known.
    """


def closed_mailbox(method: str) -> SpreadError:
    """What every call of a mailbox gives that is disconnected, by the program or by Spread."""
    return SpreadError(f"{method}() called on closed mbox")


def of_connect(error: spread_sidecar.SpreadError) -> SpreadError:
    """What ``connect`` failed with. What Spread has no number for gets the one a program will be prepared for."""
    if error.reason == "DAEMON_NOT_ALLOWED":
        return _numbered(ILLEGAL_SPREAD, error)
    if error.status in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        return _numbered(REJECT_AUTH, error)
    if error.status in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
        return _numbered(COULD_NOT_CONNECT, error)
    return _of(error)


def of_call(error: spread_sidecar.SpreadError) -> SpreadError:
    """What a call of a mailbox failed with."""
    return _numbered(NET_ERROR_ON_SESSION, error) if error.status == "UNAVAILABLE" else _of(error)


def of_end(error: spread_sidecar.SpreadError) -> SpreadError:
    """What a mailbox ended with: for a program of the wrapper, Spread has closed the connection."""
    return _numbered(CONNECTION_CLOSED, error)


def _numbered(number: int, error: spread_sidecar.SpreadError) -> SpreadError:
    return SpreadError(number if error.number is None else error.number, error.message)


def _of(error: spread_sidecar.SpreadError) -> SpreadError:
    return SpreadError(error.message) if error.number is None else SpreadError(error.number, error.message)
