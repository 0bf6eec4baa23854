"""Delayed actions in one thread."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from typing import Callable, Optional

_log = logging.getLogger("spread_sidecar")


class Timer:
    """A delayed action."""

    __slots__ = ("action",)

    def __init__(self, action: Callable[[], None]) -> None:
        self.action: Optional[Callable[[], None]] = action

    def cancel(self) -> None:
        """Cancels the action, unless it has started."""
        self.action = None


class Timers:
    """The thread starts with the first timer and ends with ``close``."""

    def __init__(self) -> None:
        self._condition = threading.Condition(threading.Lock())
        self._due: list[tuple[float, int, Timer]] = []
        self._numbers = itertools.count()
        self._thread: Optional[threading.Thread] = None
        self._closed = False

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Runs an action once after a delay. The action must not block."""
        timer = Timer(action)
        # Waits of threading have a maximum.
        when = time.monotonic() + min(seconds, 1e6)
        with self._condition:
            if self._closed:
                return timer
            heapq.heappush(self._due, (when, next(self._numbers), timer))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="spread-sidecar-timers", daemon=True)
                self._thread.start()
            elif self._due[0][2] is timer:
                self._condition.notify()
        return timer

    def close(self) -> None:
        """Cancels all timers."""
        with self._condition:
            self._closed = True
            self._due.clear()
            thread = self._thread
            self._condition.notify()
        if thread is not None and thread is not threading.current_thread():
            thread.join(1.0)

    def _run(self) -> None:
        while True:
            timer = self._next()
            if timer is None:
                return
            action = timer.action
            if action is None:
                continue
            try:
                action()
            except Exception:
                _log.exception("unexpected error in a timer")

    def _next(self) -> Optional[Timer]:
        with self._condition:
            while not self._closed:
                # Remove cancelled timers, which would wake the thread and keep their references.
                while self._due and self._due[0][2].action is None:
                    heapq.heappop(self._due)
                if not self._due:
                    self._condition.wait()
                    continue
                pause = self._due[0][0] - time.monotonic()
                if pause <= 0:
                    return heapq.heappop(self._due)[2]
                self._condition.wait(pause)
            return None
