"""Requests and replies over a mailbox."""

from __future__ import annotations

import logging
import queue
import threading
import time
from types import TracebackType
from typing import Callable, Mapping, Optional, Type

from .._core.local_errors import cancelled_error, check_timeout, disconnected
from .._core.outgoing import check_text
from .._core.request_reply.answers import Answer, failure_answer, rejection, request_headers, to_answer
from .._core.request_reply.call_table import CallTable, Outcome, Rejection, Service, check_wanted, unexpected
from ..cancellation import Cancellation
from ..constants import AGREED_MESS
from ..errors import SpreadError
from ..events import RegularMessage, SpreadEvent
from ..options import Payload
from ..request_reply import IncomingRequest, Replies, RequestHandler, RequestStatistics, WantedReplies
from .mailbox import Mailbox
from .message_stream import MessageStream, OnFailure

_log = logging.getLogger("spread_sidecar")

# Answers without a result that wait to be sent. The client drops further ones, so that receiving never waits.
_MAX_ANSWERS = 10_000
# Time that close() waits for handlers. Unit: s.
_CLOSE_WAIT = 5.0
# Time that close() waits until the sidecar has accepted the replies. Unit: s.
_FLUSH_WAIT = 1.0
# A deadline must be more than 0. Unit: s.
_SHORTEST = 0.001


