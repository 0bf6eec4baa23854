"""Notices of a mailbox for its ``on_notice`` callback, in addition to its events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, Optional, Union

from .errors import SpreadError


@dataclass(frozen=True)
class Attached:
    """A stream is attached: the first one, or one that resumes after the last event of a broken stream."""

    kind: ClassVar[Literal["attached"]] = "attached"
    #: The sequence of the next event.
    next_sequence: int
    #: The groups that the mailbox is in.
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Detached:
    """A stream broke. The client attaches again."""

    kind: ClassVar[Literal["detached"]] = "detached"
    #: The error of the broken stream.
    error: SpreadError


@dataclass(frozen=True)
class SlowConsumer:
    """The queue in the sidecar fills faster than the receiver empties it.

    The notice comes before the overflow policy takes effect.
    """

    kind: ClassVar[Literal["slow_consumer"]] = "slow_consumer"
    queued_events: int
    queued_bytes: int
    #: The mark that the queue exceeds, in events or in bytes.
    mark_events: int
    mark_bytes: int
    #: Time after ``time`` at which the sidecar ends the mailbox, unless the queue falls to the mark before. None:
    #: no soft limit is exceeded. Unit: s.
    time_left: Optional[float]
    #: Time of the notice, by the sidecar's clock. Events before the notice may have delayed it.
    time: Optional[datetime]


@dataclass(frozen=True)
class Ended:
    """Receiving has ended."""

    kind: ClassVar[Literal["ended"]] = "ended"
    #: The cause; None after ``disconnect`` or ``detach``.
    error: Optional[SpreadError]


#: Any of them.
Notice = Union[Attached, Detached, SlowConsumer, Ended]
