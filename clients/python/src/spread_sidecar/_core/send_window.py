"""The messages in flight of a sender."""

from __future__ import annotations

from collections import deque
from typing import Optional

from ..errors import MessagesRefused, SendOutcome, SpreadError
from ..gen.spread.sidecar.v1 import mailbox_service_pb2 as service
from ..info import OutgoingMessage, SenderProgress
from ..options import SenderOptions
from ..refusal import Refusal
from .durations import to_count
from .outgoing import Outgoing
from .status_names import status_name
from .unreachable import SIDECAR_UNREACHABLE

# Maximum number of messages in a frame.
_BATCH_MESSAGES = 1024
# Maximum number of retained errors if there is no ``on_refused``.
_MAX_KEPT_REFUSALS = 100


def _size_of(message: Outgoing) -> int:
    size = len(message.payload) + 32 * len(message.groups) + 16
    return size if message.headers is None else size + len(message.headers.encoded)


class SendWindow:
    """The messages from ``send`` to the sidecar's response. Without I/O; not thread-safe."""

    def __init__(self, max_messages: int, max_bytes: int, max_batch_bytes: int) -> None:
        self._max_messages = max(1, max_messages)
        self._max_bytes = max_bytes
        self._max_batch_bytes = max_batch_bytes
        # The messages that are not decided, oldest first. The last ones, which are not yet written, are also in
        # _waiting.
        self._in_flight: deque[Outgoing] = deque()
        self._in_flight_bytes = 0
        self._waiting: deque[Outgoing] = deque()
        self._sent = 0
        self._decided = 0
        self._accepted = 0
        self._refusals: list[SpreadError] = []
        self._refused_unheard = 0
        #: No further message is accepted.
        self.closing = False
        #: The error of all later calls.
        self.failure: Optional[SpreadError] = None

    @property
    def progress(self) -> SenderProgress:
        """The progress."""
        return SenderProgress(self._sent, self._decided, self._accepted)

    @property
    def sent(self) -> int:
        """Number of messages passed to ``add``."""
        return self._sent

    @property
    def decided(self) -> int:
        """Number of messages that were passed to the daemon or rejected."""
        return self._decided

    @property
    def full(self) -> bool:
        """Whether senders must wait."""
        count = len(self._in_flight)
        return count >= self._max_messages or (self._in_flight_bytes >= self._max_bytes and count > 0)

    @property
    def has_waiting(self) -> bool:
        """Whether there are messages to write."""
        return len(self._waiting) > 0

    @property
    def undecided(self) -> list[OutgoingMessage]:
        """The sent messages that were neither passed to the daemon nor rejected, oldest first."""
        return [message.to_public() for message in self._in_flight]

    def check_open(self) -> None:
        """Raises if no message can be sent."""
        if self.failure:
            raise self.failure.with_traceback(None)
        if self.closing:
            raise SpreadError("the sender is closed", status="FAILED_PRECONDITION", outcome="not-sent")

    def add(self, message: Outgoing) -> None:
        """Adds a message."""
        self._sent += 1
        self._in_flight.append(message)
        self._in_flight_bytes += _size_of(message)
        self._waiting.append(message)

    def take_batch(self) -> list[Outgoing]:
        """The messages of the next frame. Empty if none waits."""
        waiting = self._waiting
        messages: list[Outgoing] = []
        size = 0
        while waiting and len(messages) < _BATCH_MESSAGES and (size < self._max_batch_bytes or not messages):
            message = waiting.popleft()
            messages.append(message)
            size += _size_of(message)
        return messages

    def answered(self, answer: service.MulticastStreamResponse) -> list[Refusal]:
        """Handles a response. Returns the rejected messages."""
        in_flight = self._in_flight
        count = min(answer.decided - self._decided, len(in_flight))
        for _ in range(count):
            self._in_flight_bytes -= _size_of(in_flight.popleft())
        self._decided += max(count, 0)
        self._accepted = answer.accepted
        return [_to_refusal(refusal) for refusal in answer.refusals]

    def keep_refusal(self, refusal: Refusal) -> None:
        """Stores a rejected message for the next ``check_refusals``."""
        self._refused_unheard += 1
        if len(self._refusals) < _MAX_KEPT_REFUSALS:
            self._refusals.append(refusal.error)

    def check_refusals(self) -> None:
        """Raises the rejected messages since the last call, if there is no ``on_refused``."""
        if self._refused_unheard == 0:
            return
        refused = MessagesRefused(tuple(self._refusals), self._refused_unheard)
        self._refusals = []
        self._refused_unheard = 0
        raise refused

    def outcome_of(self, error: SpreadError) -> SendOutcome:
        """The outcome of undecided messages when the stream ended with this error.

        The sidecar may report that it passed none of them to the daemon.
        """
        known = self._decided == self._sent or error.reason == SIDECAR_UNREACHABLE or error.metadata.get("outcome") == "not-sent"
        return "not-sent" if known else "unknown"

    def aborted(self) -> SpreadError:
        """The error after an abort."""
        outcome: SendOutcome = "not-sent" if self._decided == self._sent else "unknown"
        return SpreadError("the sender was aborted", status="CANCELLED", outcome=outcome)

    def ended_early(self) -> Optional[SpreadError]:
        """The error if the sidecar ended the stream too early without an error. None if it was not too early.
        """
        if self.closing and self._decided >= self._sent:
            return None
        message = "the sidecar ended the stream before it accepted or rejected all messages"
        return SpreadError(message, status="UNAVAILABLE", outcome="unknown")

    def fail(self, error: SpreadError) -> bool:
        """Sets the error of all later calls. Returns False if there is one already."""
        if self.failure:
            return False
        self.failure = error
        self._waiting.clear()
        return True


def _to_refusal(refusal: service.MulticastRefusal) -> Refusal:
    status = status_name(refusal.status_code)
    unknown = refusal.metadata.get("outcome") == "unknown"
    error = SpreadError(
        refusal.status_message,
        status=status,
        reason=refusal.reason,
        domain=refusal.domain,
        metadata={**refusal.metadata, "index": str(refusal.index)},
        retryable=status == "UNAVAILABLE",
        outcome="unknown" if unknown else "not-sent",
    )
    return Refusal(refusal.index, error)


def new_window(options: SenderOptions) -> SendWindow:
    """The window for these options."""
    return SendWindow(
        to_count(options.get("max_in_flight_messages", 10_000), "max_in_flight_messages"),
        to_count(options.get("max_in_flight_bytes", 4 * 1024 * 1024), "max_in_flight_bytes"),
        to_count(options.get("max_batch_bytes", 1024 * 1024), "max_batch_bytes"),
    )
