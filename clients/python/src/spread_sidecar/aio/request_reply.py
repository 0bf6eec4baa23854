"""Requests and replies over a mailbox."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from types import TracebackType
from typing import Any, Awaitable, Callable, Coroutine, Mapping, Optional, Type, cast

from .._core.local_errors import check_timeout, disconnected
from .._core.outgoing import check_text
from .._core.request_reply.answers import Answer, failure_answer, rejection, request_headers, to_answer
from .._core.request_reply.call_table import CallTable, Outcome, Rejection, Service, check_wanted, unexpected
from ..cancellation import Cancellation
from ..constants import AGREED_MESS
from ..errors import SpreadError
from ..events import RegularMessage, SpreadEvent
from ..options import Payload
from ..request_reply import AsyncRequestHandler, IncomingRequest, Replies, RequestStatistics, WantedReplies
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


class RequestService:
    """A group whose requests are handled. ``RequestReply.serve`` returns it."""

    #: The group.
    group: str

    def __init__(self, group: str, stop: Callable[[Optional[float]], Awaitable[None]]) -> None:
        self.group = group
        self._stop = stop

    async def stop(self, *, timeout: Optional[float] = None) -> None:
        """Stops to handle requests, and leaves the group. Rejects the requests that wait. Does not wait for running
        handlers.
        """
        await self._stop(timeout)


class RequestReply:
    """Makes and handles requests over a mailbox of its own. ``SpreadSidecar.open_request_reply`` returns it.

    All failures raise SpreadError. To cancel a request, cancel its task. Handlers can make requests too. An
    ``async with`` block closes the object at its end. docs/request-reply.md has the rules.
    """

    def __init__(self, mailbox: Mailbox, on_event: Optional[Callable[[SpreadEvent], None]]) -> None:
        self._mailbox = mailbox
        self._messages = MessageStream(mailbox)
        self._on_event = on_event
        self._table: CallTable[AsyncRequestHandler] = CallTable(
            lambda: mailbox.private_group, self._reject, self._run_handlers
        )
        self._answers: asyncio.Queue[Answer] = asyncio.Queue(_MAX_ANSWERS)
        self._handlers_end = Cancellation()
        # The tasks of handlers, and the task that sends rejections.
        self._tasks: set[asyncio.Task[None]] = set()
        self._start("spread-sidecar-replies", self._send_answers())
        self._receiving = asyncio.create_task(self._receive(), name="spread-sidecar-requests")

    @property
    def private_group(self) -> str:
        """The private group, to which requests can go too."""
        return self._mailbox.private_group

    @property
    def statistics(self) -> RequestStatistics:
        """The number of open requests, and of the replies that came too late or a second time."""
        return self._table.statistics

    async def request(
        self,
        target: str,
        payload: Payload,
        *,
        replies: WantedReplies = 1,
        timeout: float = 30.0,
        service_type: int = AGREED_MESS,
        message_type: int = 0,
        headers: Optional[Mapping[str, str]] = None,
    ) -> Replies:
        """Sends a request to a group or a private group, and waits for the replies.

        ``replies``: how many replies to wait for, or ``"all"`` for a reply of each member of the view. With
        ``"all"``, the mailbox joins the group first, because only members know the view. ``timeout``: maximum time
        until the result, in seconds. The other arguments are as in ``Mailbox.multicast``.

        Returns the replies, also if some are missing. Raises SpreadError if the request was not sent, or if the
        mailbox ended.
        """
        check_text("target", target)
        check_wanted(replies)
        check_timeout(timeout)
        deadline = time.monotonic() + timeout
        self._table.check_can_open()
        if replies == "all" and not target.startswith("#"):
            await self._join(target, timeout)
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[Outcome] = loop.create_future()

        def end(outcome: Outcome) -> None:
            # A cancelled task leaves a cancelled future until it forgets its request.
            if not ended.done():
                ended.set_result(outcome)

        request_id = self._table.open_request(target, replies, end)
        remaining = max(deadline - time.monotonic(), _SHORTEST)
        timer = loop.call_later(remaining, self._table.time_out, request_id)
        try:
            try:
                await self._messages.send(
                    service_type,
                    target,
                    payload,
                    message_type,
                    request_headers(headers, request_id, self.private_group),
                    lambda error: self._table.fail(request_id, error),
                    remaining,
                )
            except SpreadError as error:
                # The timeout of the request has the same result while the request is being sent.
                if not ended.done() and error.status != "DEADLINE_EXCEEDED":
                    raise
            outcome = await ended
        finally:
            timer.cancel()
            self._table.forget(request_id)
        if isinstance(outcome, SpreadError):
            raise outcome.with_traceback(None)
        return outcome

    async def serve(
        self,
        group: str,
        handler: AsyncRequestHandler,
        *,
        concurrency: int = 1,
        max_queued: int = 1000,
        timeout: Optional[float] = None,
    ) -> RequestService:
        """Joins a group and handles its requests. The result of ``handler`` is the reply.

        ``handler`` is a coroutine function, or a function that does not block. A request to the private group goes to
        the service that has been open for the longest time. ``concurrency``: maximum number of handlers that run at
        the same time. ``max_queued``: maximum number of requests that wait for a handler. The client rejects further
        requests. Raises SpreadError if the mailbox cannot join the group, or already serves it.
        """
        service = Service(group, handler, concurrency, max_queued)
        self._table.add_service(service)
        try:
            await self._join(group, timeout)
        except BaseException:
            for message in self._table.remove_service(service) or []:
                self._reject(message, "not-serving")
            raise
        return RequestService(group, lambda timeout: self._stop(service, timeout))

    async def close(self, *, timeout: Optional[float] = None) -> None:
        """Ends the mailbox and cancels the running handlers. Open requests raise ILLEGAL_SESSION with outcome ``unknown``."""
        self._end_with(disconnected())
        # A disconnect would overtake replies that handlers have sent.
        await self._messages.flush(_FLUSH_WAIT)
        try:
            await self._mailbox.disconnect(timeout=timeout)
        finally:
            tasks = {self._receiving, *self._tasks} - {asyncio.current_task()}
            if tasks:
                await asyncio.wait(tasks, timeout=_CLOSE_WAIT)

    async def __aenter__(self) -> RequestReply:
        return self

    async def __aexit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        try:
            await self.close()
        except SpreadError:
            # An error of the exit must not replace the error of the body.
            if exc is None:
                raise

    def _start(self, name: str, run: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(run, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _receive(self) -> None:
        try:
            while True:
                for event in await self._mailbox.receive_many():
                    if not self._table.received(event):
                        self._pass_on(event)
        except SpreadError as error:
            self._end_with(error)
        except asyncio.CancelledError:
            self._end_with(disconnected())
            raise
        except Exception as defect:
            _log.exception("unexpected error in the receiver of requests and replies")
            self._end_with(unexpected(defect))

    def _pass_on(self, event: SpreadEvent) -> None:
        if self._on_event is None:
            return
        try:
            self._on_event(event)
        except Exception:
            _log.exception("the callback on_event failed")

    def _run_handlers(self, service: Service[AsyncRequestHandler]) -> None:
        """Starts the handlers that may run now."""
        while (message := service.queue.start_next()) is not None:
            self._start("spread-sidecar-handler", self._run_handler(service, message))

    async def _run_handler(self, service: Service[AsyncRequestHandler], message: RegularMessage) -> None:
        try:
            await self._handle(service.handler, message)
        finally:
            service.queue.finished()
            self._run_handlers(service)

    async def _handle(self, handler: AsyncRequestHandler, message: RegularMessage) -> None:
        request = IncomingRequest(
            payload=message.payload,
            sender=message.sender,
            group=self._table.group_of(message),
            message_type=message.message_type,
            headers=message.headers,
            cancel=self._handlers_end,
        )
        try:
            result: object = handler(request)
            if inspect.isawaitable(result):
                result = await cast(Awaitable[object], result)
            answer = to_answer(message, result)
            # The sidecar may reject the reply, for example because it is too long.
            await self._send(answer, lambda error: self._put(failure_answer(message, error)))
        except Exception as error:
            await self._try_to_send(failure_answer(message, error))

    def _reject(self, message: RegularMessage, status: Rejection) -> None:
        self._put(rejection(message, status))

    def _put(self, answer: Answer) -> None:
        """Sends an answer later. Never waits."""
        try:
            self._answers.put_nowait(answer)
        except asyncio.QueueFull:
            _log.debug("too many answers wait; the client dropped one")

    async def _send_answers(self) -> None:
        while True:
            await self._try_to_send(await self._answers.get())

    async def _try_to_send(self, answer: Answer) -> None:
        try:
            await self._send(answer, _log_failure)
        except Exception as error:
            _log_failure(error)

    async def _send(self, answer: Answer, on_failure: OnFailure) -> None:
        # close() lets handlers return, but their results are no replies.
        self._table.check_open()
        await self._messages.send(AGREED_MESS, answer.reply_to, answer.payload, 0, answer.headers, on_failure)

    async def _join(self, group: str, timeout: Optional[float]) -> None:
        """Returns when the mailbox is a member of the group and has its view."""
        self._table.check_open()
        if group in self._table.joined:
            return
        await self._mailbox.join(group, await_view=True, timeout=timeout)
        self._table.joined.add(group)

    async def _stop(self, service: Service[AsyncRequestHandler], timeout: Optional[float]) -> None:
        waiting = self._table.remove_service(service)
        if waiting is None:
            return
        for message in waiting:
            await self._try_to_send(rejection(message, "not-serving"))
        # The mailbox leaves after requesters got the replies and rejections.
        await self._messages.flush(timeout)
        await self._mailbox.leave(service.group, await_view=True, timeout=timeout)

    def _end_with(self, error: SpreadError) -> None:
        if self._table.end is not None:
            return
        self._table.end_with(error)
        self._handlers_end.cancel()
        # A handler may close the object.
        current = asyncio.current_task()
        for task in self._tasks:
            if task is not current:
                task.cancel()


def _log_failure(error: Exception) -> None:
    # The mailbox ended, or the reply-to is malformed.
    _log.debug("a reply was not sent: %s", error)
