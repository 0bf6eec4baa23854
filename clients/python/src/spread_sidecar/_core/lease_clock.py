"""Decides when to renew the lease of a mailbox that is not used."""

from __future__ import annotations

import time
from typing import Callable


class LeaseClock:
    """The sidecar ends a mailbox that is unused for its lease. Renews it after each third of the lease without
    other use.
    """

    def __init__(self, lease: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause = max(lease / 3, 0.05)
        self._clock = clock
        self._last_use = clock()

    @property
    def interval(self) -> float:
        """Interval of the checks. Unit: s."""
        # Timers have a maximum.
        return min(self._pause / 2, 1e6)

    def used(self) -> None:
        """Records that a call used the mailbox."""
        self._last_use = self._clock()

    def is_due(self, held: bool) -> bool:
        """Whether to renew now. ``held``: whether a stream keeps the lease now."""
        if held or self._clock() - self._last_use < self._pause:
            return False
        self.used()
        return True
