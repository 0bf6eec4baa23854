"""What is known of mailboxes and sidecars."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Optional

from .events import ViewMessage
from .options import SoftLimit

#: Three numbers that name a release: major, minor, patch.
VersionTriple = tuple[int, int, int]

#: The life of a mailbox.
MailboxState = Literal["OPEN", "RECONNECTING", "ENDED", "UNKNOWN"]

#: How events are acknowledged.
AcknowledgementMode = Literal["AUTO", "EXPLICIT"]


@dataclass(frozen=True)
class QueueLimits:
    """Bounds of a mailbox's event queue in the sidecar."""

    #: Most events that may wait.
    max_events: int
    #: Most bytes that may wait, counted as encoded events. Unit: bytes.
    max_bytes: int
    #: With AUTO acknowledgement: bytes of events kept after they were handed out. Unit: bytes.
    replay_bytes: int
    #: At a bound: stop reading from the daemon, or end the mailbox.
    overflow: Literal["PAUSE", "DISCONNECT"]
    #: A bound that the queue may be above only for a time. None: there is none.
    soft_limit: Optional[SoftLimit]


@dataclass(frozen=True)
class MailboxLimits:
    """The limits that hold for a mailbox."""

    #: How long it lives while nothing uses it. Unit: s.
    lease: float
    #: Bounds of its event queue.
    queue: QueueLimits
    #: Most groups that a message may be sent to.
    max_groups_per_message: int
    #: Most bytes that payload + 32 x groups may have. Unit: bytes.
    max_message_bytes: int
    #: Most groups that it may be in.
    max_groups: int
    #: Most bytes that may wait to be sent to the daemon. Unit: bytes.
    max_send_queue_bytes: int


@dataclass(frozen=True)
class MailboxInfo:
    """State and counters of a mailbox."""

    #: Its private group.
    private_group: str
    state: MailboxState
    #: The daemon, as a spread name.
    daemon: str
    daemon_version: VersionTriple
    #: Whether it receives membership messages.
    membership: bool
    acknowledgement: AcknowledgementMode
    limits: MailboxLimits
    #: The groups that it is in, in the order in which it joined them.
    groups: tuple[str, ...]
    opened_at: Optional[datetime]
    #: Whether a Receive stream is attached.
    receiver_attached: bool
    #: The last event received from the daemon; 0 if none.
    last_sequence: int
    #: The last event given to a Receive stream; 0 if none.
    delivered_sequence: int
    #: The last acknowledged event; with AUTO the last one that is no longer kept. 0 if none.
    acknowledged_sequence: int
    #: Events that were not yet given to a Receive stream.
    waiting_events: int
    #: Their bytes.
    waiting_bytes: int
    #: Bytes of all retained events, given or not.
    retained_bytes: int
    #: Messages handed to the daemon.
    messages_sent: int
    #: Payload bytes handed to the daemon.
    payload_bytes_sent: int
    #: Bytes that wait to be taken by the daemon's connection.
    send_queue_bytes: int
    #: Whether reading from the daemon is paused because the queue is full.
    paused: bool
    #: When the lease will end if nothing happens; None while a Receive stream is attached.
    lease_ends_at: Optional[datetime]
    #: A short id that is safe to show: the one in logs and metrics. It opens nothing.
    display_id: str
    #: When it will be ended because its queue is above the soft bound; None while it is not.
    soft_limit_ends_at: Optional[datetime]


@dataclass(frozen=True)
class SidecarVersion:
    """Versions of a sidecar and of what is behind it."""

    #: The sidecar's release, such as ``0.1.0``.
    sidecar: str
    #: The contract's package, ``spread.sidecar.v1``.
    contract: str
    #: What SP_version returns: the release of Spread whose protocol the sidecar speaks.
    client_protocol: VersionTriple
    #: The default daemon's release; None while the sidecar has no connection to it.
    daemon: Optional[VersionTriple]
    #: The default daemon, as a spread name; empty while there is no connection to it.
    daemon_address: str
    #: Whether that is the embedded daemon, which is meant for development and tests.
    embedded_daemon: bool


@dataclass(frozen=True)
class PollResult:
    """What waits to be received."""

    #: Events that ``receive()`` gives without asking the sidecar.
    buffered_events: int
    #: Events that wait in the sidecar.
    waiting_events: int
    #: Their bytes.
    waiting_bytes: int
    #: Unlike SP_poll, this tells a mailbox whose daemon is gone from an empty one.
    state: MailboxState


@dataclass(frozen=True)
class CurrentView:
    """A group's current view."""

    view: ViewMessage
    #: A transitional signal has come after it: a NETWORK view will follow.
    in_transition: bool


@dataclass(frozen=True)
class Resumption:
    """What it takes to take up a mailbox again: the arguments of ``attach``."""

    mailbox_id: str
    after_sequence: int


@dataclass(frozen=True)
class SenderProgress:
    """How far a sender has come."""

    #: Messages given to ``send``.
    sent: int
    #: The messages 1 to ``decided`` were handed to the daemon or refused.
    decided: int
    #: How many of them were handed to the daemon.
    accepted: int


@dataclass(frozen=True)
class OutgoingMessage:
    """A message that was given to a sender."""

    #: One of Spread's bits, such as SAFE_MESS.
    service_type: int
    groups: tuple[str, ...]
    payload: bytes
    message_type: int
    self_discard: bool
