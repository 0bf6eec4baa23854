"""Decides which events to acknowledge next, and what to do after a failure."""

from __future__ import annotations

import random
from typing import Callable, NamedTuple, Optional

from ...errors import SpreadError
from .backoff import Backoff
from .failures import has_mailbox_ended


class FailedAcknowledgement(NamedTuple):
    """The action after a failed call."""

    #: The pause before ``retry()``. None: no further acknowledgement is sent. Unit: s.
    pause: Optional[float] = None
    #: The error that ends receiving.
    error: Optional[SpreadError] = None


_STOP = FailedAcknowledgement()


class AcknowledgementRules:
    """Without I/O; not thread-safe. The methods return the sequence to acknowledge now, or None."""

    def __init__(self, may_pass: Callable[[SpreadError], bool], draw: Callable[[], float] = random.random) -> None:
        self._may_pass = may_pass
        self._backoff = Backoff(draw)
        self._wanted = 0
        self._done = 0
        self._busy = False
        self._closed = False

    def request(self, up_to: int) -> Optional[int]:
        """Acknowledges every event up to and including this one."""
        if up_to > self._wanted:
            self._wanted = up_to
        return None if self._busy else self._next()

    def succeeded(self, up_to: int) -> Optional[int]:
        """The sidecar accepted the acknowledgement."""
        self._done = up_to
        # B2
        self._backoff.reset()
        self._busy = False
        return self._next()

    def failed(self, error: SpreadError) -> FailedAcknowledgement:
        """Handles a failed call."""
        if self._closed:
            return _STOP
        # A2
        if has_mailbox_ended(error):
            self._closed = True
            return _STOP
        # A3
        if self._may_pass(error) or error.retryable or not error.reason:
            return FailedAcknowledgement(pause=self._backoff.next())
        # A4
        self._closed = True
        return FailedAcknowledgement(error=error)

    def retry(self) -> Optional[int]:
        """Retries after the pause (A3)."""
        self._busy = False
        return self._next()

    def close(self) -> None:
        """Sends no further acknowledgement."""
        self._closed = True

    def _next(self) -> Optional[int]:
        """The sequence to acknowledge now. No other call starts until the caller reports its result (A1)."""
        if self._closed or self._wanted <= self._done:
            return None
        self._busy = True
        return self._wanted
