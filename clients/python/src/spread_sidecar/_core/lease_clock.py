"""When a mailbox that nobody uses is to be asked for something, so that its lease does not end."""

from __future__ import annotations

import time
from typing import Callable


class LeaseClock:
    """The sidecar ends a mailbox that nobody has used for its lease. Asks in thirds of it, when nothing else did."""

    def __init__(self, lease: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause = max(lease / 3, 0.05)
        self._clock = clock
        self._last_use = clock()

    @property
    def interval(self) -> float:
        """How often to look. Unit: s."""
        # More than a timer can count is for ever.
        return min(self._pause / 2, 1e6)

    def used(self) -> None:
        """The mailbox was just used by a call."""
        self._last_use = self._clock()

    def is_due(self, held: bool) -> bool:
        """Whether to ask now. ``held``: something else keeps the lease right now."""
        if held or self._clock() - self._last_use < self._pause:
            return False
        self.used()
        return True
