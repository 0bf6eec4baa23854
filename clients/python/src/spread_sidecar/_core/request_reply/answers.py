"""The messages of requests and replies (Q1, Q2)."""

from __future__ import annotations

from typing import Mapping, NamedTuple, Optional

from ...errors import SpreadError
from ...events import RegularMessage
from ...headers import CORRELATION_ID_HEADER, REPLY_TO_HEADER
from ...options import Payload
from ...request_reply import OutgoingReply

#: The header with the status of a reply that is not the result of a handler.
REPLY_STATUS_HEADER = "reply-status"
# Largest message of a failed handler. Unit: bytes.
_MAX_ERROR_BYTES = 1000
_OWN_HEADERS = frozenset({CORRELATION_ID_HEADER, REPLY_TO_HEADER, REPLY_STATUS_HEADER})


class Answer(NamedTuple):
    """A reply to send."""

    reply_to: str
    payload: Payload
    headers: Mapping[str, str]


def request_headers(given: Optional[Mapping[str, str]], request_id: str, reply_to: str) -> dict[str, str]:
    """The headers of a request."""
    return {**(given or {}), CORRELATION_ID_HEADER: request_id, REPLY_TO_HEADER: reply_to}


def to_answer(request: RegularMessage, result: object) -> Answer:
    """The reply with the result of a handler."""
    reply = result if isinstance(result, OutgoingReply) else None
    payload = result if reply is None else reply.payload
    if not isinstance(payload, (bytes, bytearray, memoryview, str)):
        raise TypeError(f"a handler must return bytes, str or OutgoingReply, not {type(payload).__name__}")
    # With a reply-to, the reply would be a request.
    more = {} if reply is None else {name: reply.headers[name] for name in reply.headers if name not in _OWN_HEADERS}
    return _answer(request, payload, more)


def failure_answer(request: RegularMessage, error: BaseException) -> Answer:
    """The reply of a handler that failed."""
    return _answer(request, error_text(error), {REPLY_STATUS_HEADER: "error"})


def rejection(request: RegularMessage, status: str) -> Answer:
    """The reply without a handler: ``not-serving`` or ``overloaded``."""
    return _answer(request, b"", {REPLY_STATUS_HEADER: status})


def error_text(error: BaseException) -> str:
    """The message of an error, cut to a length that fits in a reply."""
    text = error.message if isinstance(error, SpreadError) else str(error) or type(error).__name__
    return text.encode("utf-8", "replace")[:_MAX_ERROR_BYTES].decode("utf-8", "ignore")


def _answer(request: RegularMessage, payload: Payload, headers: Mapping[str, str]) -> Answer:
    given = request.headers
    return Answer(
        given[REPLY_TO_HEADER], payload, {**headers, CORRELATION_ID_HEADER: given[CORRELATION_ID_HEADER]}
    )
