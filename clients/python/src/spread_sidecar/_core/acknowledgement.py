"""Decides which events to acknowledge next. At most one call is active. Requests during a call are combined."""

from __future__ import annotations

from typing import Callable, Optional

from ..errors import SpreadError
from .backoff import Backoff


class AcknowledgementState:
    """Without I/O; not thread-safe. The methods return the sequence to acknowledge now, or None."""

    def __init__(self, may_pass: Callable[[SpreadError], bool]) -> None:
        self._may_pass = may_pass
        self._backoff = Backoff()
        self._wanted = 0
        self._done = 0
        self._busy = False
        self._closed = False

    def request(self, up_to: int) -> Optional[int]:
        """Acknowledges every event up to and including this one."""
        if up_to > self._wanted:
            self._wanted = up_to
        return None if self._busy else self.next()

    def succeeded(self, up_to: int) -> Optional[int]:
        """The sidecar accepted the acknowledgement."""
        self._done = up_to
        self._backoff.reset()
        self._busy = False
        return self.next()

    def failed(self, error: SpreadError) -> Optional[float]:
        """The pause before ``retry()``, in seconds. None if a retry is useless."""
        if self._closed:
            return None
        if not error.retryable and error.reason and not self._may_pass(error):
            self._closed = True
            return None
        return self._backoff.next()

    def retry(self) -> Optional[int]:
        """Retries after the pause."""
        self._busy = False
        return self.next()

    def next(self) -> Optional[int]:
        """The sequence to acknowledge now. No other call starts until the caller reports its result."""
        if self._closed or self._wanted <= self._done:
            return None
        self._busy = True
        return self._wanted

    @property
    def closed(self) -> bool:
        """Whether no further acknowledgement is sent."""
        return self._closed

    def close(self) -> None:
        """Sends no further acknowledgement."""
        self._closed = True


#: Reasons which only mean that the mailbox does not exist any more.
MAILBOX_GONE = frozenset({"ILLEGAL_SESSION", "LEASE_EXPIRED"})
