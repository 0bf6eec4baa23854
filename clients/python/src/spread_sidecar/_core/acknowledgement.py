"""Which acknowledgement to send next: one call at a time; what is asked for meanwhile goes with the next one."""

from __future__ import annotations

from typing import Callable, Optional

from ..errors import SpreadError
from .backoff import Backoff


class AcknowledgementState:
    """Without input or output; not thread-safe. The answers say up to which event to acknowledge now, if at all."""

    def __init__(self, may_pass: Callable[[SpreadError], bool]) -> None:
        self._may_pass = may_pass
        self._backoff = Backoff()
        self._wanted = 0
        self._done = 0
        self._busy = False
        self._closed = False

    def request(self, up_to: int) -> Optional[int]:
        """The application is done with every event up to and including this one."""
        if up_to > self._wanted:
            self._wanted = up_to
        return None if self._busy else self.next()

    def succeeded(self, up_to: int) -> Optional[int]:
        """The sidecar took it."""
        self._done = up_to
        self._backoff.reset()
        self._busy = False
        return self.next()

    def failed(self, error: SpreadError) -> Optional[float]:
        """The pause after which to ask ``retry()``, in seconds; None: there is no use in it, and never will be."""
        if self._closed:
            return None
        if not error.retryable and error.reason and not self._may_pass(error):
            self._closed = True
            return None
        return self._backoff.next()

    def retry(self) -> Optional[int]:
        """The pause is over."""
        self._busy = False
        return self.next()

    def next(self) -> Optional[int]:
        """What to send now; the sender of it is then busy until it tells how that went."""
        if self._closed or self._wanted <= self._done:
            return None
        self._busy = True
        return self._wanted

    @property
    def closed(self) -> bool:
        """Whether nothing is sent any more."""
        return self._closed

    def close(self) -> None:
        """Nothing is sent any more."""
        self._closed = True


#: Refusals that say no more than that the mailbox is not there any more.
MAILBOX_GONE = frozenset({"ILLEGAL_SESSION", "LEASE_EXPIRED"})
