"""Acknowledges events in the background."""

from __future__ import annotations

import threading
from typing import Callable, Optional

from .._core.calls import acknowledge
from .._core.rules.acknowledgement import AcknowledgementRules
from ..errors import SpreadError
from .rpc import Rpc
from .timers import Timers


class Acknowledger:
    """At most one call is active. Requests during a call are combined into the next call."""

    def __init__(self, rpc: Rpc, timers: Timers, mailbox_id: str, on_failure: Callable[[SpreadError], object]) -> None:
        self._rpc = rpc
        self._timers = timers
        self._mailbox_id = mailbox_id
        self._on_failure = on_failure
        self._lock = threading.Lock()
        self._rules = AcknowledgementRules(rpc.may_pass)

    def request(self, up_to: int) -> None:
        """Acknowledges every event up to and including this one."""
        with self._lock:
            now = self._rules.request(up_to)
        self._send(now)

    def close(self) -> None:
        """Makes no further calls."""
        with self._lock:
            self._rules.close()

    def _send(self, up_to: Optional[int]) -> None:
        if up_to is None:
            return
        self._rpc.begin(acknowledge(self._mailbox_id, up_to), lambda error: self._on_done(up_to, error))

    def _on_done(self, up_to: int, error: Optional[SpreadError]) -> None:
        if error is None:
            with self._lock:
                now = self._rules.succeeded(up_to)
            self._send(now)
            return
        with self._lock:
            action = self._rules.failed(error)
        if action.pause is not None:
            self._timers.after(action.pause, self._retry)
        if action.error is not None:
            self._on_failure(action.error)

    def _retry(self) -> None:
        with self._lock:
            now = self._rules.retry()
        self._send(now)
