"""Converts failed calls to SpreadError."""

from __future__ import annotations

from typing import Optional, Sequence, Union

from google.protobuf.message import DecodeError

from ..errors import SendOutcome, SpreadError
from ..gen.spread.sidecar.internal.v1.rich_status_pb2 import ErrorInfo, RetryInfo, RichStatus
from .durations import to_seconds
from .rules.failures import is_retryable, outcome_of
from .unreachable import Endpoint

#: Trailers of a call in gRPC.
Trailers = Sequence[tuple[str, Union[str, bytes]]]


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
            # F7: invalid details must not hide the status and its message.
            return None, None
        break
    return info, delay


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
        outcome = outcome_of(status, None if info is None else info.metadata)
    return SpreadError(
        _with_option_name(details, info.metadata.get("field", "") if info else ""),
        status=status,
        reason=info.reason if info else "",
        domain=info.domain if info else "",
        metadata=dict(info.metadata) if info else None,
        retryable=is_retryable(status, info is not None, delay is not None),
        retry_delay=delay,
        outcome=outcome,
    )
