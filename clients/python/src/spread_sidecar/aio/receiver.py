"""Fills an inbox from Receive streams, in its own task."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any, Callable, Optional

import grpc.aio

from .._core.rules.receiving import FINISH_SECONDS, ReceiveRules, Verdict
from ..errors import SpreadError
from ..notices import Detached, Ended, Notice
from .inbox import Inbox
from .rpc import Rpc, check_decoded, convert

_log = logging.getLogger("spread_sidecar")


class Receiver:
    """Pauses while the inbox is full. When a stream breaks, attaches again after the last event."""

    def __init__(
        self,
        rpc: Rpc,
        inbox: Inbox,
        rules: ReceiveRules,
        on_notice: Callable[[Notice, str], None],
    ) -> None:
        self._rpc = rpc
        self._inbox = inbox
        self._rules = rules
        self._on_notice = on_notice
        self._task: Optional[asyncio.Task[None]] = None
        self._call: Any = None
        self._watchdog: Optional[asyncio.TimerHandle] = None
        self._closed = False
        # The error of a stream that the watchdog cancelled.
        self._silence: Optional[SpreadError] = None
        # Set when no event will arrive for now: after the end, or during a pause.
        self._settled = asyncio.Event()

    @property
    def holds_lease(self) -> bool:
        """Whether a stream is attached, as far as the client knows."""
        return self._rules.holds_lease

    @property
    def started(self) -> bool:
        """Whether receiving has started."""
        return self._task is not None

    def start(self) -> None:
        """Starts to receive. Later calls have no effect."""
        if self._task is not None or self._inbox.ended:
            return
        self._rules.begin()
        self._task = asyncio.create_task(self._run(), name="spread-sidecar-receive")

    async def finish(self) -> None:
        """Closes the receiver after a disconnect.

        Waits up to 1 s for the last events of the stream, but not while the inbox is full.
        """
        if self._call is not None:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._settled.wait(), FINISH_SECONDS)
        await self.close()

    async def close(self) -> None:
        """Stops receiving without an error. Events in the inbox remain available."""
        self.stop()
        task = self._task
        if task is not None and task is not asyncio.current_task():
            await asyncio.wait([task])

    def stop(self) -> None:
        """As ``close``, but without waiting for the end of the task."""
        self._closed = True
        self._end(None)
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    async def _run(self) -> None:
        try:
            while not self._closed:
                verdict = await self._receive_stream()
                if verdict is None or self._closed or not await self._prepare_next(verdict):
                    return
        except asyncio.CancelledError:
            # The event loop is ending, unless close() cancelled the task.
            self._end(None)
        except Exception as error:
            _log.exception("unexpected error in a receiver")
            defect = SpreadError(
                "unexpected error in the receiver; the logger spread_sidecar logged the cause", status="INTERNAL"
            )
            defect.__cause__ = error
            self._end(defect)
        finally:
            self._settled.set()

    async def _receive_stream(self) -> Optional[Verdict]:
        """Reads one stream until its end. Returns the next action, or None if receiving has ended."""
        call: Any = None
        try:
            call = self._call = await self._rpc.receive(self._rules.request())
            self._silence = None
            self._rules.opened()
            self._watch_later(call)
            while True:
                response = await call.read()
                if response is grpc.aio.EOF:
                    return self._rules.closed()
                check_decoded(response, "Receive")
                if not await self._on_frame(response):
                    return None
        except grpc.aio.AioRpcError as error:
            # A stream that the watchdog cancelled does not count as cancelled by the application.
            return self._rules.broken(self._silence or convert(error, self._rpc.endpoint))
        except SpreadError as error:
            return self._rules.broken(error)
        except asyncio.CancelledError:
            if self._silence is None:
                raise
            return self._rules.broken(self._silence)
        finally:
            self._call = None
            if self._watchdog is not None:
                self._watchdog.cancel()
            if call is not None:
                call.cancel()

    async def _on_frame(self, response: Any) -> bool:
        received = self._rules.take(response)
        full = bool(received.events) and self._inbox.push(received.events)
        if received.notice is not None:
            self._on_notice(received.notice, received.private_group)
        if received.failure is not None:
            self._end(received.failure)
            return False
        if full:
            await self._pause()
        return not self._closed

    async def _pause(self) -> None:
        """Stops reading from the stream, so that flow control stops the sidecar."""
        self._rules.pause()
        self._settled.set()
        try:
            await self._inbox.wait_for_room()
        finally:
            self._rules.resume()
        if not self._closed:
            self._settled.clear()

    async def _prepare_next(self, verdict: Verdict) -> bool:
        """Handles the end of a stream. Returns False if receiving has ended."""
        if verdict.ended:
            self._end(verdict.error)
            return False
        if verdict.detached is not None:
            self._on_notice(Detached(verdict.detached), "")
        await asyncio.sleep(verdict.pause)
        if self._rules.fetching_rest:
            # The last events of an ended mailbox wait until the inbox has space. Each further stream would
            # overfill it.
            await self._inbox.wait_for_room()
        return True

    def _watch_later(self, call: Any) -> None:
        """Starts the timer of the watchdog."""
        pause = self._rules.silent_in()
        loop = asyncio.get_running_loop()
        self._watchdog = None if pause is None else loop.call_later(pause, self._watch, call)

    def _watch(self, call: Any) -> None:
        """Cancels a stream without any frame for too long, which then counts as broken."""
        if self._call is not call or self._closed or self._inbox.ended:
            return
        left = self._rules.silent_in()
        if left is None or left > 0:
            self._watch_later(call)
            return
        self._silence = self._rules.silence()
        call.cancel()

    def _end(self, error: Optional[SpreadError]) -> None:
        if self._inbox.end(error):
            self._on_notice(Ended(error), "")
        self._settled.set()
