"""The requests that wait for the handler of one group."""

from __future__ import annotations

from collections import deque
from typing import Generic, Optional, TypeVar

RequestT = TypeVar("RequestT")


class ServiceQueue(Generic[RequestT]):
    """Requests in the order of their delivery, at most ``concurrency`` at a time (Q8). Without I/O; not thread-safe."""

    def __init__(self, concurrency: int, max_queued: int) -> None:
        """``concurrency``: handlers that run at the same time. ``max_queued``: requests that wait for a handler."""
        self._concurrency = concurrency
        self._limit = concurrency + max_queued
        self._waiting: deque[RequestT] = deque()
        self._running = 0
        #: Whether no further handler starts.
        self.stopped = False

    def add(self, request: RequestT) -> bool:
        """Adds a request. Returns False if too many requests wait."""
        if len(self._waiting) + self._running >= self._limit:
            return False
        self._waiting.append(request)
        return True

    def start_next(self) -> Optional[RequestT]:
        """The request whose handler starts now. None if no handler may start."""
        if self.stopped or not self._waiting or self._running >= self._concurrency:
            return None
        self._running += 1
        return self._waiting.popleft()

    def finished(self) -> None:
        """A handler has returned."""
        self._running -= 1

    def stop(self) -> list[RequestT]:
        """Starts no further handler. Returns the requests that wait."""
        self.stopped = True
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting
