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
from spread_sidecar._core.local_errors import disconnected, timeout_error
from spread_sidecar._core.rules.failures import is_transport_failure

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
            self._send_on_next(sender, error, service, groups, payload, message_type)

    def flush(self) -> None:
        """Waits until the daemon connection has accepted all earlier messages. Raises as ``send``."""
        sender = self._sender
        if sender is not None:
            sender.flush()

    def close(self, timeout: Optional[float]) -> None:
        """Flushes the messages and ends the stream. Raises as ``send``, and after the timeout. Unit: seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        self._closed = True
        # A thread that renews the stream holds the lock until the sidecar has answered all messages in flight.
        if not self._lock.acquire(timeout=-1 if timeout is None else timeout):
            doing = "waiting for the sidecar to accept or reject messages"
            raise timeout_error(f"the timeout of {timeout:g} s passed while {doing}")
        try:
            sender, self._sender = self._sender, None
        finally:
            self._lock.release()
        if sender is not None:
            sender.close(timeout=None if deadline is None else max(0.0, deadline - time.monotonic()))

    def _send_on_next(
        self,
        sender: Sender,
        error: spread_sidecar.SpreadError,
        service: int,
        groups: tuple[str, ...],
        payload: bytes,
        message_type: int,
    ) -> None:
        """Sends a message that ``sender`` did not take, because of ``error``, on a later stream."""
        failed = False
        while True:
            # An open stream rejects only invalid arguments.
            if not sender.closed:
                raise error
            # Another thread may renew the stream after this thread has chosen it, any number of times. A message
            # replaces only one stream that failed.
            if not _is_closed_sender(error):
                if failed:
                    raise error
                failed = True
            sender = self._renewed(sender)
            try:
                sender.send(service, groups, payload, message_type)
                return
            except spread_sidecar.SpreadError as next_error:
                error = next_error

    def _renewed(self, old: Optional[Sender]) -> Sender:
        """Returns the next stream after ``old``. Waits until ``old`` has no messages in flight.

        Raises the error of ``old`` if another stream cannot continue without the loss of a message.
        """
        with self._lock:
            if self._closed:
                raise disconnected()
            current = self._sender
            if current is None or current is old:
                if current is not None:
                    _end(current)
                current = self._sender = self._mailbox.sender(on_refused=_ignore)
                self._renew_at = time.monotonic() + _MAX_AGE
            return current


def _end(sender: Sender) -> None:
    """Flushes and ends a stream. Raises its error if another stream cannot continue without the loss of a message.

    Also waits for a stream that is already closing: an interrupted ``close`` leaves messages in flight.
    """
    try:
        sender.close()
    except spread_sidecar.SpreadError as error:
        is_replaceable = is_transport_failure(error) or error.status == "UNAUTHENTICATED"
        if sender.undecided or not is_replaceable:
            raise


def _is_closed_sender(error: spread_sidecar.SpreadError) -> bool:
    """Whether a call failed because the stream was closed, not because it broke."""
    return error.status == "FAILED_PRECONDITION" and not error.reason


def _ignore(refusal: Refusal) -> None:
    """Everything was checked before, except destinations to which a daemon does not deliver either."""
