"""The times of calls that keep the lease of an unused mailbox."""

from __future__ import annotations

import time
from typing import Callable


class LeaseClock:
    """A call is due after a third of the lease, if no other call used the mailbox."""

    def __init__(self, lease: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause = max(lease / 3, 0.05)
        self._clock = clock
        self._last_use = clock()

    @property
    def interval(self) -> float:
        """Interval of the checks. Unit: s."""
        # More than a timer can count is for ever.
        return min(self._pause / 2, 1e6)

    def used(self) -> None:
        """The mailbox was just used by a call."""
        self._last_use = self._clock()

    def is_due(self, held: bool) -> bool:
        """Whether a call is due. ``held``: the lease is kept in another way at present."""
        if held or self._clock() - self._last_use < self._pause:
            return False
        self.used()
        return True
