"""Pauses between tries."""

from __future__ import annotations

import random
from typing import Callable


class Backoff:
    """The first pause is within 0 to 0.05 s, the bound doubling up to 2 s.

    Each is drawn evenly from zero to the bound, so that many clients of a sidecar that comes back don't come at once.
    """

    def __init__(self, first: float = 0.05, most: float = 2.0, draw: Callable[[], float] = random.random) -> None:
        self._first = first
        self._most = most
        self._draw = draw
        self._bound = first

    def next(self) -> float:
        """The next pause. Unit: s."""
        pause = self._draw() * self._bound
        self._bound = min(self._bound * 2, self._most)
        return pause

    def reset(self) -> None:
        """Begins again with the first pause."""
        self._bound = self._first
