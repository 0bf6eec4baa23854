"""Converts failed calls to SpreadError."""

from __future__ import annotations

from typing import Optional, Sequence, Union

from google.protobuf.message import DecodeError

from ..errors import SendOutcome, SpreadError
from ..gen.spread.sidecar.internal.v1.rich_status_pb2 import ErrorInfo, RetryInfo, RichStatus
from .durations import to_seconds
from .unreachable import SIDECAR_UNREACHABLE, Endpoint

#: Trailers of a call in gRPC.
Trailers = Sequence[tuple[str, Union[str, bytes]]]

_UNKNOWN_OUTCOME = frozenset({"UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN"})
_CUT = frozenset({"UNAVAILABLE", "CANCELLED", "INTERNAL", "UNKNOWN"})


def _read_details(trailers: Trailers) -> tuple[Optional[ErrorInfo], Optional[float]]:
    """ErrorInfo and the delay of RetryInfo in the trailer ``grpc-status-details-bin``, if present."""
    info: Optional[ErrorInfo] = None
    delay: Optional[float] = None
    for key, value in trailers:
        if key != "grpc-status-details-bin" or not isinstance(value, bytes):
            continue
        try:
            for detail in RichStatus.FromString(value).details:
                name = detail.type_url.rpartition("/")[2]
                if name == "google.rpc.ErrorInfo":
                    info = ErrorInfo.FromString(detail.value)
                elif name == "google.rpc.RetryInfo":
                    delay = to_seconds(RetryInfo.FromString(detail.value).retry_delay)
        except DecodeError:
            # Invalid details must not hide the status and its message.
            return None, None
        break
    return info, delay


def _outcome_of(status: str, info: Optional[ErrorInfo]) -> SendOutcome:
    if info is None:
        return "unknown" if status in _UNKNOWN_OUTCOME else "not-sent"
    outcome = info.metadata.get("outcome")
    if outcome == "unknown":
        return "unknown"
    if outcome == "not-sent":
        return "not-sent"
    # With an ErrorInfo, the sidecar itself responded: unless it says otherwise, it rejected the message.
    return "unknown" if status == "INTERNAL" else "not-sent"


#: Fields whose option in this client has a different name.
_OPTION_NAMES = {"daemon": "spread_name", "up_to_sequence": "up_to"}


def _with_option_name(sentence: str, field: str) -> str:
    """Replaces the name of ``field`` in a message of the sidecar with the name of the option."""
    option = _OPTION_NAMES.get(field)
    if option is None or not sentence.startswith(f"{field} "):
        return sentence
    return option + sentence[len(field) :]


def to_spread_error(
    status: str,
    details: str,
    trailers: Trailers,
    *,
    endpoint: Optional[Endpoint] = None,
    send: bool = False,
    outcome: Optional[SendOutcome] = None,
) -> SpreadError:
    """Converts the error of a failed call.

    ``endpoint``: the channel of the call, to explain a failed connection. ``send``: whether the call sends a
    message, so that the error has an outcome. ``outcome``: the outcome, if the caller knows it.
    """
    unreachable = endpoint and endpoint.connection_failure(status, details)
    if unreachable:
        return unreachable
    info, delay = _read_details(trailers)
    if endpoint and info is None and status == "UNIMPLEMENTED":
        return endpoint.unknown_call()
    if outcome is None and send:
        outcome = _outcome_of(status, info)
    return SpreadError(
        _with_option_name(details, info.metadata.get("field", "") if info else ""),
        status=status,
        reason=info.reason if info else "",
        domain=info.domain if info else "",
        metadata=dict(info.metadata) if info else None,
        retryable=delay is not None or (status == "UNAVAILABLE" and info is None),
        retry_delay=delay,
        outcome=outcome,
    )


def is_gone(error: SpreadError) -> bool:
    """Whether a mailbox that could not be disconnected has ended, or its sidecar is shutting down or
    unreachable.
    """
    return is_transport_failure(error) or error.reason in ("DRAINING", "ILLEGAL_SESSION", "LEASE_EXPIRED")


def is_transport_failure(error: SpreadError) -> bool:
    """Whether the connection broke.

    The sidecar gives a reason when it ends a stream, also when it closes the connection.
    """
    if error.reason in ("CONNECTION_TOO_OLD", SIDECAR_UNREACHABLE):
        return True
    return error.reason == "" and error.status in _CUT
