"""The events that ``receive()`` returns. Distinguish them with ``kind``, ``isinstance`` or ``match``."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import ClassVar, Literal, Optional, Union

from . import constants as c
from .group_id import GroupId
from .headers import NO_HEADERS, MessageHeaders

#: The name of a service type.
ServiceTypeName = Literal["UNRELIABLE", "RELIABLE", "FIFO", "CAUSAL", "AGREED", "SAFE"]

#: The name of a view's cause.
MembershipCause = Literal["JOIN", "LEAVE", "DISCONNECT", "NETWORK"]

#: The operation that the daemon rejected.
RejectedOperation = Literal["JOIN", "LEAVE", "MULTICAST"]

SERVICE_TYPE_NAMES: dict[int, ServiceTypeName] = {
    c.UNRELIABLE_MESS: "UNRELIABLE",
    c.RELIABLE_MESS: "RELIABLE",
    c.FIFO_MESS: "FIFO",
    c.CAUSAL_MESS: "CAUSAL",
    c.AGREED_MESS: "AGREED",
    c.SAFE_MESS: "SAFE",
}

_CAUSES: dict[str, int] = {
    "JOIN": c.CAUSED_BY_JOIN,
    "LEAVE": c.CAUSED_BY_LEAVE,
    "DISCONNECT": c.CAUSED_BY_DISCONNECT,
    "NETWORK": c.CAUSED_BY_NETWORK,
}

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class ReceivedEvent:
    """The properties that all received events have."""

    __slots__ = ("_received_ms", "_weight", "sequence")

    #: The kind of the event.
    kind: ClassVar[str]

    #: Position in the mailbox: 1 for the first event, then incremented by 1. 0 for the result of a call
    #: (``join``, ``leave``, ``view``), which is not an event of the mailbox.
    sequence: int
    # Since 1970; 0 if unknown. A number, because few applications read it.
    _received_ms: int
    # Approximate memory, for the limits of the buffer. Unit: bytes.
    _weight: int

    @property
    def received_at(self) -> Optional[datetime]:
        """When the sidecar read the event from the daemon, by the sidecar's clock, in ms resolution. None if
        sequence is 0.
        """
        return _EPOCH + timedelta(milliseconds=self._received_ms) if self._received_ms else None

    def __repr__(self) -> str:
        names = [name for cls in reversed(type(self).__mro__) for name in getattr(cls, "__slots__", ())]
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names if not name.startswith("_"))
        return f"{type(self).__name__}({shown})"


class _ContentEvent(ReceivedEvent):
    __slots__ = (
        "endian_mismatch",
        "groups",
        "headers",
        "message_type",
        "payload",
        "sender",
        "service_type",
        "spread_type",
    )

    #: Private group of the sender, such as ``#alice#node1``.
    sender: str
    #: All destinations that the sender named, including groups that this mailbox is not in.
    groups: tuple[str, ...]
    #: The service type as one of Spread's bits, such as SAFE_MESS. 0 for a rejected join or leave.
    service_type: int
    #: The message type, which the sender chose: -32768 to 32767.
    message_type: int
    #: The bytes exactly as sent.
    payload: bytes
    #: Whether the byte orders of the sender's and the sidecar's machine differ. The payload is not converted.
    endian_mismatch: bool
    #: The complete service type word, as Spread's C library returns it.
    spread_type: int
    #: The headers. Empty for a message without headers.
    headers: MessageHeaders

    @property
    def self_discard(self) -> bool:
        """Whether the sender asked not to receive its own message."""
        return self.spread_type & c.SELF_DISCARD != 0

    @property
    def service_type_name(self) -> Optional[ServiceTypeName]:
        """The name of the service type, such as ``SAFE``."""
        return SERVICE_TYPE_NAMES.get(self.service_type)

    def text(self) -> str:
        """The payload as UTF-8. Invalid bytes become U+FFFD."""
        return self.payload.decode("utf-8", "replace")


def _weight_of(headers: MessageHeaders) -> int:
    return sum(len(name) + len(value) + 128 for name, value in headers.items())


class RegularMessage(_ContentEvent):
    """A message that a client has sent with a multicast."""

    __slots__ = ()
    kind: ClassVar[Literal["regular"]] = "regular"

    def __init__(
        self,
        sequence: int,
        received_ms: int,
        sender: str,
        groups: tuple[str, ...],
        service_type: int,
        message_type: int,
        payload: bytes,
        endian_mismatch: bool,
        spread_type: int,
        headers: MessageHeaders = NO_HEADERS,
    ) -> None:
        self.sequence = sequence
        self._received_ms = received_ms
        self._weight = len(payload) + 256
        self.sender = sender
        self.groups = groups
        self.service_type = service_type
        self.message_type = message_type
        self.payload = payload
        self.endian_mismatch = endian_mismatch
        self.spread_type = spread_type
        self.headers = headers
        if headers is not NO_HEADERS:
            self._weight += _weight_of(headers)


class RejectedMessage(_ContentEvent):
    """A join, leave or message of this mailbox that the daemon's access policy rejected."""

    __slots__ = ("operation",)
    kind: ClassVar[Literal["rejected"]] = "rejected"

    #: The rejected operation. None if this release does not know it.
    operation: Optional[RejectedOperation]

    def __init__(
        self,
        sequence: int,
        received_ms: int,
        operation: Optional[RejectedOperation],
        sender: str,
        groups: tuple[str, ...],
        service_type: int,
        message_type: int,
        payload: bytes,
        endian_mismatch: bool,
        spread_type: int,
        headers: MessageHeaders = NO_HEADERS,
    ) -> None:
        self.sequence = sequence
        self._received_ms = received_ms
        self._weight = len(payload) + 256
        self.operation = operation
        self.sender = sender
        self.groups = groups
        self.service_type = service_type
        self.message_type = message_type
        self.payload = payload
        self.endian_mismatch = endian_mismatch
        self.spread_type = spread_type
        self.headers = headers
        if headers is not NO_HEADERS:
            self._weight += _weight_of(headers)


