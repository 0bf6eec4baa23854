"""Types of requests and replies, for the blocking API and for asyncio."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Awaitable, Callable, Literal, Mapping, Optional, Union

from .cancellation import Cancellation
from .headers import NO_HEADERS, MessageHeaders
from .options import Payload

#: How many replies to wait for, or ``"all"``: a reply of each member of the view.
WantedReplies = Union[int, Literal["all"]]


@dataclass(frozen=True)
class Reply:
    """A reply to a request."""

    #: The private group of the member that replied.
    sender: str
    #: The payload. Empty if ``error`` is set.
    payload: bytes
    headers: MessageHeaders = NO_HEADERS
    #: The message of the error with which the handler failed.
    error: Optional[str] = None

    def text(self) -> str:
        """The payload as UTF-8. Invalid bytes become U+FFFD."""
        return self.payload.decode("utf-8", "replace")


@dataclass(frozen=True)
class Replies:
    """The result of a request."""

    #: The replies in the order of their arrival, at most one from each member.
    replies: tuple[Reply, ...]
    #: Members that got the request and left the group, or disconnected, without a reply.
    left: tuple[str, ...]
    #: Members that rejected the request, because too many requests waited for their handlers.
    overloaded: tuple[str, ...]
    #: Members without a reply when the request ended too early. Empty if the requester does not know the members.
    missing: tuple[str, ...]
    #: Whether the timeout passed.
    timed_out: bool
    #: Whether all requested replies arrived.
    complete: bool


@dataclass(frozen=True)
class RequestStatistics:
    """Counters of an object that makes and handles requests."""

    #: Number of open requests.
    open: int
    #: Number of replies to requests that had ended.
    late_replies: int
    #: Number of second replies of a member.
    duplicate_replies: int


@dataclass(frozen=True)
class IncomingRequest:
    """A request that a handler gets."""

    payload: bytes
    #: The private group of the requester.
    sender: str
    #: The group, or the private group of this member.
    group: str
    message_type: int
    headers: MessageHeaders
    #: Cancelled when the object that serves the group ends. In asyncio, the task of the handler is cancelled too.
    cancel: Cancellation

    def text(self) -> str:
        """The payload as UTF-8. Invalid bytes become U+FFFD."""
        return self.payload.decode("utf-8", "replace")


@dataclass(frozen=True)
class OutgoingReply:
    """A reply with headers. The client itself sets ``correlation-id``, ``reply-to`` and ``reply-status``."""

    payload: Payload
    headers: Mapping[str, str] = field(default_factory=dict)


#: The result of a handler: a payload, or a payload with headers.
HandlerReply = Union[Payload, OutgoingReply]
#: Handles a request. The requester gets only the message of its exception.
RequestHandler = Callable[[IncomingRequest], HandlerReply]
#: For ``spread_sidecar.aio``: the function may be a coroutine function.
AsyncRequestHandler = Callable[[IncomingRequest], Union[HandlerReply, Awaitable[HandlerReply]]]
