"""Keeps a mailbox whose application neither receives nor calls."""

from __future__ import annotations

import time
from typing import Callable

from .timers import Timers


class KeepAlive:
    """The sidecar ends a mailbox that nobody has used for its lease. Asks in thirds of it, when nothing else did."""

    def __init__(self, timers: Timers, lease: float, held: Callable[[], bool], ping: Callable[[], None]) -> None:
        self._timers = timers
        self._pause = max(lease / 3, 0.05)
        self._held = held
        self._ping = ping
        self._last_use = time.monotonic()
        self._timer = timers.after(self._pause / 2, self._check)
        self._closed = False

    def used(self) -> None:
        """The mailbox was just used by a call."""
        self._last_use = time.monotonic()

    def close(self) -> None:
        """Stops."""
        self._closed = True
        self._timer.cancel()

    def _check(self) -> None:
        if self._closed:
            return
        if not self._held() and time.monotonic() - self._last_use >= self._pause:
            self.used()
            self._ping()
        self._timer = self._timers.after(self._pause / 2, self._check)
