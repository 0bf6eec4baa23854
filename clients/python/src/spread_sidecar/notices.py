"""Notifications of a mailbox that are not events, for the option ``on_notice``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, Optional, Union

from .errors import SpreadError


@dataclass(frozen=True)
class Attached:
    """A stream is attached. It is the first stream, or a stream that resumes after a broken stream."""

    kind: ClassVar[Literal["attached"]] = "attached"
    #: The sequence of the next event.
    next_sequence: int
    #: The groups of the mailbox.
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Detached:
    """A stream broke. The client attaches again."""

    kind: ClassVar[Literal["detached"]] = "detached"
    #: The error of the stream.
    error: SpreadError


@dataclass(frozen=True)
class SlowConsumer:
    """Events arrive in the sidecar's queue faster than the application receives them. This notice is a warning before
    a limit ends the mailbox.
    """

    kind: ClassVar[Literal["slow_consumer"]] = "slow_consumer"
    queued_events: int
    queued_bytes: int
    #: The thresholds of the queue in events and in bytes. The queue exceeds at least one of them.
    mark_events: int
    mark_bytes: int
    #: Time until the sidecar ends the mailbox, unless the queue falls to the threshold earlier. None without a soft
    #: limit. Unit: s.
    time_left: Optional[float]
    #: When the sidecar sent the notice, by the sidecar's clock. Earlier events can delay the notice.
    time: Optional[datetime]


@dataclass(frozen=True)
class Ended:
    """The mailbox receives nothing more."""

    kind: ClassVar[Literal["ended"]] = "ended"
    #: The reason. None after ``disconnect`` or ``detach``.
    error: Optional[SpreadError]


#: The type of all these notifications.
Notice = Union[Attached, Detached, SlowConsumer, Ended]
