"""Limits the messages in flight of a benchmark, and counts the received messages."""

from __future__ import annotations

import threading
import time

from translate import Json

_MESSAGES = 20_000
_BYTES = 16 * 1024 * 1024
_WARM_UP = 0.5


class Count:
    """Counts the received messages, except in the first half second."""

    def __init__(self, payload_bytes: int, seconds: float) -> None:
        #: Maximum number of messages in flight.
        self.limit = max(1, min(_MESSAGES, _BYTES // max(payload_bytes, 1)))
        self.received = 0
        now = time.perf_counter()
        self._begin = now + _WARM_UP
        self._end = self._begin + seconds
        self._first_at = 0.0
        self._first = 0

    def add(self, count: int) -> bool:
        """Adds received messages. Returns False at the end of the measurement."""
        self.received += count
        now = time.perf_counter()
        if self._first_at == 0.0 and now >= self._begin:
            self._first_at = now
            self._first = self.received
        self._now = now
        return now < self._end

    def result(self) -> Json:
        return {"messages": self.received - self._first, "seconds": self._now - self._first_at}


class Credit:
    """Limits the messages in flight between a sending and a receiving thread."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._room = threading.Event()
        self._sent = 0
        self.over = False

    def take(self) -> int:
        """Waits for space, and returns the number of messages that may be sent now. 0 at the end."""
        while not self.over:
            room = self._count.limit - (self._sent - self._count.received)
            if room > 0:
                self._sent += room
                return room
            self._room.wait()
            self._room.clear()
        return 0

    def received(self) -> None:
        """Reports that there may be space again."""
        self._room.set()

    def stop(self) -> None:
        """Ends the waiting."""
        self.over = True
        self._room.set()


def summary(latencies: list[float]) -> Json:
    return {"latenciesUs": [round(latency * 1e6, 3) for latency in latencies]}
