"""Pauses between retries."""

from __future__ import annotations

import random
from typing import Callable


class Backoff:
    """The first pause is at most 0.05 s, and the maximum doubles up to 2 s.

    Each pause is random, from zero to the maximum, so that the clients of a restarted sidecar do not all retry
    at once.
    """

    def __init__(self, first: float = 0.05, most: float = 2.0, draw: Callable[[], float] = random.random) -> None:
        self._first = first
        self._most = most
        self._draw = draw
        self._bound = first

    def next(self) -> float:
        """The next delay. Unit: s."""
        pause = self._draw() * self._bound
        self._bound = min(self._bound * 2, self._most)
        return pause

    def reset(self) -> None:
        """Restarts with the first pause."""
        self._bound = self._first
