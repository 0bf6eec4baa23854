"""The meaning of frames of Receive streams, and what to do when a stream breaks."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Callable, NamedTuple, Optional, Sequence

from ..errors import SIDECAR_DOMAIN, SpreadError
from ..events import SpreadEvent
from ..gen.spread.sidecar.v1 import mailbox_service_pb2 as service
from ..notices import Attached, Notice, SlowConsumer
from .backoff import Backoff
from .durations import to_datetime, to_duration, to_seconds
from .from_event import decode_batch
from .unreachable import SIDECAR_UNREACHABLE

# A connection without any frame for this number of heartbeat intervals counts as broken.
SILENT_INTERVALS = 3
# Maximum number of consecutive attempts that get no further event of an ended mailbox.
_MAX_EMPTY_ATTEMPTS = 3
# Timeout for an unreachable sidecar when the last events of an ended mailbox are fetched. Unit: s.
_FETCH_SECONDS = 2.0
# Reasons that end a stream but not its mailbox. Attaching again would replace the new receiver, or fail again.
_STREAM_ONLY_REASONS = frozenset({"RECEIVER_REPLACED", "SEQUENCE_NOT_RETAINED"})

#: After a disconnect, maximum time to wait for the end of the stream. Unit: s.
FINISH_SECONDS = 1.0


def is_mailbox_alive(error: SpreadError) -> bool:
    """Whether the mailbox still exists after this error ended the stream."""
    return error.reason in _STREAM_ONLY_REASONS


@dataclass(frozen=True)
class ReceivePlan:
    """The settings of a receiver."""

    mailbox_id: str
    #: The sequence before the first wanted event.
    after_sequence: int
    max_outstanding_events: int
    max_outstanding_bytes: int
    #: Interval of the sidecar's heartbeats on an idle stream. 0 disables them. Unit: s.
    heartbeat_interval: float
    #: Time after a break during which the receiver tries to attach again. Afterwards the mailbox has expired.
    #: Unit: s.
    give_up_after: float


class Received(NamedTuple):
    """The content of a frame."""

    events: Sequence[SpreadEvent] = ()
    notice: Optional[Notice] = None
    #: Set together with an Attached notice.
    private_group: str = ""
    #: The error of a gap in the sequences. It ends the receiver, after the events.
    failure: Optional[SpreadError] = None


class Verdict(NamedTuple):
    """The action after a stream ended with an error."""

    #: The error that ends the receiver. None to attach again.
    end: Optional[SpreadError]
    #: The pause before attaching again. Unit: s.
    pause: float
    #: Whether the stream was attached before.
    detached: bool


@dataclass
class _MailboxEnd:
    """The end of the mailbox, while its last events are still being fetched."""

    error: SpreadError
    last: int
    fetched_to: int = -1
    empty_attempts: int = 0


_NOTHING = Received()


class ReceiveRules:
    """Tracks the sequence over all streams of a mailbox, so that every event arrives once and in order.

    Without I/O; not thread-safe.
    """

    def __init__(
        self,
        plan: ReceivePlan,
        may_pass: Callable[[SpreadError], bool],
        clock: Callable[[], float] = time.monotonic,
        target: str = "",
    ) -> None:
        self._plan = plan
        self._may_pass = may_pass
        self._target = target
        self._clock = clock
        self._backoff = Backoff()
        self._last = plan.after_sequence
        self._broken_since = clock()
        self._end_seen: Optional[_MailboxEnd] = None
        #: Whether a stream is attached. An attached stream keeps the mailbox's lease.
        self.attached = False

    @property
    def last_sequence(self) -> int:
        """The sequence of the last received event."""
        return self._last

    def begin(self) -> None:
        """Called before the first stream is opened."""
        self._broken_since = self._clock()

    def request(self) -> service.ReceiveRequest:
        """The request of the next stream."""
        plan = self._plan
        interval = plan.heartbeat_interval
        return service.ReceiveRequest(
            mailbox_id=plan.mailbox_id,
            after_sequence=self._last,
            max_outstanding_events=plan.max_outstanding_events,
            max_outstanding_bytes=plan.max_outstanding_bytes,
            heartbeat_interval=to_duration(interval, "heartbeat_interval") if interval > 0 else None,
        )

    def take(self, response: service.ReceiveResponse) -> Received:
        """Handles a received frame."""
        kind = response.WhichOneof("frame")
        if kind == "batch":
            batch = decode_batch(response.batch, self._last)
            self._last = batch.last
            failure = None if batch.gap is None else self._gap(batch.gap)
            return Received(batch.events, failure=failure)
        if kind == "attached":
            return self._take_attached(response.attached)
        if kind == "heartbeat":
            last = response.heartbeat.last_sequence
            return Received(failure=self._gap(last)) if last > self._last else _NOTHING
        if kind == "slow_consumer":
            return Received(notice=_to_slow_consumer(response.slow_consumer))
        return _NOTHING

    def broken(self, error: SpreadError) -> Verdict:
        """Handles a stream that ended with an error or could not be opened."""
        was_attached = self.attached
        self.attached = False
        if was_attached:
            self._broken_since = self._clock()
        may_pass = self._may_pass(error)
        end = self._error_after_break(error) if may_pass else self._error_after_end(error)
        return Verdict(end, 0.0 if end else self._backoff.next(), may_pass and was_attached)

    @property
    def fetching_rest(self) -> bool:
        """Whether the mailbox has ended and only its last events are missing."""
        return self._end_seen is not None

    def _take_attached(self, info: service.ReceiveAttached) -> Received:
        if info.next_sequence != self._last + 1:
            return Received(failure=self._gap(info.next_sequence))
        self.attached = True
        self._backoff.reset()
        return Received(notice=Attached(info.next_sequence, tuple(info.groups)), private_group=info.private_group)

    def _gap(self, sequence: int) -> SpreadError:
        self.attached = False
        message = f"event {self._last + 1} is missing: the sidecar is already at sequence {sequence}"
        return SpreadError(message, status="DATA_LOSS")

    def _error_after_break(self, error: SpreadError) -> Optional[SpreadError]:
        """The error that ends the mailbox after a broken stream. None to attach again."""
        silent = self._clock() - self._broken_since
        seen = self._end_seen
        if seen and silent >= _FETCH_SECONDS:
            return _with_missing(seen.error, self._last)
        if silent < self._plan.give_up_after:
            return None
        return error if error.status == "UNAUTHENTICATED" else _gave_up(error, self._plan.give_up_after, self._target)

    def _error_after_end(self, error: SpreadError) -> Optional[SpreadError]:
        """The error that ends the mailbox after the sidecar ended its stream. None to attach again.

        When a stream ends with an error, gRPC discards frames that it received but did not deliver. The error
        contains the last sequence. The receiver attaches again while events are missing and attempts return
        some, and reports the error after these events.
        """
        if is_mailbox_alive(error):
            return error
        if self._end_seen is None:
            self._end_seen = _MailboxEnd(error, _last_sequence_of(error))
        seen = self._end_seen
        if seen.last <= self._last:
            return seen.error
        seen.empty_attempts = seen.empty_attempts + 1 if seen.fetched_to == self._last else 0
        seen.fetched_to = self._last
        # An error without a last sequence, such as NOT_FOUND, means that no events can be fetched.
        can_stop = _last_sequence_of(error) <= self._last or seen.empty_attempts >= _MAX_EMPTY_ATTEMPTS
        return _with_missing(seen.error, self._last) if can_stop else None


def _last_sequence_of(error: SpreadError) -> int:
    text = error.metadata.get("last_sequence", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else 0


def _with_missing(error: SpreadError, received: int) -> SpreadError:
    lost = f"{error.message}; events {received + 1} to {error.metadata.get('last_sequence')} are lost"
    result = SpreadError(
        lost,
        status=error.status,
        reason=error.reason,
        domain=error.domain,
        metadata={**error.metadata, "received_sequence": str(received)},
        retryable=error.retryable,
        retry_delay=error.retry_delay,
    )
    result.grpc_error = error.grpc_error
    return result


def _gave_up(error: SpreadError, after: float, target: str) -> SpreadError:
    message = f"the sidecar could not be reached for {after:g} s (the lease of the mailbox): {error.message}"
    # The cause is the error of the last attempt. It must not be the CANCELLED of a stream that this client
    # cancelled.
    return SpreadError(
        message,
        status="UNAVAILABLE",
        reason=SIDECAR_UNREACHABLE,
        domain=SIDECAR_DOMAIN,
        metadata={"target": target},
    )


def _to_slow_consumer(notice: service.SlowConsumerNotice) -> SlowConsumer:
    return SlowConsumer(
        queued_events=notice.queued_events,
        queued_bytes=notice.queued_bytes,
        mark_events=notice.mark_events,
        mark_bytes=notice.mark_bytes,
        time_left=to_seconds(notice.time_left) if notice.HasField("time_left") else None,
        time=to_datetime(notice.time) if notice.HasField("time") else None,
    )