class VirtualSynchronySet:
    """The members that moved together from one view to the next view. Between these views, they received the same
    messages.
    """

    __slots__ = ("members", "mine")

    #: Their private groups, in Spread's order.
    members: tuple[str, ...]
    #: Whether this is the set of the receiving mailbox. If there is only one set, this is always True.
    mine: bool

    def __init__(self, members: tuple[str, ...], mine: bool) -> None:
        self.members = members
        self.mine = mine

    def __repr__(self) -> str:
        return f"VirtualSynchronySet(members={self.members!r}, mine={self.mine!r})"


class MembershipMessage(ReceivedEvent):
    """A message about the membership of a group: a view, a transitional signal or a self-leave."""

    __slots__ = ("group",)

    #: The group.
    group: str

    @property
    def reason(self) -> int:
        """CAUSED_BY_JOIN, CAUSED_BY_LEAVE, CAUSED_BY_DISCONNECT or CAUSED_BY_NETWORK. 0 for a transitional
        signal.

        CAUSED_BY_LEAVE for a SelfLeaveMessage.
        """
        raise NotImplementedError

    @property
    def group_id(self) -> Optional[GroupId]:
        """The identity of the view. None for a SelfLeaveMessage."""
        return None

    @property
    def members(self) -> tuple[str, ...]:
        """All members, in Spread's order. Every member gets the same order. Empty unless this is a view."""
        return ()

    @property
    def changed_members(self) -> tuple[str, ...]:
        """The members that joined or left; ``reason`` says whether they joined or left. Empty unless this is a view.
        """
        return ()


class ViewMessage(MembershipMessage):
    """A new view: the members of a group from now on."""

    __slots__ = ("_changed_members", "_group_id", "_members", "cause", "own_index", "sets")
    kind: ClassVar[Literal["view"]] = "view"

    #: The name of ``reason``. None if this release does not know it.
    cause: Optional[MembershipCause]
    #: Index of this mailbox in ``members``, starting at 0. -1 if it is not a member.
    own_index: int
    #: The virtual synchrony sets, in the daemon's order.
    sets: tuple[VirtualSynchronySet, ...]

    def __init__(
        self,
        sequence: int,
        received_ms: int,
        group: str,
        group_id: GroupId,
        cause: Optional[MembershipCause],
        members: tuple[str, ...],
        own_index: int,
        changed_members: tuple[str, ...],
        sets: tuple[VirtualSynchronySet, ...],
    ) -> None:
        self.sequence = sequence
        self._received_ms = received_ms
        self._weight = 256 + 80 * (len(members) + len(changed_members))
        self.group = group
        self._group_id = group_id
        self.cause = cause
        self._members = members
        self.own_index = own_index
        self._changed_members = changed_members
        self.sets = sets

    @property
    def reason(self) -> int:
        """CAUSED_BY_JOIN, CAUSED_BY_LEAVE, CAUSED_BY_DISCONNECT or CAUSED_BY_NETWORK."""
        return 0 if self.cause is None else _CAUSES[self.cause]

    @property
    def group_id(self) -> GroupId:
        """The identity of the view."""
        return self._group_id

    @property
    def members(self) -> tuple[str, ...]:
        """All members, in Spread's order. Every member gets the same order."""
        return self._members

    @property
    def changed_members(self) -> tuple[str, ...]:
        """The members that changed.

        JOIN, LEAVE, DISCONNECT: the one member that joined or left. NETWORK: the members that did not move with
        this mailbox from the previous view.
        """
        return self._changed_members

    def __repr__(self) -> str:
        return (
            f"ViewMessage(sequence={self.sequence}, group={self.group!r}, group_id={self._group_id!r}, "
            f"cause={self.cause!r}, members={self._members!r}, own_index={self.own_index}, "
            f"changed_members={self._changed_members!r}, "
            f"sets={self.sets!r})"
        )


