"""Waits for a sidecar that starts."""

from __future__ import annotations

import time

from ..errors import SpreadError
from ..info import SidecarVersion
from .backoff import Backoff
from .local_errors import check_timeout, timeout_error


class ReadyWait:
    """Decides when to retry and when to stop. Without input or output."""

    def __init__(self, target: str, timeout: float, daemon: bool) -> None:
        check_timeout(timeout)
        self._target = target
        self._timeout = timeout
        self._daemon = daemon
        self._deadline = time.monotonic() + timeout
        self._backoff = Backoff(0.05, 0.5)
        self._last = "it did not answer"

    def remaining(self) -> float:
        """Time for the next check; raises if no time is left. Unit: s."""
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise timeout_error(f"{self._target} was not ready within {self._timeout:g} s: {self._last}")
        return remaining

    def is_ready(self, version: SidecarVersion) -> bool:
        """The sidecar responded."""
        self._last = "the sidecar is not connected to its daemon"
        return not self._daemon or version.daemon is not None

    def failed(self, error: SpreadError) -> None:
        """The sidecar did not respond. Raises a permanent failure."""
        if error.status not in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
            raise error
        self._last = error.message

    def pause(self) -> float:
        """Delay until the next check. Unit: s."""
        return min(self._backoff.next(), max(self._deadline - time.monotonic(), 0.0))
