"""The open requests and the services of one mailbox."""

from __future__ import annotations

import secrets
from typing import Callable, Generic, Literal, NamedTuple, Optional, TypeVar, Union

from ...errors import SIDECAR_DOMAIN, SpreadError
from ...events import ConnectionLost, RegularMessage, SelfLeaveMessage, SpreadEvent, ViewMessage
from ...headers import CORRELATION_ID_HEADER, REPLY_TO_HEADER
from ...request_reply import Replies, Reply, RequestStatistics, WantedReplies
from ..local_errors import field_error
from .answers import REPLY_STATUS_HEADER
from .pending_request import PendingRequest
from .service_queue import ServiceQueue

# Q10
_MAX_OPEN_REQUESTS = 10_000

#: The end of a request.
Outcome = Union[Replies, SpreadError]
#: Answers without a handler.
Rejection = Literal["not-serving", "overloaded"]
HandlerT = TypeVar("HandlerT")


class Service(Generic[HandlerT]):
    """A group whose requests are handled."""

    def __init__(self, group: str, handler: HandlerT, concurrency: int, max_queued: int) -> None:
        self.group = group
        self.handler = handler
        self.queue: ServiceQueue[RegularMessage] = ServiceQueue(
            _check_count("concurrency", concurrency, 1), _check_count("max_queued", max_queued, 0)
        )


class _OpenRequest(NamedTuple):
    pending: PendingRequest
    on_end: Callable[[Outcome], None]


