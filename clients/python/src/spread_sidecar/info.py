"""Information about mailboxes and sidecars."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Optional

from .events import ViewMessage
from .headers import NO_HEADERS, MessageHeaders
from .options import SoftLimit

#: The version of a release: major, minor, patch.
VersionTriple = tuple[int, int, int]

#: The state of a mailbox.
MailboxState = Literal["OPEN", "RECONNECTING", "ENDED", "UNKNOWN"]

#: How events are acknowledged.
AcknowledgementMode = Literal["AUTO", "EXPLICIT"]


@dataclass(frozen=True)
class QueueLimits:
    """Limits of a mailbox's delivery queue in the sidecar."""

    #: Maximum number of queued events.
    max_events: int
    #: Maximum size of the queued events, as encoded. Unit: bytes.
    max_bytes: int
    #: Replay window in AUTO mode: size of the delivered events that the sidecar retains. Unit: bytes.
    replay_bytes: int
    #: What the sidecar does at a limit: stop reading from the daemon, or end the mailbox.
    overflow: Literal["PAUSE", "DISCONNECT"]
    #: A limit that the queue may exceed for some time. None if there is none.
    soft_limit: Optional[SoftLimit]


@dataclass(frozen=True)
class MailboxLimits:
    """The limits of a mailbox."""

    #: The lease: the time that the mailbox lives without a receiver and without calls. Unit: s.
    lease: float
    #: Limits of the delivery queue.
    queue: QueueLimits
    #: Maximum number of groups to which a message can be sent.
    max_groups_per_message: int
    #: Maximum of this sum: payload size + 32 x number of groups. Unit: bytes.
    max_message_bytes: int
    #: Maximum number of groups that the mailbox can be in.
    max_groups: int
    #: Maximum size of the send queue to the daemon. Unit: bytes.
    max_send_queue_bytes: int


@dataclass(frozen=True)
class MailboxInfo:
    """State and counters of a mailbox."""

    #: The private group of the mailbox.
    private_group: str
    state: MailboxState
    #: The Spread name of the daemon.
    daemon: str
    daemon_version: VersionTriple
    #: Whether the mailbox receives membership messages.
    membership: bool
    acknowledgement: AcknowledgementMode
    limits: MailboxLimits
    #: The groups of the mailbox, in the order in which it joined them.
    groups: tuple[str, ...]
    opened_at: Optional[datetime]
    #: Whether a Receive stream is attached.
    receiver_attached: bool
    #: Sequence of the last event from the daemon. 0 if none.
    last_sequence: int
    #: Sequence of the last event that was delivered to a Receive stream. 0 if none.
    delivered_sequence: int
    #: Sequence of the last acknowledged event. In AUTO mode, of the last event that is no longer retained. 0 if
    #: none.
    acknowledged_sequence: int
    #: Number of queued events, which were not yet delivered to a Receive stream.
    waiting_events: int
    #: Size of the queued events. Unit: bytes.
    waiting_bytes: int
    #: Size of all retained events, delivered or not. Unit: bytes.
    retained_bytes: int
    #: Number of messages passed to the daemon.
    messages_sent: int
    #: Payload bytes passed to the daemon.
    payload_bytes_sent: int
    #: Size of the send queue to the daemon. Unit: bytes.
    send_queue_bytes: int
    #: Whether the sidecar stopped reading from the daemon because the queue is full.
    paused: bool
    #: When the lease expires if the mailbox is not used. None while a Receive stream is attached.
    lease_ends_at: Optional[datetime]
    #: The display ID, which logs and metrics show. It is not a secret and gives no access.
    display_id: str
    #: When the sidecar ends the mailbox because its queue exceeds the soft limit. None while the queue does not
    #: exceed the limit.
    soft_limit_ends_at: Optional[datetime]


@dataclass(frozen=True)
class SidecarVersion:
    """Versions of a sidecar and its daemon."""

    #: The sidecar's release, such as ``0.1.0``.
    sidecar: str
    #: The package of the contract, ``spread.sidecar.v1``.
    contract: str
    #: The version that SP_version returns: the release of Spread whose client protocol the sidecar uses.
    client_protocol: VersionTriple
    #: The release of the default daemon. None while the sidecar is not connected to it.
    daemon: Optional[VersionTriple]
    #: The Spread name of the default daemon. Empty while the sidecar is not connected to it.
    daemon_address: str
    #: Whether the default daemon is the embedded daemon, for development and tests.
    embedded_daemon: bool


@dataclass(frozen=True)
class PollResult:
    """The numbers of queued events."""

    #: Number of events that ``receive()`` returns without a call to the sidecar.
    buffered_events: int
    #: Number of queued events in the sidecar.
    waiting_events: int
    #: Size of the queued events in the sidecar. Unit: bytes.
    waiting_bytes: int
    #: The state of the mailbox. It shows a lost daemon connection, which SP_poll does not distinguish from an empty
    #: queue.
    state: MailboxState


@dataclass(frozen=True)
class CurrentView:
    """The current view of a group."""

    view: ViewMessage
    #: Whether a transitional signal followed the view. A NETWORK view will follow.
    in_transition: bool


@dataclass(frozen=True)
class Resumption:
    """The values to attach to a mailbox again: the arguments of ``attach``."""

    mailbox_id: str
    after_sequence: int


@dataclass(frozen=True)
class SenderProgress:
    """The progress of a sender. The sidecar reports the progress within 20 ms, or when ``flush`` waits for it."""

    #: Number of messages passed to ``send``.
    sent: int
    #: The messages 1 to ``decided`` were passed to the daemon or rejected.
    decided: int
    #: Number of messages that were passed to the daemon.
    accepted: int


@dataclass(frozen=True)
class OutgoingMessage:
    """A message of a sender."""

    #: One of Spread's bits, such as SAFE_MESS.
    service_type: int
    groups: tuple[str, ...]
    payload: bytes
    message_type: int
    self_discard: bool
    headers: MessageHeaders = NO_HEADERS
