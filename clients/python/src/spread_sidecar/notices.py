"""What a mailbox tells besides its events, to the ``on_notice`` that it was opened with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, Optional, Union

from .errors import SpreadError


@dataclass(frozen=True)
class Attached:
    """A stream stands, the first or one that goes on behind the last event of a broken one."""

    kind: ClassVar[Literal["attached"]] = "attached"
    #: The sequence of the next event.
    next_sequence: int
    #: The groups that the mailbox is in.
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Detached:
    """A stream broke; it is being made anew."""

    kind: ClassVar[Literal["detached"]] = "detached"
    #: How it broke.
    error: SpreadError


@dataclass(frozen=True)
class SlowConsumer:
    """The queue in the sidecar fills faster than it is emptied: said before that costs the mailbox."""

    kind: ClassVar[Literal["slow_consumer"]] = "slow_consumer"
    queued_events: int
    queued_bytes: int
    #: The mark that the queue is above, in events and in bytes, whichever it is.
    mark_events: int
    mark_bytes: int
    #: How long after it was said the mailbox will be ended, unless the queue falls to the mark before. None: no soft
    #: limit threatens. Unit: s.
    time_left: Optional[float]
    #: When it was said, by the sidecar's clock: it may have waited behind the events before it.
    time: Optional[datetime]


@dataclass(frozen=True)
class Ended:
    """Nothing more will be received."""

    kind: ClassVar[Literal["ended"]] = "ended"
    #: Why; None after ``disconnect`` or ``detach``.
    error: Optional[SpreadError]


#: Any of them.
Notice = Union[Attached, Detached, SlowConsumer, Ended]
