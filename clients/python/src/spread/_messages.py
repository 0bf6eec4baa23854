"""The results of ``receive``."""

from __future__ import annotations

from typing import Final, Optional

from spread_sidecar import GroupId, MessageHeaders, RegularMessage, SelfLeaveMessage, TransitionalMessage, ViewMessage
from spread_sidecar.constants import REG_MEMB_MESS, TRANSITION_MESS

from ._text import Text, TextRule


class GroupIdType:
    """The identity of a view. It supports only ``==`` and ``!=``."""

    __slots__ = ("_id",)

    def __init__(self, group_id: GroupId) -> None:
        self._id: Final = group_id

    def __eq__(self, other: object) -> bool:
        return self._id == other._id if isinstance(other, GroupIdType) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._id)

    def __repr__(self) -> str:
        words = (self._id.daemon_id, self._id.time, self._id.index)
        return "<group_id {}>".format(":".join(f"{word & 0xFFFFFFFF:08X}" for word in words))


#: A self-leave has no identity.
_NO_ID: Final = GroupIdType(GroupId(0, 0, 0))


class RegularMsgType:
    """A message that a client has sent with a multicast."""

    __slots__ = ("endian", "groups", "headers", "message", "msg_type", "sender")

    #: Private group of the sender.
    sender: Text
    #: All destinations of the message.
    groups: tuple[Text, ...]
    #: The payload.
    message: Text

    def __init__(self, event: RegularMessage, rule: TextRule) -> None:
        # Fast path for every message: skips conversions that are not needed.
        if rule.names_are_text:
            self.sender = event.sender
            self.groups = event.groups
        else:
            self.sender = rule.name_out(event.sender)
            self.groups = rule.names_out(event.groups)
        self.message = rule.payload_out(event.payload) if rule.payloads_are_text else event.payload
        #: The message type, which the sender chose: -32768 to 32767.
        self.msg_type: Final[int] = event.message_type
        #: 1 if the byte orders of the sender's and the sidecar's machine differ, otherwise 0.
        self.endian: Final[int] = int(event.endian_mismatch)
        #: The headers, by name, always text. Empty for a message without headers. The wrapper has no headers.
        self.headers: Final[MessageHeaders] = event.headers


class MembershipMsgType:
    """A view, a transitional signal or a self-leave."""

    __slots__ = ("changed_member", "extra", "group", "group_id", "members", "msg_subtype", "orig_members", "reason")

    def __init__(self, event: ViewMessage | TransitionalMessage | SelfLeaveMessage, rule: TextRule) -> None:
        #: CAUSED_BY_JOIN, CAUSED_BY_LEAVE, CAUSED_BY_DISCONNECT or CAUSED_BY_NETWORK; 0 for a transitional signal.
        self.reason: Final[int] = event.reason
        #: The group.
        self.group: Final[Text] = rule.name_out(event.group)
        if isinstance(event, ViewMessage):
            subtype, group_id, members = REG_MEMB_MESS, GroupIdType(event.group_id), event.members
            own_set = next((one.members for one in event.sets if one.mine), ())
            changed = event.changed_members[0] if event.cause != "NETWORK" and event.changed_members else None
        elif isinstance(event, TransitionalMessage):
            subtype, group_id, members = TRANSITION_MESS, GroupIdType(event.group_id), ()
            own_set, changed = (), None
        else:
            subtype, group_id, members, own_set, changed = 0, _NO_ID, (), (), None
        #: REG_MEMB_MESS for a view, TRANSITION_MESS for a transitional signal, 0 for a self-leave.
        self.msg_subtype: Final[int] = subtype
        #: Equal exactly for the same view.
        self.group_id: Final[GroupIdType] = group_id
        #: All members of the group.
        self.members: Final[tuple[Text, ...]] = rule.names_out(tuple(members))
        #: The member that joined or left. After CAUSED_BY_NETWORK, the members that moved together with this
        #: mailbox.
        self.extra: Final[tuple[Text, ...]] = rule.names_out(tuple(own_set))
        #: The virtual synchrony sets of the view. None for a transitional signal and for a self-leave.
        self.orig_members: Final[Optional[tuple[tuple[Text, ...], ...]]] = (
            tuple(rule.names_out(one.members) for one in event.sets) if isinstance(event, ViewMessage) else None
        )
        #: The member that joined or left. None after CAUSED_BY_NETWORK, for a transitional signal and for a
        #: self-leave.
        self.changed_member: Final[Optional[Text]] = None if changed is None else rule.name_out(changed)
