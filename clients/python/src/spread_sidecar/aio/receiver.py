"""Fills an inbox from Receive streams, in its own task."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any, Callable, Optional

import grpc.aio

from .._core.local_errors import silence
from .._core.receive_rules import FINISH_SECONDS, SILENT_INTERVALS, ReceiveRules
from ..errors import SpreadError
from ..notices import Detached, Ended, Notice
from .inbox import Inbox
from .rpc import Rpc, convert

_log = logging.getLogger("spread_sidecar")


class Receiver:
    """Pauses while the inbox is full. When a stream breaks, attaches again after the last event."""

    def __init__(
        self,
        rpc: Rpc,
        inbox: Inbox,
        rules: ReceiveRules,
        heartbeat_interval: float,
        on_notice: Callable[[Notice, str], None],
    ) -> None:
        self._rpc = rpc
        self._inbox = inbox
        self._rules = rules
        self._heartbeat_interval = heartbeat_interval
        self._on_notice = on_notice
        self._task: Optional[asyncio.Task[None]] = None
        self._call: Any = None
        self._watchdog: Optional[asyncio.TimerHandle] = None
        self._last_frame = 0.0
        self._paused = False
        self._closed = False
        # Whether the watchdog cancelled the stream.
        self._silent = False
        # Set when no event will arrive for now: after the end, or during a pause.
        self._settled = asyncio.Event()

    @property
    def holds_lease(self) -> bool:
        """Whether a stream is attached, as far as the client knows. Unknown for a stream that is not read."""
        return self._rules.attached and not self._paused

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
        self._watch()

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
                error = await self._receive_stream()
                if error is None or self._closed or not await self._prepare_next(error):
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

    async def _receive_stream(self) -> Optional[SpreadError]:
        """Reads one stream until its end. Returns its error, or None if receiving has ended."""
        loop = asyncio.get_running_loop()
        call: Any = None
        try:
            call = self._call = await self._rpc.receive(self._rules.request())
            self._last_frame = loop.time()
            self._silent = False
            while True:
                response = await call.read()
                if response is grpc.aio.EOF:
                    self._end(None)
                    return None
                self._last_frame = loop.time()
                if not await self._on_frame(response):
                    return None
        except grpc.aio.AioRpcError as error:
            return self._explain(error)
        except SpreadError as error:
            return error
        except asyncio.CancelledError:
            if not self._silent:
                raise
            return silence(SILENT_INTERVALS * self._heartbeat_interval)
        finally:
            self._call = None
            if call is not None:
                call.cancel()

    def _explain(self, error: grpc.aio.AioRpcError) -> SpreadError:
        """The error of a stream. A stream that this client cancelled because of missing heartbeats does not
        count as cancelled by the application.
        """
        if not self._silent:
            return convert(error, self._rpc.endpoint)
        return silence(SILENT_INTERVALS * self._heartbeat_interval)

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
        self._paused = True
        self._settled.set()
        try:
            await self._inbox.wait_for_room()
        finally:
            self._paused = False
        if not self._closed:
            self._settled.clear()
        self._last_frame = asyncio.get_running_loop().time()

    async def _prepare_next(self, error: SpreadError) -> bool:
        """Handles a broken stream. Returns False if receiving has ended."""
        verdict = self._rules.broken(error)
        if verdict.end is not None:
            self._end(verdict.end)
            return False
        if verdict.detached:
            self._on_notice(Detached(error), "")
        await asyncio.sleep(verdict.pause)
        if self._rules.fetching_rest:
            # The last events of an ended mailbox wait until the inbox has space. Each further stream would
            # overfill it.
            await self._inbox.wait_for_room()
        return True

    def _watch(self) -> None:
        """Cancels a stream without any frame for too long, which then counts as broken."""
        interval = self._heartbeat_interval
        if interval <= 0 or self._closed or self._inbox.ended:
            return
        loop = asyncio.get_running_loop()
        silent = loop.time() - self._last_frame
        if self._call is not None and not self._paused and silent > SILENT_INTERVALS * interval:
            self._silent = True
            self._call.cancel()
        self._watchdog = loop.call_later(interval, self._watch)

    def _end(self, error: Optional[SpreadError]) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
        if self._inbox.end(error):
            self._on_notice(Ended(error), "")
        self._settled.set()
