"""The received events that the application did not take yet."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Sequence

from ..events import SpreadEvent


# A limit divided by this number is small compared with the limit.
_SHARES = 32


class EventBuffer:
    """A bounded first-in, first-out queue. Each operation takes constant time."""

    __slots__ = ("_bytes", "_events", "_max_bytes", "_max_events")

    def __init__(self, max_events: int, max_bytes: int) -> None:
        self._events: deque[SpreadEvent] = deque()
        self._bytes = 0
        self._max_events = max_events
        self._max_bytes = max_bytes

    def __len__(self) -> int:
        return len(self._events)

    @property
    def full(self) -> bool:
        """Whether the producer should pause. The buffer still accepts more events, because a batch is never
        split.
        """
        return len(self._events) >= self._max_events or self._bytes >= self._max_bytes

    @property
    def has_room(self) -> bool:
        """Whether the producer may resume. This needs half of each limit free, so that it does not pause after
        each event.
        """
        return len(self._events) * 2 <= self._max_events and self._bytes * 2 <= self._max_bytes

    @property
    def share(self) -> tuple[int, int]:
        """A number of events and of bytes that is small compared with the limits."""
        return self._max_events // _SHARES, self._max_bytes // _SHARES

    def push(self, events: Sequence[SpreadEvent]) -> None:
        """Adds a batch."""
        self._events.extend(events)
        self._bytes += sum(event._weight for event in events)

    def pop(self) -> SpreadEvent:
        """Removes and returns the oldest event."""
        event = self._events.popleft()
        self._bytes -= event._weight
        return event

    def first(self, most: int, max_bytes: int) -> list[SpreadEvent]:
        """The oldest events, without removing them, at most ``most`` events and ``max_bytes`` bytes."""
        events = []
        for event in islice(self._events, most):
            max_bytes -= event._weight
            if max_bytes < 0:
                break
            events.append(event)
        return events

    def put_back(self, event: SpreadEvent) -> None:
        """Returns an event to the front."""
        self._events.appendleft(event)
        self._bytes += event._weight

    def pop_many(self, most: int) -> list[SpreadEvent]:
        """Removes and returns the oldest events, at most ``most``."""
        events = self._events
        if most >= len(events):
            taken = list(events)
            events.clear()
            self._bytes = 0
            return taken
        pop = events.popleft
        taken = [pop() for _ in range(most)]
        self._bytes -= sum(event._weight for event in taken)
        return taken
