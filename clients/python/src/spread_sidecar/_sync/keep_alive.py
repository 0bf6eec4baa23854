"""Renews the lease of a mailbox whose application neither receives nor calls."""

from __future__ import annotations

from typing import Callable

from .._core.rules.lease import LeaseRules
from .timers import Timers


class KeepAlive:
    """Calls ``ping`` while the mailbox is not used."""

    def __init__(self, timers: Timers, lease: float, held: Callable[[], bool], ping: Callable[[], None]) -> None:
        self._timers = timers
        self._rules = LeaseRules(lease)
        self._held = held
        self._ping = ping
        self._closed = False
        self._timer = timers.after(self._rules.interval, self._check)

    def used(self) -> None:
        """Records that a call used the mailbox."""
        self._rules.used()

    def close(self) -> None:
        """Stops."""
        self._closed = True
        self._timer.cancel()

    def _check(self) -> None:
        if self._closed:
            return
        if self._rules.is_due(self._held()):
            self._ping()
        self._timer = self._timers.after(self._rules.interval, self._check)
