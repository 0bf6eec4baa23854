"""The next acknowledgement to send: one call at a time. Requests that arrive meanwhile share the next call."""

from __future__ import annotations

from typing import Callable, Optional

from ..errors import SpreadError
from .backoff import Backoff


class AcknowledgementState:
    """Without input or output; not thread-safe. Methods return the sequence up to which to acknowledge now, or
    None.
    """

    def __init__(self, may_pass: Callable[[SpreadError], bool]) -> None:
        self._may_pass = may_pass
        self._backoff = Backoff()
        self._wanted = 0
        self._done = 0
        self._busy = False
        self._closed = False

    def request(self, up_to: int) -> Optional[int]:
        """The application has processed every event up to and including this one."""
        if up_to > self._wanted:
            self._wanted = up_to
        return None if self._busy else self.next()

    def succeeded(self, up_to: int) -> Optional[int]:
        """The sidecar has accepted the acknowledgement."""
        self._done = up_to
        self._backoff.reset()
        self._busy = False
        return self.next()

    def failed(self, error: SpreadError) -> Optional[float]:
        """The delay before ``retry()``, in seconds. None: a retry cannot succeed."""
        if self._closed:
            return None
        if not error.retryable and error.reason and not self._may_pass(error):
            self._closed = True
            return None
        return self._backoff.next()

    def retry(self) -> Optional[int]:
        """The delay has passed."""
        self._busy = False
        return self.next()

    def next(self) -> Optional[int]:
        """The acknowledgement to send now. No other is sent until ``succeeded`` or ``failed`` is called."""
        if self._closed or self._wanted <= self._done:
            return None
        self._busy = True
        return self._wanted

    @property
    def closed(self) -> bool:
        """Whether acknowledgement has ended."""
        return self._closed

    def close(self) -> None:
        """Ends acknowledgement."""
        self._closed = True


#: Refusals that say no more than that the mailbox is not there any more.
MAILBOX_GONE = frozenset({"ILLEGAL_SESSION", "LEASE_EXPIRED"})