class CallTable(Generic[HandlerT]):
    """Decides what each event means for requests and services. Without I/O; not thread-safe.

    ``on_reject`` sends the answer to a request that gets no handler. ``on_queued`` starts handlers of a service. Both
    must not block.
    """

    def __init__(
        self,
        own_group: Callable[[], str],
        on_reject: Callable[[RegularMessage, Rejection], None],
        on_queued: Callable[[Service[HandlerT]], None],
    ) -> None:
        self._own_group = own_group
        self._on_reject = on_reject
        self._on_queued = on_queued
        self._prefix = f"{secrets.token_hex(8)}-"
        self._counter = 0
        self._open: dict[str, _OpenRequest] = {}
        self._services: dict[str, Service[HandlerT]] = {}
        # The members of each group that the mailbox is in, in the order of the view.
        self._members: dict[str, tuple[str, ...]] = {}
        self._late = 0
        self._duplicate = 0
        #: The groups that the mailbox has joined.
        self.joined: set[str] = set()
        #: The error of all later calls.
        self.end: Optional[SpreadError] = None

    @property
    def statistics(self) -> RequestStatistics:
        """The counters."""
        return RequestStatistics(len(self._open), self._late, self._duplicate)

    def check_can_open(self) -> None:
        """Raises if no request can be opened."""
        self.check_open()
        if len(self._open) >= _MAX_OPEN_REQUESTS:
            raise SpreadError(
                f"too many requests are open; at most {_MAX_OPEN_REQUESTS} are allowed",
                status="RESOURCE_EXHAUSTED",
                reason="TOO_MANY_CALLS",
                domain=SIDECAR_DOMAIN,
                metadata={"limit": "requests", "bound": str(_MAX_OPEN_REQUESTS)},
                retryable=True,
                outcome="not-sent",
            )

    def check_open(self) -> None:
        """Raises the error that ended the mailbox."""
        if self.end is not None:
            raise self.end.with_traceback(None)

    def open_request(self, target: str, wanted: WantedReplies, on_end: Callable[[Outcome], None]) -> str:
        """Opens a request, and returns its correlation ID. Calls ``on_end`` once, unless the request is forgotten."""
        self.check_can_open()
        self._counter += 1
        request_id = f"{self._prefix}{self._counter}"
        self._open[request_id] = _OpenRequest(PendingRequest(target, wanted), on_end)
        return request_id

    def forget(self, request_id: str) -> None:
        """Ends a request without an outcome."""
        self._open.pop(request_id, None)

    def fail(self, request_id: str, error: SpreadError) -> None:
        """Ends a request that was not sent."""
        request = self._open.pop(request_id, None)
        if request is not None:
            request.on_end(error)

    def time_out(self, request_id: str) -> None:
        """Ends a request after its timeout (Q6)."""
        request = self._open.get(request_id)
        if request is not None:
            request.pending.time_out()
            self._settle(request_id, request)

    def add_service(self, service: Service[HandlerT]) -> None:
        """Adds a service, before the mailbox joins its group."""
        self.check_open()
        if service.group in self._services:
            raise field_error("group", "a group that this object does not serve", service.group)
        self._services[service.group] = service

    def remove_service(self, service: Service[HandlerT]) -> Optional[list[RegularMessage]]:
        """Stops a service. Returns the requests that wait, or None if the service had stopped before."""
        if self._services.get(service.group) is not service:
            return None
        del self._services[service.group]
        self.joined.discard(service.group)
        return service.queue.stop()

    def end_with(self, error: SpreadError) -> None:
        """Ends all requests and services. Only the first call has an effect."""
        if self.end is not None:
            return
        self.end = error
        for service in self._services.values():
            service.queue.stop()
        self._services.clear()
        self._fail_all(_with_unknown_outcome(error))

    def group_of(self, message: RegularMessage) -> str:
        """The served group to which a request was sent, or the private group."""
        return next((group for group in message.groups if group in self._services), self._own_group())

    def received(self, event: SpreadEvent) -> bool:
        """Handles an event. Returns whether it is a request or a reply."""
        if isinstance(event, RegularMessage):
            return self._on_message(event)
        if isinstance(event, ViewMessage):
            self._on_view(event)
        elif isinstance(event, SelfLeaveMessage):
            self._members.pop(event.group, None)
        elif isinstance(event, ConnectionLost):
            self._members.clear()
            self._fail_all(_connection_lost())
        return False

    def _on_message(self, message: RegularMessage) -> bool:
        request_id = message.headers.get(CORRELATION_ID_HEADER)
        if request_id is None:
            return False
        if REPLY_TO_HEADER in message.headers:
            self._on_request(request_id, message)
            return True
        return self._on_reply(request_id, message)

    def _on_reply(self, request_id: str, message: RegularMessage) -> bool:
        if not request_id.startswith(self._prefix):
            return False
        request = self._open.get(request_id)
        if request is None:
            self._late += 1
            return True
        status = message.headers.get(REPLY_STATUS_HEADER, "ok")
        if status == "error":
            reply = Reply(message.sender, b"", message.headers, message.text())
        else:
            reply = Reply(message.sender, message.payload, message.headers)
        if not request.pending.answer(status, reply):
            self._duplicate += 1
        self._settle(request_id, request)
        return True

    def _on_request(self, request_id: str, message: RegularMessage) -> None:
        is_own = message.sender == self._own_group()
        if is_own:
            self._on_own_request(request_id)
        service = self._service_of(message)
        if service is None:
            if not is_own:
                self._on_reject(message, "not-serving")
        elif service.queue.add(message):
            self._on_queued(service)
        else:
            self._on_reject(message, "overloaded")

    def _on_own_request(self, request_id: str) -> None:
        """The view in which the requester receives its own request is the view in which all members receive it (Q3)."""
        request = self._open.get(request_id)
        if request is None:
            return
        target = request.pending.target
        members = self._members.get(target)
        if members is None:
            return
        own = None if target in self._services else self._own_group()
        request.pending.delivered(member for member in members if member != own)
        self._settle(request_id, request)

    def _service_of(self, message: RegularMessage) -> Optional[Service[HandlerT]]:
        for group in message.groups:
            if group in self._services:
                return self._services[group]
        if self._own_group() not in message.groups:
            return None
        # Q11
        return next(iter(self._services.values()), None)

    def _on_view(self, view: ViewMessage) -> None:
        self._members[view.group] = view.members
        members = frozenset(view.members)
        gone: list[str] = []
        if view.cause in ("DISCONNECT", "NETWORK"):
            gone = [member for member in view.changed_members if member not in members]
        for request_id, request in list(self._open.items()):
            if request.pending.target == view.group:
                request.pending.view(members)
            else:
                for member in gone:
                    request.pending.disconnected(member)
            self._settle(request_id, request)

    def _settle(self, request_id: str, request: _OpenRequest) -> None:
        result = request.pending.result
        if result is not None:
            del self._open[request_id]
            request.on_end(result)

    def _fail_all(self, error: SpreadError) -> None:
        requests = list(self._open.values())
        self._open.clear()
        for request in requests:
            request.on_end(error)


def check_wanted(replies: object) -> None:
    """Rejects an invalid number of replies."""
    is_count = isinstance(replies, int) and not isinstance(replies, bool) and replies >= 1
    if not is_count and replies != "all":
        raise field_error("replies", "a whole number, 1 or more, or 'all'", replies)


def unexpected(defect: BaseException) -> SpreadError:
    """The error after a defect of this client."""
    message = "unexpected error in requests and replies; the logger spread_sidecar logged the cause"
    error = SpreadError(message, status="INTERNAL", outcome="unknown")
    error.__cause__ = defect
    return error


def _check_count(field: str, value: object, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise field_error(field, f"a whole number, {least} or more", value)
    return value


def _with_unknown_outcome(end: SpreadError) -> SpreadError:
    """The end of the mailbox as the error of an open request, whose message may have been sent."""
    error = SpreadError(
        end.message,
        status=end.status,
        reason=end.reason,
        domain=end.domain,
        metadata=end.metadata,
        retryable=end.retryable,
        retry_delay=end.retry_delay,
        outcome="unknown",
    )
    error.__cause__ = end
    return error


def _connection_lost() -> SpreadError:
    return SpreadError(
        "the sidecar lost the daemon connection while the request waited for replies",
        status="UNAVAILABLE",
        outcome="unknown",
    )
