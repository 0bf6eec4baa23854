"""Errors that the client finds."""

from __future__ import annotations

from typing import Optional

from ..error_codes import SPREAD_ERRORS
from ..errors import SIDECAR_DOMAIN, SPREAD_DOMAIN, SendOutcome, SpreadError


def local_spread_error(code: str, message: str, **metadata: str) -> SpreadError:
    """An error of Spread that the client finds before it sends anything."""
    return SpreadError(
        message,
        status="NOT_FOUND" if code == "ILLEGAL_SESSION" else "INVALID_ARGUMENT",
        reason=code,
        domain=SPREAD_DOMAIN,
        metadata={"spread_code": str(SPREAD_ERRORS[code]), **metadata},
        outcome="not-sent",
    )


def field_error(field: str, bound: str, value: object) -> SpreadError:
    """The error of a field that the contract cannot represent."""
    return option_error(field, bound, f"{field} must be {bound}; got {value!r}")


def option_error(field: str, bound: str, message: str) -> SpreadError:
    """The error of an option, or of options that exclude each other."""
    return SpreadError(
        message,
        status="INVALID_ARGUMENT",
        reason="FIELD_INVALID",
        domain=SIDECAR_DOMAIN,
        metadata={"field": field, "bound": bound},
        outcome="not-sent",
    )


def invalid_response(call: str, problem: str, outcome: Optional[SendOutcome] = None) -> SpreadError:
    """The error of a response that breaks a rule of the contract. ``problem`` continues "the response of GetView"."""
    return SpreadError(f"the response of {call} {problem}", status="INTERNAL", outcome=outcome)


def timeout_error(message: str) -> SpreadError:
    """The error of a wait in this client that exceeded its timeout."""
    return SpreadError(
        message, status="DEADLINE_EXCEEDED", reason="DEADLINE_EXCEEDED", domain=SIDECAR_DOMAIN, retryable=True
    )


def silence(seconds: float) -> SpreadError:
    """The error of a stream without any frame for too long. Unit: s."""
    return SpreadError(f"the sidecar sent no frame for {round(seconds, 1):g} s", status="UNAVAILABLE", retryable=True)


def cancelled_error(message: str, outcome: Optional[SendOutcome] = None) -> SpreadError:
    """The error of a wait that its caller cancelled."""
    return SpreadError(message, status="CANCELLED", outcome=outcome)


def channel_closed(outcome: Optional[SendOutcome] = "not-sent") -> SpreadError:
    """The error of a call on a closed channel."""
    return SpreadError("the channel is closed", status="CANCELLED", outcome=outcome)


def disconnected() -> SpreadError:
    """The error of receiving after the application has ended the mailbox."""
    return local_spread_error("ILLEGAL_SESSION", "the mailbox is disconnected")


def check_timeout(timeout: Optional[float], field: str = "timeout") -> None:
    """Rejects an invalid timeout. Unit: s."""
    if timeout is None:
        return
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise TypeError(f"{field} must be a number of seconds, not {type(timeout).__name__}")
    if not 0 < timeout < float("inf"):
        raise field_error(field, "a number of seconds, more than 0", timeout)