class _Waiter:
    """The end of one request."""

    def __init__(self) -> None:
        self.outcome: Optional[Outcome] = None
        self._done = threading.Event()

    def end(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self._done.set()

    def wait(self, deadline: float, cancel: Optional[Cancellation]) -> None:
        """Waits for the end, the deadline or the cancellation."""
        unbind = None if cancel is None else cancel.on_cancel(self._done.set)
        try:
            self._done.wait(max(deadline - time.monotonic(), 0))
        finally:
            if unbind is not None:
                unbind()


class RequestService:
    """A group whose requests are handled. ``RequestReply.serve`` returns it."""

    #: The group.
    group: str

    def __init__(
        self, group: str, stop: Callable[[Optional[float], Optional[Cancellation]], None]
    ) -> None:
        self.group = group
        self._stop = stop

    def stop(self, *, timeout: Optional[float] = None, cancel: Optional[Cancellation] = None) -> None:
        """Stops to handle requests, and leaves the group. Rejects the requests that wait. Does not wait for running
        handlers.
        """
        self._stop(timeout, cancel)


class RequestReply:
    """Makes and handles requests over a mailbox of its own. ``SpreadSidecar.open_request_reply`` returns it.

    All failures raise SpreadError. The object is thread-safe: handlers can make requests too. A ``with`` block closes
    the object at its end. docs/request-reply.md has the rules.
    """

    def __init__(self, mailbox: Mailbox, on_event: Optional[Callable[[SpreadEvent], None]]) -> None:
        self._mailbox = mailbox
        self._messages = MessageStream(mailbox)
        self._on_event = on_event
        # Protects the table. Threads that handle requests wait at the condition.
        self._lock = threading.Lock()
        self._queued = threading.Condition(self._lock)
        self._table: CallTable[RequestHandler] = CallTable(
            lambda: mailbox.private_group, self._reject, lambda service: self._queued.notify_all()
        )
        self._answers: queue.Queue[Optional[Answer]] = queue.Queue(_MAX_ANSWERS)
        self._handlers_end = Cancellation()
        self._threads: list[threading.Thread] = []
        self._start("spread-sidecar-replies", self._send_answers)
        self._start("spread-sidecar-requests", self._receive)

    @property
    def private_group(self) -> str:
        """The private group, to which requests can go too."""
        return self._mailbox.private_group

    @property
    def statistics(self) -> RequestStatistics:
        """The number of open requests, and of the replies that came too late or a second time."""
        with self._lock:
            return self._table.statistics

    def request(
        self,
        target: str,
        payload: Payload,
        *,
        replies: WantedReplies = 1,
        timeout: float = 30.0,
        service_type: int = AGREED_MESS,
        message_type: int = 0,
        headers: Optional[Mapping[str, str]] = None,
        cancel: Optional[Cancellation] = None,
    ) -> Replies:
        """Sends a request to a group or a private group, and waits for the replies.

        ``replies``: how many replies to wait for, or ``"all"`` for a reply of each member of the view. With
        ``"all"``, the mailbox joins the group first, because only members know the view. ``timeout``: maximum time
        until the result, in seconds. The other arguments are as in ``Mailbox.multicast``.

        Returns the replies, also if some are missing. Raises SpreadError if the request was not sent or was
        cancelled, or if the mailbox ended.
        """
        check_text("target", target)
        check_wanted(replies)
        check_timeout(timeout)
        if cancel is not None and cancel.cancelled:
            raise cancelled_error("cancelled before the request was sent", "not-sent")
        deadline = time.monotonic() + timeout
        with self._lock:
            self._table.check_can_open()
        if replies == "all" and not target.startswith("#"):
            self._join(target, timeout, cancel)
        waiter = _Waiter()
        with self._lock:
            request_id = self._table.open_request(target, replies, waiter.end)
        try:
            try:
                self._messages.send(
                    service_type,
                    target,
                    payload,
                    message_type,
                    request_headers(headers, request_id, self.private_group),
                    lambda error: self._fail(request_id, error),
                    max(deadline - time.monotonic(), _SHORTEST),
                    cancel,
                )
            except SpreadError as error:
                # The timeout of the request has the same result while the request is being sent.
                if waiter.outcome is None and error.status != "DEADLINE_EXCEEDED":
                    raise
            waiter.wait(deadline, cancel)
            if waiter.outcome is None and cancel is not None and cancel.cancelled:
                raise cancelled_error("cancelled while waiting for replies")
            with self._lock:
                self._table.time_out(request_id)
        finally:
            with self._lock:
                self._table.forget(request_id)
        outcome = waiter.outcome
        assert outcome is not None
        if isinstance(outcome, SpreadError):
            raise outcome.with_traceback(None)
        return outcome

    def serve(
        self,
        group: str,
        handler: RequestHandler,
        *,
        concurrency: int = 1,
        max_queued: int = 1000,
        timeout: Optional[float] = None,
        cancel: Optional[Cancellation] = None,
    ) -> RequestService:
        """Joins a group and handles its requests. The result of ``handler`` is the reply.

        A request to the private group goes to the service that has been open for the longest time. ``concurrency``:
        number of threads that run handlers. ``max_queued``: maximum number of requests that wait for a handler.
        The client rejects further requests. Raises SpreadError if the mailbox cannot join the group, or already
        serves it.
        """
        service = Service(group, handler, concurrency, max_queued)
        with self._lock:
            self._table.add_service(service)
        try:
            for _ in range(concurrency):
                self._start("spread-sidecar-handler", lambda: self._run_handlers(service))
            self._join(group, timeout, cancel)
        except BaseException:
            with self._lock:
                waiting = self._table.remove_service(service) or []
                for message in waiting:
                    self._reject(message, "not-serving")
                self._queued.notify_all()
            raise
        return RequestService(group, lambda timeout, cancel: self._stop(service, timeout, cancel))

    def close(self, *, timeout: Optional[float] = None, cancel: Optional[Cancellation] = None) -> None:
        """Ends the mailbox. Open requests raise ILLEGAL_SESSION with outcome ``unknown``. Waits at most 5 s for running handlers, whose
        ``request.cancel`` is cancelled.
        """
        self._end_with(disconnected())
        # A disconnect would overtake replies that handlers have sent.
        self._messages.flush(_FLUSH_WAIT)
        try:
            self._mailbox.disconnect(timeout=timeout, cancel=cancel)
        finally:
            deadline = time.monotonic() + _CLOSE_WAIT
            with self._lock:
                threads = list(self._threads)
            for thread in threads:
                if thread is not threading.current_thread():
                    thread.join(max(deadline - time.monotonic(), 0))

    def __enter__(self) -> RequestReply:
        return self

    def __exit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        try:
            self.close()
        except SpreadError:
            # An error of the exit must not replace the error of the body.
            if exc is None:
                raise

    def _start(self, name: str, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        with self._lock:
            self._threads = [old for old in self._threads if old.is_alive()]
            self._threads.append(thread)

    def _receive(self) -> None:
        try:
            while True:
                for event in self._mailbox.receive_many():
                    with self._lock:
                        is_call = self._table.received(event)
                    if not is_call:
                        self._pass_on(event)
        except SpreadError as error:
            self._end_with(error)
        except BaseException as defect:
            _log.exception("unexpected error in the receiver of requests and replies")
            self._end_with(unexpected(defect))

    def _pass_on(self, event: SpreadEvent) -> None:
        if self._on_event is None:
            return
        try:
            self._on_event(event)
        except Exception:
            _log.exception("the callback on_event failed")

    def _run_handlers(self, service: Service[RequestHandler]) -> None:
        while True:
            with self._lock:
                message = service.queue.start_next()
                while message is None:
                    if service.queue.stopped:
                        return
                    self._queued.wait()
                    message = service.queue.start_next()
                group = self._table.group_of(message)
            try:
                self._handle(service.handler, group, message)
            finally:
                with self._lock:
                    service.queue.finished()

    def _handle(self, handler: RequestHandler, group: str, message: RegularMessage) -> None:
        request = IncomingRequest(
            payload=message.payload,
            sender=message.sender,
            group=group,
            message_type=message.message_type,
            headers=message.headers,
            cancel=self._handlers_end,
        )
        try:
            answer = to_answer(message, handler(request))
            # The sidecar may reject the reply, for example because it is too long.
            self._send(answer, lambda error: self._put(failure_answer(message, error)))
        except Exception as error:
            self._try_to_send(failure_answer(message, error))

    def _reject(self, message: RegularMessage, status: Rejection) -> None:
        self._put(rejection(message, status))

    def _put(self, answer: Answer) -> None:
        """Sends an answer later. Never waits."""
        try:
            self._answers.put_nowait(answer)
        except queue.Full:
            _log.debug("too many answers wait; the client dropped one")

    def _send_answers(self) -> None:
        while True:
            answer = self._answers.get()
            if answer is None or self._table.end is not None:
                return
            self._try_to_send(answer)

    def _try_to_send(self, answer: Answer) -> None:
        try:
            self._send(answer, _log_failure)
        except Exception as error:
            _log_failure(error)

    def _send(self, answer: Answer, on_failure: OnFailure) -> None:
        # close() lets handlers return, but their results are no replies.
        self._table.check_open()
        self._messages.send(AGREED_MESS, answer.reply_to, answer.payload, 0, answer.headers, on_failure)

    def _join(self, group: str, timeout: Optional[float], cancel: Optional[Cancellation]) -> None:
        """Returns when the mailbox is a member of the group and has its view."""
        with self._lock:
            self._table.check_open()
            if group in self._table.joined:
                return
        self._mailbox.join(group, await_view=True, timeout=timeout, cancel=cancel)
        with self._lock:
            self._table.joined.add(group)

    def _stop(
        self, service: Service[RequestHandler], timeout: Optional[float], cancel: Optional[Cancellation]
    ) -> None:
        with self._lock:
            waiting = self._table.remove_service(service)
            self._queued.notify_all()
        if waiting is None:
            return
        for message in waiting:
            self._try_to_send(rejection(message, "not-serving"))
        # The mailbox leaves after requesters got the replies and rejections.
        self._messages.flush(timeout)
        self._mailbox.leave(service.group, await_view=True, timeout=timeout, cancel=cancel)

    def _fail(self, request_id: str, error: SpreadError) -> None:
        with self._lock:
            self._table.fail(request_id, error)

    def _end_with(self, error: SpreadError) -> None:
        with self._lock:
            self._table.end_with(error)
            self._queued.notify_all()
        self._handlers_end.cancel()
        try:
            self._answers.put_nowait(None)
        except queue.Full:
            # The thread sees the end when it takes the next rejection.
            pass


def _log_failure(error: Exception) -> None:
    # The mailbox ended, or the reply-to is malformed.
    _log.debug("a reply was not sent: %s", error)
