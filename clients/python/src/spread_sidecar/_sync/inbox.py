"""Received events that the application has not consumed, and the threads that wait for more."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Callable, Optional, Sequence

from .._core.event_buffer import EventBuffer
from .._core.local_errors import cancelled_error, disconnected, timeout_error
from ..cancellation import Cancellation
from ..errors import SpreadError
from ..events import SpreadEvent

#: Told whether ``take`` gives something, an event or the end, without waiting.
ReadinessObserver = Callable[[bool], None]


class Inbox:
    """After its end, it still returns the remaining events, and then raises the end for every caller.

    Taking the lock for each event would cost more than the rest of ``take``. Therefore a call with the lock also
    moves the next events out of the buffer, and later calls take those events without the lock. The limits do not
    count the moved events, which are a small share of each limit. With an observer, no events are moved, because
    the observer must know at once when the last event is consumed.
    """

    def __init__(self, max_events: int, max_bytes: int, last_taken: int) -> None:
        self._buffer = EventBuffer(max_events, max_bytes)
        # Older than all in the buffer. Filled under the lock; each removal takes one event and is atomic.
        self._ahead: deque[SpreadEvent] = deque()
        self._most_ahead, self._most_bytes_ahead = self._buffer.share
        self._lock = threading.Lock()
        self._filled = threading.Condition(self._lock)
        self._room = threading.Condition(self._lock)
        self._waiting = 0
        self._filler_waits = False
        self._ended = False
        self._error: Optional[SpreadError] = None
        self._observer: Optional[ReadinessObserver] = None
        #: The sequence of the last event that the application took.
        self.last_taken = last_taken

    def __len__(self) -> int:
        return len(self._ahead) + len(self._buffer)

    @property
    def ended(self) -> bool:
        """Whether receiving has ended."""
        return self._ended

    @property
    def ready(self) -> bool:
        """Whether ``take`` gives something, an event or the end, without waiting."""
        return self._ended or bool(self._ahead) or len(self._buffer) > 0

    @property
    def failure(self) -> Optional[SpreadError]:
        """The error with which receiving ended. None before the end, or if the application requested the end."""
        return self._error

    @property
    def exhausted(self) -> bool:
        """Whether receiving ended by request, and the application has consumed all events."""
        return self._ended and self._error is None and len(self) == 0

    def observe(self, observer: Optional[ReadinessObserver]) -> None:
        """Calls ``observer(ready)`` now and at each change, under the lock.

        The observer must not block or consume events.
        """
        with self._lock:
            self._observer = observer
            if observer is not None:
                self._put_back_ahead()
                observer(self.ready)

    def push(self, events: Sequence[SpreadEvent]) -> bool:
        """Adds a batch. True: the inbox is full, and the receiver must call ``wait_for_room``."""
        with self._lock:
            if self._ended:
                return False
            was_empty = len(self._buffer) == 0
            self._buffer.push(events)
            if self._waiting:
                self._filled.notify(min(self._waiting, len(events)))
            if was_empty and self._observer is not None:
                self._observer(True)
            return self._buffer.full

    def wait_for_room(self) -> None:
        """Waits until half of the inbox is free or it has ended."""
        with self._lock:
            self._filler_waits = True
            while not self._ended and not self._buffer.roomy:
                self._room.wait()
            self._filler_waits = False

    def end(self, error: Optional[SpreadError]) -> bool:
        """Ends the inbox, with an error or, if the application requested the end, without one.

        Only the first end has an effect; it returns True.
        """
        with self._lock:
            if self._ended:
                return False
            self._ended = True
            self._error = error
            self._filled.notify_all()
            self._room.notify_all()
            if len(self._buffer) == 0 and self._observer is not None:
                self._observer(True)
            return True

    def take(self, timeout: Optional[float], cancel: Optional[Cancellation]) -> SpreadEvent:
        """The next event."""
        if cancel is not None:
            return self._take_cancellable(timeout, cancel)
        try:
            event = self._ahead.popleft()
        except IndexError:
            return self._take_locked(timeout)
        self.last_taken = event.sequence
        return event

    def take_more(self, most: int) -> list[SpreadEvent]:
        """Up to this number of events, without waiting."""
        with self._lock:
            self._put_back_ahead()
            events = self._buffer.pop_many(most) if most > 0 else []
            if events:
                self.last_taken = events[-1].sequence
                self._after_taking()
            return events

    def _take_locked(self, timeout: Optional[float]) -> SpreadEvent:
        with self._lock:
            self._put_back_ahead()
            if not len(self._buffer):
                self._wait(timeout, None)
            event = self._buffer.pop()
            self.last_taken = event.sequence
            if self._observer is None and self._most_ahead:
                more = self._buffer.first(self._most_ahead, self._most_bytes_ahead)
                # In this order, because `ready` reads both without the lock and must never see neither.
                self._ahead.extend(more)
                self._buffer.pop_many(len(more))
            self._after_taking()
            return event

    def _put_back_ahead(self) -> None:
        """Moves all events back into the buffer.

        Another call without the lock may still take the oldest one meanwhile.
        """
        while self._ahead:
            try:
                event = self._ahead.pop()
            except IndexError:
                return
            self._buffer.put_back(event)

    def _take_cancellable(self, timeout: Optional[float], cancel: Cancellation) -> SpreadEvent:
        unbind = cancel.on_cancel(self._wake_all)
        try:
            with self._lock:
                self._put_back_ahead()
                if cancel.cancelled or not len(self._buffer):
                    self._wait(timeout, cancel)
                event = self._buffer.pop()
                self.last_taken = event.sequence
                self._after_taking()
                return event
        finally:
            unbind()

    def _wake_all(self) -> None:
        with self._lock:
            self._filled.notify_all()

    def _after_taking(self) -> None:
        if self._filler_waits and self._buffer.roomy:
            self._room.notify()
        if self._observer is not None and not self.ready:
            self._observer(False)

    def _wait(self, timeout: Optional[float], cancel: Optional[Cancellation]) -> None:
        """Waits for an event. Raises at the end, and on a timeout or cancellation."""
        deadline = None if timeout is None else time.monotonic() + timeout
        self._waiting += 1
        try:
            while True:
                if cancel is not None and cancel.cancelled:
                    raise cancelled_error("cancelled while waiting for an event")
                # Another taker may have moved them.
                self._put_back_ahead()
                if len(self._buffer):
                    return
                if self._ended:
                    raise self._end_error()
                pause = None if deadline is None else deadline - time.monotonic()
                if pause is not None and pause <= 0:
                    raise timeout_error(f"no event within {timeout:g} s")
                self._filled.wait(pause)
        except BaseException:
            # A wake-up that was meant for an event must not be lost with who gave up.
            if len(self):
                self._filled.notify()
            raise
        finally:
            self._waiting -= 1

    def _end_error(self) -> SpreadError:
        return disconnected() if self._error is None else self._error.with_traceback(None)
