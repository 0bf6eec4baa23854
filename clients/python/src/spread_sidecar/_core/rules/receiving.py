"""The meaning of frames of Receive streams, and what to do when a stream breaks."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Callable, NamedTuple, Optional, Sequence

from ...errors import SIDECAR_DOMAIN, SpreadError
from ...events import SpreadEvent
from ...gen.spread.sidecar.v1 import mailbox_service_pb2 as service
from ...notices import Attached, Notice, SlowConsumer
from ..durations import to_datetime, to_duration, to_seconds
from ..from_event import decode_batch
from ..local_errors import silence
from ..unreachable import SIDECAR_UNREACHABLE
from .backoff import Backoff
from .failures import ends_stream_only

# R7, R8
_SILENT_INTERVALS = 3
# R8. Unit: s.
_SHORTEST_ATTACH_LIMIT = 0.1
# R12
_MAX_EMPTY_ATTEMPTS = 3
# R12. Unit: s.
_FETCH_SECONDS = 2.0

#: After a disconnect, maximum time to wait for the end of the stream (C5). Unit: s.
FINISH_SECONDS = 1.0


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
    #: Time after a break during which the receiver tries to attach again (R10): the lease of the mailbox. Unit: s.
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
    """The action after the end of a stream."""

    #: Whether receiving ends. False: attach again.
    ended: bool
    #: The error that ends receiving. None for an end without an error.
    error: Optional[SpreadError] = None
    #: The pause before attaching again. Unit: s.
    pause: float = 0.0
    #: The error for the notice Detached. None if the application does not get this notice.
    detached: Optional[SpreadError] = None


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

    Without I/O; not thread-safe, except ``silent_in`` and ``holds_lease``.
    """

    def __init__(
        self,
        plan: ReceivePlan,
        may_pass: Callable[[SpreadError], bool],
        target: str = "",
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._plan = plan
        self._may_pass = may_pass
        self._target = target
        self._clock = clock
        self._backoff = Backoff(draw)
        self._last = plan.after_sequence
        self._unreachable_since = clock()
        self._end_seen: Optional[_MailboxEnd] = None
        self._attached = False
        self._paused = False
        self._last_frame = 0.0
        # Time without any frame after which the stream counts as broken. None: never.
        self._silence_limit: Optional[float] = None
        self._has_frame = False

    @property
    def last_sequence(self) -> int:
        """The sequence of the last received event."""
        return self._last

    @property
    def holds_lease(self) -> bool:
        """Whether a stream is attached, as far as the client knows. Unknown for a stream that is not read."""
        return self._attached and not self._paused

    @property
    def fetching_rest(self) -> bool:
        """Whether the mailbox has ended and only its last events are missing. While the inbox is full, the client
        does not attach to fetch them (R13).
        """
        return self._end_seen is not None

    @property
    def attach_limit(self) -> float:
        """Time without any frame after which an attempt to attach counts as broken (R8). Unit: s."""
        rest = self._unreachable_since + self._unreachable_limit - self._clock()
        interval = self._plan.heartbeat_interval
        limit = rest if interval <= 0 else min(_SILENT_INTERVALS * interval, rest)
        return max(limit, _SHORTEST_ATTACH_LIMIT)

    def begin(self) -> None:
        """Called before the first stream is opened. Starts the give-up time (R10)."""
        self._unreachable_since = self._clock()

    def request(self) -> service.ReceiveRequest:
        """The request of the next stream (R1)."""
        plan = self._plan
        interval = plan.heartbeat_interval
        return service.ReceiveRequest(
            mailbox_id=plan.mailbox_id,
            after_sequence=self._last,
            max_outstanding_events=plan.max_outstanding_events,
            max_outstanding_bytes=plan.max_outstanding_bytes,
            heartbeat_interval=to_duration(interval, "heartbeat_interval") if interval > 0 else None,
        )

    def opened(self) -> None:
        """A stream was opened. Its time for the first frame starts."""
        self._has_frame = False
        self._last_frame = self._clock()
        self._silence_limit = self.attach_limit

    def silent_in(self) -> Optional[float]:
        """Time after which the stream counts as broken if no frame arrives (R7, R8). None: never. Unit: s."""
        limit = self._silence_limit
        # Time in which the stream is paused does not count (R7).
        if limit is None or self._paused:
            return limit
        return limit - (self._clock() - self._last_frame)

    def silence(self) -> SpreadError:
        """The error of a stream that counts as broken because no frame arrived (R7, R8)."""
        return silence(self._silence_limit or 0.0)

    def pause(self) -> None:
        """The client stops to read frames, because the inbox is full (R13)."""
        self._paused = True

    def resume(self) -> None:
        """The client reads frames again."""
        self._last_frame = self._clock()
        self._paused = False

    def take(self, response: service.ReceiveResponse) -> Received:
        """Handles a received frame."""
        self._last_frame = self._clock()
        if not self._has_frame:
            self._has_frame = True
            interval = self._plan.heartbeat_interval
            # R7
            self._silence_limit = _SILENT_INTERVALS * interval if interval > 0 else None
        kind = response.WhichOneof("frame")
        if kind == "batch":
            # R3
            batch = decode_batch(response.batch, self._last)
            self._last = batch.last
            failure = None if batch.gap is None else self._gap(batch.gap)
            return Received(batch.events, failure=failure)
        if kind == "attached":
            return self._take_attached(response.attached)
        if kind == "heartbeat":
            # R4
            last = response.heartbeat.last_sequence
            return Received(failure=self._gap(last)) if last > self._last else _NOTHING
        if kind == "slow_consumer":
            return Received(notice=_to_slow_consumer(response.slow_consumer))
        # R6
        return _NOTHING

    def broken(self, error: SpreadError) -> Verdict:
        """Handles a stream that ended with an error or could not be opened."""
        was_attached = self._attached
        self._attached = False
        may_pass = self._may_pass(error)
        # R10, R12
        if was_attached or not may_pass:
            self._unreachable_since = self._clock()
        end = self._error_after_break(error) if may_pass else self._error_after_end(error)
        if end is not None:
            return Verdict(True, end)
        # R9
        return Verdict(False, pause=self._backoff.next(), detached=error if may_pass and was_attached else None)

    def closed(self) -> Verdict:
        """Handles a stream that the sidecar ended without an error (R15)."""
        self._attached = False
        return Verdict(True)

    def _take_attached(self, info: service.ReceiveAttached) -> Received:
        # R2
        if info.next_sequence != self._last + 1:
            return Received(failure=self._gap(info.next_sequence))
        self._attached = True
        # B2
        self._backoff.reset()
        return Received(notice=Attached(info.next_sequence, tuple(info.groups)), private_group=info.private_group)

    def _gap(self, sequence: int) -> SpreadError:
        """The error of a missing event (R5)."""
        self._attached = False
        message = f"event {self._last + 1} is missing: the sidecar is already at sequence {sequence}"
        return SpreadError(message, status="DATA_LOSS")

    @property
    def _unreachable_limit(self) -> float:
        """Time during which the client tries to reach the sidecar (R10, R12). Unit: s."""
        return self._plan.give_up_after if self._end_seen is None else _FETCH_SECONDS

    def _error_after_break(self, error: SpreadError) -> Optional[SpreadError]:
        """The error that ends receiving after a broken stream. None to attach again."""
        seen = self._end_seen
        # R12
        if seen is not None and seen.last <= self._last:
            return seen.error
        if self._clock() - self._unreachable_since < self._unreachable_limit:
            return None
        # R12
        if seen is not None:
            return _with_missing(seen.error, self._last)
        # R10
        return error if error.status == "UNAUTHENTICATED" else _gave_up(error, self._plan.give_up_after, self._target)

    def _error_after_end(self, error: SpreadError) -> Optional[SpreadError]:
        """The error that ends receiving after the sidecar ended its stream. None to attach again.

        When a stream ends with an error, gRPC discards frames that it received but did not deliver. The error
        contains the last sequence. The receiver attaches again while events are missing and attempts return
        some, and reports the error after these events.
        """
        # F3
        if ends_stream_only(error):
            return error
        # R11
        if self._end_seen is None:
            self._end_seen = _MailboxEnd(error, _last_sequence_of(error))
        seen = self._end_seen
        if seen.last <= self._last:
            return seen.error
        # R12
        seen.empty_attempts = seen.empty_attempts + 1 if seen.fetched_to == self._last else 0
        seen.fetched_to = self._last
        # An error without a last sequence, such as NOT_FOUND, means that no events can be fetched.
        can_stop = _last_sequence_of(error) <= self._last or seen.empty_attempts >= _MAX_EMPTY_ATTEMPTS
        return _with_missing(seen.error, self._last) if can_stop else None


def _last_sequence_of(error: SpreadError) -> int:
    text = error.metadata.get("last_sequence", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else 0


def _with_missing(error: SpreadError, received: int) -> SpreadError:
    """The first error of an ended mailbox, whose last events cannot be fetched (R12)."""
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
        metadata={"target": target} if target else None,
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
