"""Decides when to renew the lease of a mailbox that is not used."""

from __future__ import annotations

import time
from typing import Callable

# K1. Unit: s.
_SHORTEST_PAUSE = 0.05
# Timers have a maximum. Unit: s.
_LONGEST_INTERVAL = 1e6


class LeaseRules:
    """The sidecar ends a mailbox that is unused for its lease."""

    def __init__(self, lease: float, clock: Callable[[], float] = time.monotonic) -> None:
        # K1
        self._pause = max(lease / 3, _SHORTEST_PAUSE)
        self._clock = clock
        self._last_use = clock()

    @property
    def interval(self) -> float:
        """Interval of the checks (K2). Unit: s."""
        return min(self._pause / 2, _LONGEST_INTERVAL)

    def used(self) -> None:
        """Records that a call used the mailbox."""
        self._last_use = self._clock()

    def is_due(self, attached: bool) -> bool:
        """Whether to renew the lease now (K1). ``attached``: whether a stream keeps the lease now."""
        if attached or self._clock() - self._last_use < self._pause:
            return False
        # T2, K3: the next call comes after a full pause, even if this one is late or fails.
        self.used()
        return True