class TransitionalMessage(MembershipMessage):
    """A transitional signal. It precedes a NETWORK view after the loss of daemons.

    Messages between the signal and the view belong to the old view. Their guarantees hold only among the
    members that stay together.
    """

    __slots__ = ("_group_id",)
    kind: ClassVar[Literal["transitional"]] = "transitional"

    def __init__(self, sequence: int, received_ms: int, group: str, group_id: GroupId) -> None:
        self.sequence = sequence
        self._received_ms = received_ms
        self._weight = 256
        self.group = group
        self._group_id = group_id

    @property
    def reason(self) -> int:
        """0."""
        return 0

    @property
    def group_id(self) -> GroupId:
        """The identity of the view that ends."""
        return self._group_id


class SelfLeaveMessage(MembershipMessage):
    """This mailbox left a group. No further message or view of the group follows."""

    __slots__ = ()
    kind: ClassVar[Literal["self_leave"]] = "self_leave"

    def __init__(self, sequence: int, received_ms: int, group: str) -> None:
        self.sequence = sequence
        self._received_ms = received_ms
        self._weight = 256
        self.group = group

    @property
    def reason(self) -> int:
        """CAUSED_BY_LEAVE."""
        return c.CAUSED_BY_LEAVE


class ConnectionLost(ReceivedEvent):
    """The sidecar lost the daemon connection. Only with ``reconnect``. The mailbox is no longer in its groups, and
    Spread's order of messages ends at this event.
    """

    __slots__ = ("groups", "private_group", "spread_code")
    kind: ClassVar[Literal["connection_lost"]] = "connection_lost"

    #: The lost private group.
    private_group: str
    #: The groups of the mailbox, in the order in which it joined them.
    groups: tuple[str, ...]
    #: Spread's number for the cause, such as CONNECTION_CLOSED.
    spread_code: int

    def __init__(
        self, sequence: int, received_ms: int, private_group: str, groups: tuple[str, ...], spread_code: int
    ) -> None:
        self.sequence = sequence
        self._received_ms = received_ms
        self._weight = 256 + 80 * len(groups)
        self.private_group = private_group
        self.groups = groups
        self.spread_code = spread_code


class ConnectionRestored(ReceivedEvent):
    """The sidecar reconnected to a daemon, with a new session and possibly a new private group. Only with
    ``reconnect``.
    """

    __slots__ = ("daemon", "groups", "previous_private_group", "private_group")
    kind: ClassVar[Literal["connection_restored"]] = "connection_restored"

    #: The previous private group.
    previous_private_group: str
    #: The new private group.
    private_group: str
    #: The groups that the sidecar joins again. A view of each group follows.
    groups: tuple[str, ...]
    #: The Spread name of the connected daemon.
    daemon: str

    def __init__(
        self,
        sequence: int,
        received_ms: int,
        previous_private_group: str,
        private_group: str,
        groups: tuple[str, ...],
        daemon: str,
    ) -> None:
        self.sequence = sequence
        self._received_ms = received_ms
        self._weight = 256 + 80 * len(groups)
        self.previous_private_group = previous_private_group
        self.private_group = private_group
        self.groups = groups
        self.daemon = daemon


#: An event that ``receive()`` returns.
SpreadEvent = Union[
    RegularMessage,
    ViewMessage,
    TransitionalMessage,
    SelfLeaveMessage,
    RejectedMessage,
    ConnectionLost,
    ConnectionRestored,
]
