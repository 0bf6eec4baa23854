"""Pauses between retries."""

from __future__ import annotations

import random
from typing import Callable

# B1. Unit: s.
_FIRST_BOUND = 0.05
_LARGEST_BOUND = 2.0
# B3. Unit: s.
_LARGEST_READY_BOUND = 0.5


class Backoff:
    """Each pause is random, so that the clients of a restarted sidecar do not all retry at once."""

    def __init__(self, draw: Callable[[], float] = random.random, largest_bound: float = _LARGEST_BOUND) -> None:
        self._draw = draw
        self._largest_bound = largest_bound
        self._bound = _FIRST_BOUND

    def next(self) -> float:
        """The next pause. Unit: s."""
        # B1
        pause = self._draw() * self._bound
        self._bound = min(self._bound * 2, self._largest_bound)
        return pause

    def reset(self) -> None:
        """Restarts with the first pause, after a success (B2)."""
        self._bound = _FIRST_BOUND


def ready_backoff(draw: Callable[[], float] = random.random) -> Backoff:
    """The pauses of a wait for the sidecar (B3)."""
    return Backoff(draw, _LARGEST_READY_BOUND)
