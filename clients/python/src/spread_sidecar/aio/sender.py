"""Sends many messages fast and in order over one stream."""

from __future__ import annotations

import asyncio
import logging
from types import TracebackType
from typing import Any, Callable, Iterable, Mapping, Optional, Type, Union

import grpc.aio

from .._core.batch_encoder import encode_batch, encode_open
from .._core.local_errors import check_timeout, timeout_error
from .._core.outgoing import to_groups, to_outgoing
from .._core.rules.send_window import SendWindow
from ..errors import SpreadError
from ..gen.spread.sidecar.v1 import mailbox_service_pb2 as service
from ..info import OutgoingMessage, SenderProgress
from ..options import Payload
from ..refusal import Refusal
from .._core.unreachable import Endpoint
from .rpc import check_decoded, convert, end_of

_log = logging.getLogger("spread_sidecar")


class Sender:
    """Sends many messages fast and in order over one stream. ``Mailbox.sender()`` returns it.

    Messages that are sent while the client writes a frame share the next frame. The client does not replace a broken
    stream, because that could send a message twice. All later calls raise the same error, and ``undecided`` contains
    the messages with an unknown outcome.
    """

    def __init__(
        self,
        call: Any,
        endpoint: Endpoint,
        mailbox_id: str,
        window: SendWindow,
        on_refused: Optional[Callable[[Refusal], None]],
        on_use: Callable[[], None],
    ) -> None:
        self._call = call
        self._endpoint = endpoint
        self._mailbox_id = mailbox_id
        self._window = window
        self._on_refused = on_refused
        self._on_use = on_use
        self._over = False
        # For the writing task, and for tasks that wait for decisions.
        self._work: Optional[asyncio.Future[None]] = None
        self._waiters: set[asyncio.Future[None]] = set()
        # The last given groups, validated.
        self._last_groups: tuple[object, tuple[str, ...]] = (None, ())
        self._reader = asyncio.create_task(self._read(), name="spread-sidecar-sender-read")
        self._writer = asyncio.create_task(self._write(), name="spread-sidecar-sender-write")

    @property
    def progress(self) -> SenderProgress:
        """The progress."""
        return self._window.progress

    @property
    def closed(self) -> bool:
        """Whether the sender has ended and cannot send."""
        return self._window.closing or self._window.failure is not None

    @property
    def undecided(self) -> list[OutgoingMessage]:
        """The sent messages that were neither passed to the daemon nor rejected, oldest first.

        After a failure, their outcome is unknown.
        """
        return self._window.undecided

    async def send(
        self,
        service_type: int,
        groups: Union[str, Iterable[str]],
        payload: Payload,
        message_type: int = 0,
        *,
        self_discard: bool = False,
        headers: Optional[Mapping[str, str]] = None,
        timeout: Optional[float] = None,
    ) -> None:
        """Sends a message to the members of one group or of several groups. ``headers`` are as in
        ``Mailbox.multicast``.

        Waits only at the limit of messages in flight. The call does not wait until the daemon gets the message; use
        ``flush`` for that. Raises SpreadError if the sender has ended or the service type is invalid. If the sidecar
        rejects the message later, the sender reports it; see ``Mailbox.sender``. After a timeout or a cancellation,
        the message was not sent.
        """
        last, destinations = self._last_groups
        if groups is not last:
            destinations = to_groups(groups)
            # Only immutable arguments can be compared by identity.
            if type(groups) in (str, tuple):
                self._last_groups = (groups, destinations)
        message = to_outgoing(service_type, destinations, payload, message_type, self_discard, headers)
        window = self._window
        if window.failure or window.closing or window.full:
            window.check_open()
            await self._wait(lambda: not window.full or window.closing, timeout, "waiting for room to send")
            window.check_open()
        window.add(message)
        if self._work is not None:
            self._wake_writer()

    async def flush(self, *, timeout: Optional[float] = None) -> SenderProgress:
        """Waits until all earlier messages were passed to the daemon or rejected.

        Raises MessagesRefused if messages were rejected and ``on_refused`` is not set. Raises SpreadError if the
        stream broke.
        """
        window = self._window
        until = window.flush()
        if window.has_frame:
            self._wake_writer()
        doing = "waiting for the sidecar to accept or reject messages"
        await self._wait(lambda: window.decided >= until, timeout, doing)
        if window.decided < until and window.failure:
            raise window.failure.with_traceback(None)
        window.check_refusals()
        return window.progress

    async def close(self, *, timeout: Optional[float] = None) -> SenderProgress:
        """Flushes the messages and ends the stream. A second call waits for the first call. Raises the same errors as
        ``flush``.
        """
        window = self._window
        window.closing = True
        self._wake_writer()
        self._wake_all()
        await self._wait(lambda: self._over, timeout, "waiting for the sidecar to accept or reject messages")
        await self._join()
        if window.failure:
            raise window.failure.with_traceback(None)
        window.check_refusals()
        return window.progress

    async def abort(self) -> None:
        """Ends the stream without waiting. The outcome of messages that were neither passed to the daemon nor
        rejected is unknown.
        """
        if not self._over:
            self._fail(self._window.aborted())
            self._reader.cancel()
            self._writer.cancel()
            self._call.cancel()
        await self._join()

    async def __aenter__(self) -> Sender:
        return self

    async def __aexit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        if exc is None:
            await self.close()
        else:
            await self.abort()

    async def _wait(self, done: Callable[[], bool], timeout: Optional[float], doing: str) -> None:
        """Waits until ``done`` or a failure."""
        check_timeout(timeout)
        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + timeout
        while not done() and not self._window.failure:
            pause = None if deadline is None else deadline - loop.time()
            if pause is not None and pause <= 0:
                raise timeout_error(f"the timeout of {timeout:g} s passed while {doing}")
            waiter: asyncio.Future[None] = loop.create_future()
            self._waiters.add(waiter)
            timer = None if pause is None else loop.call_later(pause, _wake, waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)
                if timer is not None:
                    timer.cancel()

    async def _write(self) -> None:
        window = self._window
        try:
            await self._call.write(encode_open(self._mailbox_id))
            while not window.failure:
                frame = window.next_frame()
                if frame is not None:
                    self._on_use()
                    await self._call.write(encode_batch(frame.messages, frame.respond))
                elif window.closing:
                    await self._call.done_writing()
                    return
                else:
                    self._work = asyncio.get_running_loop().create_future()
                    try:
                        await self._work
                    finally:
                        self._work = None
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            # The reading task gets the reason.
            pass

    async def _read(self) -> None:
        error: Optional[SpreadError]
        try:
            while True:
                answer = await self._call.read()
                if answer is grpc.aio.EOF:
                    break
                check_decoded(answer, "MulticastStream", "unknown")
                self._on_answer(answer)
            error = self._window.ended_early()
        except grpc.aio.AioRpcError as rpc_error:
            end = await end_of(self._call, rpc_error)
            error = convert(end, self._endpoint)
            error.outcome = self._window.outcome_of(error)
        except asyncio.CancelledError:
            error = self._window.aborted()
        except SpreadError as violation:
            error = violation
            self._call.cancel()
        except Exception as defect:
            _log.exception("unexpected error in a sender")
            error = SpreadError(
                "unexpected error in the sender; the logger spread_sidecar logged the cause",
                status="INTERNAL",
                outcome="unknown",
            )
            error.__cause__ = defect
            self._call.cancel()
        self._over = True
        if error is not None:
            self._fail(error)
        self._wake_writer()
        self._wake_all()

    def _on_answer(self, answer: service.MulticastStreamResponse) -> None:
        self._on_use()
        for refusal in self._window.answered(answer):
            if self._on_refused is None:
                self._window.keep_refusal(refusal)
                continue
            try:
                self._on_refused(refusal)
            except Exception:
                _log.exception("the callback on_refused failed")
        self._wake_all()

    def _fail(self, error: SpreadError) -> None:
        self._window.fail(error)
        self._wake_writer()
        self._wake_all()

    def _wake_writer(self) -> None:
        if self._work is not None:
            _wake(self._work)

    def _wake_all(self) -> None:
        for waiter in self._waiters:
            _wake(waiter)

    async def _join(self) -> None:
        current = asyncio.current_task()
        tasks = [task for task in (self._reader, self._writer) if task is not current]
        await asyncio.wait(tasks)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
