"""Waiting until a sidecar responds."""

from __future__ import annotations

import random
import time
from typing import Callable

from ...errors import SpreadError
from ...info import SidecarVersion
from ..local_errors import check_timeout, timeout_error
from .backoff import ready_backoff

# C7
_REPEATED_STATUSES = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED"})


class ReadyWait:
    """Decides when to retry and when to stop (C7). Without I/O."""

    def __init__(
        self,
        target: str,
        timeout: float,
        daemon: bool,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        check_timeout(timeout)
        self._target = target
        self._timeout = timeout
        self._daemon = daemon
        self._clock = clock
        self._deadline = clock() + timeout
        self._backoff = ready_backoff(draw)
        self._last = ""

    def remaining(self) -> float:
        """Timeout of the next call. Raises if no time is left. Unit: s."""
        remaining = self._deadline - self._clock()
        if remaining <= 0:
            last = self._last or "no response"
            raise timeout_error(f"the sidecar at {self._target} was not ready within {self._timeout:g} s: {last}")
        return remaining

    def is_ready(self, version: SidecarVersion) -> bool:
        """Whether this response is sufficient."""
        self._last = "the sidecar is not connected to its daemon"
        return not self._daemon or version.daemon is not None

    def failed(self, error: SpreadError) -> None:
        """Records a failed call. Raises it if waiting does not help."""
        if error.status not in _REPEATED_STATUSES:
            raise error
        # The last call can end with the wait's own deadline, which is not the reason.
        if error.status == "UNAVAILABLE" or not self._last:
            self._last = error.message

    def pause(self) -> float:
        """Pause before the next call. Unit: s."""
        return min(self._backoff.next(), max(self._deadline - self._clock(), 0.0))
