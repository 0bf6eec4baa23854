"""The received events that the application did not take yet, and the tasks that wait for an event."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Optional, Sequence

from .._core.event_buffer import EventBuffer
from .._core.local_errors import disconnected, timeout_error
from ..errors import SpreadError
from ..events import SpreadEvent


class Inbox:
    """After the end, the remaining events are still available. Each later call gets the error that ended the
    mailbox.
    """

    def __init__(self, max_events: int, max_bytes: int, last_taken: int) -> None:
        self._buffer = EventBuffer(max_events, max_bytes)
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._room: Optional[asyncio.Future[None]] = None
        self._ended = False
        self._error: Optional[SpreadError] = None
        #: The sequence of the last event that the application took.
        self.last_taken = last_taken

    def __len__(self) -> int:
        return len(self._buffer)

    @property
    def ended(self) -> bool:
        """Whether no further event will arrive."""
        return self._ended

    @property
    def ready(self) -> bool:
        """Whether ``take`` returns an event or the end without waiting."""
        return self._ended or len(self._buffer) > 0

    @property
    def failure(self) -> Optional[SpreadError]:
        """The error that ended the inbox. None before the end, and after an end that the application requested.
        """
        return self._error

    @property
    def exhausted(self) -> bool:
        """Whether the application requested the end and no event is left."""
        return self._ended and self._error is None and len(self._buffer) == 0

    def push(self, events: Sequence[SpreadEvent]) -> bool:
        """Adds a batch. Returns True if the inbox is full: the receiver must ``wait_for_room``."""
        if self._ended:
            return False
        self._buffer.push(events)
        self._wake(len(events))
        return self._buffer.full

    async def wait_for_room(self) -> None:
        """Waits until half of the inbox was taken, or until its end."""
        while not self._ended and not self._buffer.has_room:
            self._room = asyncio.get_running_loop().create_future()
            try:
                await self._room
            finally:
                self._room = None

    def end(self, error: Optional[SpreadError]) -> bool:
        """Ends the inbox, with an error or, at the application's request, without one.

        Returns True for the first call. Later calls have no effect.
        """
        if self._ended:
            return False
        self._ended = True
        self._error = error
        self._wake(len(self._waiters))
        self._give_room()
        return True

    async def take(self, timeout: Optional[float]) -> SpreadEvent:
        """Waits for the next event."""
        if not len(self._buffer):
            await self._wait(timeout)
        event = self._buffer.pop()
        self.last_taken = event.sequence
        if self._room is not None and self._buffer.has_room:
            self._give_room()
        return event

    def take_more(self, most: int) -> list[SpreadEvent]:
        """The available events without waiting, at most ``most``."""
        events = self._buffer.pop_many(most) if most > 0 else []
        if events:
            self.last_taken = events[-1].sequence
            if self._room is not None and self._buffer.has_room:
                self._give_room()
        return events

    async def _wait(self, timeout: Optional[float]) -> None:
        """Waits for an event. Raises at the end."""
        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + timeout
        while not len(self._buffer):
            if self._ended:
                raise disconnected() if self._error is None else self._error.with_traceback(None)
            pause = None if deadline is None else deadline - loop.time()
            if pause is not None and pause <= 0:
                raise timeout_error(f"no event within {timeout:g} s")
            waiter: asyncio.Future[None] = loop.create_future()
            self._waiters.append(waiter)
            timer = None if pause is None else loop.call_later(pause, _wake_one, waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                # Pass on a wake-up for an event that this task does not take.
                if waiter.done() and not waiter.cancelled() and len(self._buffer):
                    self._wake(1)
                raise
            finally:
                if timer is not None:
                    timer.cancel()
                if waiter in self._waiters:
                    self._waiters.remove(waiter)

    def _wake(self, count: int) -> None:
        while count > 0 and self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                count -= 1

    def _give_room(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)


def _wake_one(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
