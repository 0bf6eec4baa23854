"""Message headers: names with text values. ``docs/headers.md`` of the project has the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

__all__ = [
    "BAGGAGE_HEADER",
    "CONTENT_TYPE_HEADER",
    "CORRELATION_ID_HEADER",
    "REPLY_TO_HEADER",
    "TRACEPARENT_HEADER",
    "TRACESTATE_HEADER",
    "MessageHeaders",
]

#: W3C Trace Context: the position of the message in a trace. Reserved for tracing.
TRACEPARENT_HEADER: Final = "traceparent"
#: W3C Trace Context: data of tracing systems. Reserved for tracing.
TRACESTATE_HEADER: Final = "tracestate"
#: W3C Baggage: data of the application that follows a trace. Reserved for tracing.
BAGGAGE_HEADER: Final = "baggage"
#: The media type of the payload, such as ``application/json``.
CONTENT_TYPE_HEADER: Final = "content-type"
#: The group or private group that expects the reply to this message.
REPLY_TO_HEADER: Final = "reply-to"
#: The value that a reply repeats, so that the requester finds the request of the reply.
CORRELATION_ID_HEADER: Final = "correlation-id"


class MessageHeaders(Mapping[str, str]):
    """The headers of a message, by name. Immutable and hashable. ``dict(headers)`` is a copy that can be
    changed.
    """

    # Not a MappingProxyType, because applications pickle and copy events.
    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return f"MessageHeaders({self._values!r})"


#: Shared by the messages without headers.
NO_HEADERS: Final = MessageHeaders({})
