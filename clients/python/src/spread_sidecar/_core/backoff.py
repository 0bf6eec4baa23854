"""Delays between retries."""

from __future__ import annotations

import random
from typing import Callable


class Backoff:
    """The first delay is between 0 and 0.05 s. The upper limit doubles up to 2 s.

    Delays are random, so that many clients of a restarted sidecar do not reconnect at the same time.
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
        """Restarts with the first delay."""
        self._bound = self._first
