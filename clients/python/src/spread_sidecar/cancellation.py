"""Cancels calls of the blocking API from another thread."""

from __future__ import annotations

import threading
from typing import Callable


class Cancellation:
    """Cancels the calls to which it was passed. Each call then raises SpreadError with status CANCELLED.

    You can pass one Cancellation to several calls, also at the same time. In asyncio, cancel the task instead.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._callbacks: dict[int, Callable[[], object]] = {}
        self._count = 0

    @property
    def cancelled(self) -> bool:
        """Whether ``cancel`` was called."""
        return self._cancelled

    def cancel(self) -> None:
        """Cancels the waiting calls. Later calls with this Cancellation fail before they start."""
        with self._lock:
            self._cancelled = True
            callbacks = list(self._callbacks.values())
            self._callbacks.clear()
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Calls ``callback`` once after ``cancel``, or immediately if ``cancel`` was called before. Returns a
        function that removes the callback.
        """
        with self._lock:
            if not self._cancelled:
                self._count += 1
                number = self._count
                self._callbacks[number] = callback
                return lambda: self._unbind(number)
        callback()
        return _nothing

    def _unbind(self, number: int) -> None:
        with self._lock:
            self._callbacks.pop(number, None)


def _nothing() -> None:
    pass
