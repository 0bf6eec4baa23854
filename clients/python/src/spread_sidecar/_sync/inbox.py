"""The received events that the application did not take yet, and the threads that wait for an event."""

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

#: Gets whether ``take`` returns an event or the end without waiting.
ReadinessObserver = Callable[[bool], None]


class Inbox:
    """After the end, the remaining events are still available. Each later call gets the error that ended the mailbox.

    Taking the lock for each event would cost more than the rest of ``take``. Therefore a call that holds the
    lock also moves the next events ahead, out of the buffer, and later calls take those without the lock. The
    buffer's limits count events that are ahead as taken: they are at most a small share of each limit. With an
    observer no events are ahead, because the inbox must notify the observer at once when the last event is
    taken.
    """

    def __init__(self, max_events: int, max_bytes: int, last_taken: int) -> None:
        self._buffer = EventBuffer(max_events, max_bytes)
        # Older than all events in the buffer. Filled under the lock. Each removal takes one event and is
        # atomic.
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
        """Whether no further event will arrive."""
        return self._ended

    @property
    def ready(self) -> bool:
        """Whether ``take`` returns an event or the end without waiting."""
        return self._ended or bool(self._ahead) or len(self._buffer) > 0

    @property
    def failure(self) -> Optional[SpreadError]:
        """The error that ended the inbox. None before the end, and after an end that the application requested.
        """
        return self._error

    @property
    def exhausted(self) -> bool:
        """Whether the application requested the end and no event is left."""
        return self._ended and self._error is None and len(self) == 0

    def observe(self, observer: Optional[ReadinessObserver]) -> None:
        """Calls ``observer(ready)`` now and at each change, under the lock. It must not block or take events.
        """
        with self._lock:
            self._observer = observer
            if observer is not None:
                self._put_back_ahead()
                observer(self.ready)

    def push(self, events: Sequence[SpreadEvent]) -> bool:
        """Adds a batch. Returns True if the inbox is full: the receiver must ``wait_for_room``."""
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
        """Waits until half of the inbox was taken, or until its end."""
        with self._lock:
            self._filler_waits = True
            while not self._ended and not self._buffer.has_room:
                self._room.wait()
            self._filler_waits = False

    def end(self, error: Optional[SpreadError]) -> bool:
        """Ends the inbox, with an error or, at the application's request, without one.

        Returns True for the first call. Later calls have no effect.
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
        """Waits for the next event."""
        if cancel is not None:
            return self._take_cancellable(timeout, cancel)
        try:
            event = self._ahead.popleft()
        except IndexError:
            return self._take_locked(timeout)
        self.last_taken = event.sequence
        return event

    def take_more(self, most: int) -> list[SpreadEvent]:
        """The available events without waiting, at most ``most``."""
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
                # In this order, because `ready` reads both without the lock and must not miss events.
                self._ahead.extend(more)
                self._buffer.pop_many(len(more))
            self._after_taking()
            return event

    def _put_back_ahead(self) -> None:
        """Returns all events to the buffer. A call without the lock may still take the oldest meanwhile."""
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
        if self._filler_waits and self._buffer.has_room:
            self._room.notify()
        if self._observer is not None and not self.ready:
            self._observer(False)

    def _wait(self, timeout: Optional[float], cancel: Optional[Cancellation]) -> None:
        """Waits for an event. Raises at the end, on cancellation and after the timeout."""
        deadline = None if timeout is None else time.monotonic() + timeout
        self._waiting += 1
        try:
            while True:
                if cancel is not None and cancel.cancelled:
                    raise cancelled_error("cancelled while waiting for an event")
                # Another thread may have moved events ahead.
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
            # Pass on a wake-up for an event that this thread does not take.
            if len(self):
                self._filled.notify()
            raise
        finally:
            self._waiting -= 1

    def _end_error(self) -> SpreadError:
        return disconnected() if self._error is None else self._error.with_traceback(None)
