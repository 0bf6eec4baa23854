"""The messages in flight of a sender."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple, Optional

from ...errors import MessagesRefused, SendOutcome, SpreadError
from ...gen.spread.sidecar.v1 import mailbox_service_pb2 as service
from ...info import OutgoingMessage, SenderProgress
from ...options import SenderOptions
from ...refusal import Refusal
from ..durations import to_count
from ..local_errors import invalid_response
from ..outgoing import Outgoing
from ..status_names import status_name
from ..unreachable import NOT_A_SIDECAR, SIDECAR_UNREACHABLE

# S3
_BATCH_MESSAGES = 1024
# S4: the share of the limits after which a frame requests a response.
_REQUEST_SHARE = 4
# S7
_NOTHING_SENT = frozenset({SIDECAR_UNREACHABLE, NOT_A_SIDECAR})
# S6
_MAX_KEPT_REFUSALS = 100


def _size_of(message: Outgoing) -> int:
    """The size of a message (S1)."""
    size = len(message.payload) + 32 * len(message.groups) + 16
    return size if message.headers is None else size + len(message.headers.encoded)


class Frame(NamedTuple):
    """The content of a frame."""

    #: Empty if the frame only requests a response.
    messages: list[Outgoing]
    #: Whether the frame requests a response.
    respond: bool


class SendWindow:
    """The messages from ``send`` to the sidecar's response. Without I/O; not thread-safe."""

    def __init__(self, max_messages: int, max_bytes: int, max_batch_bytes: int) -> None:
        self._max_messages = max(1, max_messages)
        self._max_bytes = max_bytes
        self._max_batch_bytes = max_batch_bytes
        self._request_messages = self._max_messages / _REQUEST_SHARE
        self._request_bytes = max_bytes / _REQUEST_SHARE
        # The messages that are not decided, oldest first. The last ones, which are not yet written, are also in
        # _waiting.
        self._in_flight: deque[Outgoing] = deque()
        self._in_flight_bytes = 0
        self._waiting: deque[Outgoing] = deque()
        self._sent = 0
        self._decided = 0
        self._accepted = 0
        # A flush waits for the messages 1 to this number.
        self._awaited = 0
        # The messages 1 to this number have a response, or a requested one.
        self._requested = 0
        # Size of the written messages since the last requested response.
        self._unrequested_bytes = 0
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
    def in_flight(self) -> int:
        """Number of messages in flight (S1)."""
        return len(self._in_flight)

    @property
    def full(self) -> bool:
        """Whether senders must wait (S2)."""
        count = len(self._in_flight)
        return count >= self._max_messages or (self._in_flight_bytes >= self._max_bytes and count > 0)

    @property
    def has_frame(self) -> bool:
        """Whether there is a frame to write."""
        return len(self._waiting) > 0 or self._is_request_missing

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

    def flush(self) -> int:
        """Requests a response for all earlier messages. Returns their number."""
        if self.failure is None:
            self._awaited = self._sent
        return self._sent

    def next_frame(self) -> Optional[Frame]:
        """The next frame to write. None if there is nothing to write."""
        waiting = self._waiting
        messages: list[Outgoing] = []
        size = 0
        # S3
        while waiting and len(messages) < _BATCH_MESSAGES and (size < self._max_batch_bytes or not messages):
            message = waiting.popleft()
            messages.append(message)
            size += _size_of(message)
        written = self._sent - len(waiting)
        self._unrequested_bytes += size
        # S4
        is_request_missing = self._is_request_missing
        if not messages and not is_request_missing:
            return None
        respond = (
            (is_request_missing and written >= self._awaited)
            or written - self._requested >= self._request_messages
            or self._unrequested_bytes >= self._request_bytes
        )
        if respond:
            self._requested = written
            self._unrequested_bytes = 0
        return Frame(messages, respond)

    def answered(self, answer: service.MulticastStreamResponse) -> list[Refusal]:
        """Handles a response. Returns the rejected messages. Raises if the response violates the contract."""
        decided = answer.decided
        written = self._sent - len(self._waiting)
        # S9
        if decided > written:
            raise _violation(f"decides {decided} messages, but the client has written {written}")
        if decided < self._decided:
            raise _violation(f"decides {decided} messages after a response that decided {self._decided}")
        in_flight = self._in_flight
        for _ in range(decided - self._decided):
            self._in_flight_bytes -= _size_of(in_flight.popleft())
        self._decided = decided
        self._accepted = answer.accepted
        return [_to_refusal(refusal) for refusal in answer.refusals]

    def keep_refusal(self, refusal: Refusal) -> None:
        """Stores a rejected message for the next ``check_refusals`` (S6)."""
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
        """The outcome of undecided messages when the stream ended with this error (S7).

        The sidecar may report that it passed none of them to the daemon.
        """
        known = (
            self._decided == self._sent
            or error.reason in _NOTHING_SENT
            or error.metadata.get("outcome") == "not-sent"
        )
        return "not-sent" if known else "unknown"

    def aborted(self) -> SpreadError:
        """The error after an abort."""
        outcome: SendOutcome = "not-sent" if self._decided == self._sent else "unknown"
        return SpreadError("the sender was aborted", status="CANCELLED", outcome=outcome)

    def ended_early(self) -> Optional[SpreadError]:
        """The error if the sidecar ended the stream too early without an error (S8). None if it was not too early
        (S5).
        """
        if self.closing and self._decided >= self._sent:
            return None
        message = "the sidecar ended the stream before it accepted or rejected all messages"
        return SpreadError(message, status="UNAVAILABLE", outcome="unknown")

    def fail(self, error: SpreadError) -> bool:
        """Sets the error of all later calls (S7). Returns False if there is one already."""
        if self.failure:
            return False
        self.failure = error
        self._waiting.clear()
        self._awaited = 0
        return True

    @property
    def _is_request_missing(self) -> bool:
        """Whether a flush waits for messages that no request covers."""
        return self._requested < self._awaited and self._decided < self._awaited


def _violation(problem: str) -> SpreadError:
    error = invalid_response("MulticastStream", problem)
    error.outcome = "unknown"
    return error


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
