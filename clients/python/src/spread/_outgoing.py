"""The messages of a program on their way to the daemon.

As in the C library, a multicast does not wait until the daemon gets the message. In the C library, a buffer of
the kernel takes the messages. Here, the window of one stream to the sidecar does. Both are limited, and a
program that sends more waits.
"""

from __future__ import annotations

import threading
import time
from typing import Optional

import spread_sidecar
from spread_sidecar import Mailbox, Refusal, Sender
from spread_sidecar._core.local_errors import disconnected
from spread_sidecar._core.rich_status import is_transport_failure

#: Age after which a stream is flushed and replaced before the next message. A sidecar that limits the age of
#: connections lets their streams continue for longer than this by default, so that no message is lost. Unit:
#: seconds.
_MAX_AGE = 30.0


class OutgoingMessages:
    """The messages of a mailbox, in the order of sending. Thread-safe."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._lock = threading.Lock()
        self._sender: Optional[Sender] = None
        self._renew_at = 0.0
        self._closed = False

    def send(self, service: int, groups: tuple[str, ...], payload: bytes, message_type: int) -> None:
        """Sends a message. Waits only at the limit of messages in flight.

        Raises spread_sidecar.SpreadError: ILLEGAL_SERVICE, or the error of the stream. In the second case,
        earlier messages may be lost, and no message can be sent.
        """
        sender = self._sender
        if sender is None or time.monotonic() >= self._renew_at:
            sender = self._renewed(sender)
        try:
            sender.send(service, groups, payload, message_type)
        except spread_sidecar.SpreadError as error:
            if not self._may_renew(sender, error):
                raise
            self._renewed(sender).send(service, groups, payload, message_type)

    def flush(self) -> None:
        """Waits until the daemon connection has accepted all earlier messages. Raises as ``send``."""
        sender = self._sender
        if sender is None:
            return
        try:
            sender.flush()
        except spread_sidecar.SpreadError as error:
            if not self._may_renew(sender, error):
                raise

    def close(self, timeout: Optional[float]) -> None:
        """Flushes and ends the stream. Raises as ``send``, and after the timeout."""
        with self._lock:
            self._closed = True
            sender, self._sender = self._sender, None
        if sender is not None:
            sender.close(timeout=timeout)

    def _renewed(self, old: Optional[Sender]) -> Sender:
        """Returns the next stream. The old one has no messages in flight."""
        with self._lock:
            current = self._sender
            if self._closed:
                raise disconnected()
            if current is None or current is old:
                if old is not None and not old.closed:
                    old.close()
                current = self._sender = self._mailbox.sender(on_refused=_ignore)
                self._renew_at = time.monotonic() + _MAX_AGE
            return current

    def _may_renew(self, sender: Sender, error: spread_sidecar.SpreadError) -> bool:
        """Whether another stream can continue without the loss of a message."""
        if sender is not self._sender:
            # Another thread has flushed and replaced it.
            return True
        if not sender.closed or sender.undecided:
            return False
        return is_transport_failure(error) or error.status in ("UNAUTHENTICATED", "FAILED_PRECONDITION")


def _ignore(refusal: Refusal) -> None:
    """Everything was checked before, except destinations to which a daemon does not deliver either."""
