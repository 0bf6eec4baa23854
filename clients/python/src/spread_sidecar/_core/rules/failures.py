"""The meaning of errors."""

from __future__ import annotations

from typing import Mapping, Optional

from ...errors import SendOutcome, SpreadError
from ..unreachable import SIDECAR_UNREACHABLE

# F1
_TRANSPORT_REASONS = frozenset({"CONNECTION_TOO_OLD", SIDECAR_UNREACHABLE})
_TRANSPORT_STATUSES = frozenset({"UNAVAILABLE", "CANCELLED", "INTERNAL", "UNKNOWN"})
# F3. Attaching again would replace the new receiver, or fail again.
_STREAM_ONLY_REASONS = frozenset({"RECEIVER_REPLACED", "SEQUENCE_NOT_RETAINED"})
# F4
_MAILBOX_END_REASONS = frozenset(
    {
        "ILLEGAL_SESSION",
        "LEASE_EXPIRED",
        "MAILBOX_DISCONNECTED",
        "CONNECTION_CLOSED",
        "NET_ERROR_ON_SESSION",
        "QUEUE_OVERFLOW",
        "SLOW_CONSUMER",
        "DRAINING",
    }
)
# F6, without an ErrorInfo.
_UNKNOWN_OUTCOME_STATUSES = frozenset({"UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN"})


def is_transport_failure(error: SpreadError) -> bool:
    """Whether the connection broke (F1). The sidecar gives a reason when it ends a stream."""
    if error.reason:
        return error.reason in _TRANSPORT_REASONS
    return error.status in _TRANSPORT_STATUSES


def may_pass(error: SpreadError, token_may_change: bool) -> bool:
    """Whether a later call with the same mailbox may succeed (F2).

    ``token_may_change``: whether the client reads the token again for each call.
    """
    return is_transport_failure(error) or (token_may_change and error.status == "UNAUTHENTICATED")


def ends_stream_only(error: SpreadError) -> bool:
    """Whether the mailbox still exists after this error ended its stream (F3)."""
    return error.reason in _STREAM_ONLY_REASONS


def has_mailbox_ended(error: SpreadError) -> bool:
    """Whether the error means that the mailbox has ended (F4)."""
    return error.reason in _MAILBOX_END_REASONS


def is_retryable(status: str, has_info: bool, has_retry_info: bool) -> bool:
    """Whether the same call may succeed later (F5). ``has_info``: whether the error has an ErrorInfo."""
    return has_retry_info or (status == "UNAVAILABLE" and not has_info)


def outcome_of(status: str, metadata: Optional[Mapping[str, str]]) -> SendOutcome:
    """The outcome of a failed send (F6). ``metadata``: that of the ErrorInfo, or None without an ErrorInfo."""
    if metadata is None:
        return "unknown" if status in _UNKNOWN_OUTCOME_STATUSES else "not-sent"
    outcome = metadata.get("outcome")
    if outcome == "unknown":
        return "unknown"
    if outcome == "not-sent":
        return "not-sent"
    # With an ErrorInfo, the sidecar itself responded: unless it says otherwise, it rejected the message.
    return "unknown" if status == "INTERNAL" else "not-sent"


def is_failed_disconnect(error: SpreadError, end: Optional[SpreadError], is_cancelled: bool) -> bool:
    """Whether a disconnect fails with this error (C3). Otherwise, it returns False.

    ``end``: the error that ended receiving, if any. ``is_cancelled``: whether the caller cancelled the call.
    """
    if end is not None and not ends_stream_only(end):
        return False
    return is_cancelled or not (is_transport_failure(error) or has_mailbox_ended(error))
