"""State of mailboxes and sidecars."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Optional

from .events import ViewMessage
from .options import SoftLimit

#: Three numbers that name a release: major, minor, patch.
VersionTriple = tuple[int, int, int]

#: The state of a mailbox.
MailboxState = Literal["OPEN", "RECONNECTING", "ENDED", "UNKNOWN"]

#: How events are acknowledged.
AcknowledgementMode = Literal["AUTO", "EXPLICIT"]


@dataclass(frozen=True)
class QueueLimits:
    """Limits of a mailbox's event queue in the sidecar."""

    #: Maximum number of queued events.
    max_events: int
    #: Maximum size of queued events, as encoded. Unit: bytes.
    max_bytes: int
    #: With AUTO acknowledgement: size of the replay window of delivered events. Unit: bytes.
    replay_bytes: int
    #: At a limit: stop reading from the daemon, or end the mailbox.
    overflow: Literal["PAUSE", "DISCONNECT"]
    #: A lower limit that the queue may exceed only for a time. None: no soft limit.
    soft_limit: Optional[SoftLimit]


@dataclass(frozen=True)
class MailboxLimits:
    """The effective limits of a mailbox."""

    #: The lease: time that it lives while nothing uses it. Unit: s.
    lease: float
    #: Limits of its event queue.
    queue: QueueLimits
    #: Maximum number of groups of a message.
    max_groups_per_message: int
    #: Maximum of payload + 32 x groups. Unit: bytes.
    max_message_bytes: int
    #: Maximum number of groups that it may be in.
    max_groups: int
    #: Maximum number of bytes that wait for the daemon connection. Unit: bytes.
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
    #: The last event delivered to a Receive stream; 0 if none.
    delivered_sequence: int
    #: The last acknowledged event; with AUTO the last event that is no longer retained. 0 if none.
    acknowledged_sequence: int
    #: Events that were not yet delivered to a Receive stream.
    waiting_events: int
    #: Their bytes.
    waiting_bytes: int
    #: Bytes of all retained events, delivered or not.
    retained_bytes: int
    #: Messages handed to the daemon.
    messages_sent: int
    #: Payload bytes handed to the daemon.
    payload_bytes_sent: int
    #: Bytes that wait for the daemon connection.
    send_queue_bytes: int
    #: Whether the sidecar has stopped reading from the daemon because the queue is full.
    paused: bool
    #: Time at which the lease expires if no call uses the mailbox; None while a Receive stream is attached.
    lease_ends_at: Optional[datetime]
    #: The display ID of logs and metrics, which is safe to show. It gives no access to the mailbox.
    display_id: str
    #: Time at which the sidecar ends it because its queue exceeds the soft limit; None otherwise.
    soft_limit_ends_at: Optional[datetime]


@dataclass(frozen=True)
class SidecarVersion:
    """Versions of a sidecar, the contract and the daemon."""

    #: The sidecar's release, such as ``0.1.0``.
    sidecar: str
    #: The contract's package, ``spread.sidecar.v1``.
    contract: str
    #: The result of SP_version: the Spread release whose protocol the sidecar supports.
    client_protocol: VersionTriple
    #: The default daemon's release; None while the sidecar has no connection to it.
    daemon: Optional[VersionTriple]
    #: The default daemon, as a spread name; empty while there is no connection to it.
    daemon_address: str
    #: Whether it is the embedded daemon, for development and tests.
    embedded_daemon: bool


@dataclass(frozen=True)
class PollResult:
    """Numbers and sizes of queued events."""

    #: Events that have already arrived in the client.
    buffered_events: int
    #: Events that are queued in the sidecar.
    waiting_events: int
    #: Their bytes.
    waiting_bytes: int
    #: In contrast to SP_poll, this distinguishes a mailbox without a daemon from an empty one.
    state: MailboxState


@dataclass(frozen=True)
class CurrentView:
    """A group's current view."""

    view: ViewMessage
    #: A transitional signal followed the view: a NETWORK view will come.
    in_transition: bool


@dataclass(frozen=True)
class Resumption:
    """The arguments of ``attach`` for a detached mailbox."""

    mailbox_id: str
    after_sequence: int


@dataclass(frozen=True)
class SenderProgress:
    """Progress of a sender."""

    #: Number of messages passed to ``send``.
    sent: int
    #: The messages 1 to ``decided`` were handed to the daemon or rejected.
    decided: int
    #: How many of them were handed to the daemon.
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
