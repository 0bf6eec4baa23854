"""Converts events of the contract."""

from __future__ import annotations

from typing import Callable, Mapping, Optional

from ..events import (
    ConnectionLost,
    ConnectionRestored,
    MembershipCause,
    RegularMessage,
    RejectedMessage,
    RejectedOperation,
    SelfLeaveMessage,
    SpreadEvent,
    TransitionalMessage,
    ViewMessage,
    VirtualSynchronySet,
)
from ..gen.spread.sidecar.v1 import event_pb2, mailbox_service_pb2, types_pb2
from ..group_id import GroupId
from ..headers import NO_HEADERS, MessageHeaders
from .service_type import SERVICE_BITS

_CAUSES: dict[int, MembershipCause] = {
    event_pb2.MEMBERSHIP_CAUSE_JOIN: "JOIN",
    event_pb2.MEMBERSHIP_CAUSE_LEAVE: "LEAVE",
    event_pb2.MEMBERSHIP_CAUSE_DISCONNECT: "DISCONNECT",
    event_pb2.MEMBERSHIP_CAUSE_NETWORK: "NETWORK",
}

_OPERATIONS: dict[int, RejectedOperation] = {
    event_pb2.REJECTED_OPERATION_JOIN: "JOIN",
    event_pb2.REJECTED_OPERATION_LEAVE: "LEAVE",
    event_pb2.REJECTED_OPERATION_MULTICAST: "MULTICAST",
}


def to_group_id(group_id: types_pb2.GroupId) -> GroupId:
    """Converts a group ID."""
    return GroupId(group_id.daemon_id, group_id.time, group_id.index)


def _to_headers(headers: Mapping[str, str]) -> MessageHeaders:
    return MessageHeaders(headers) if headers else NO_HEADERS


def to_view(view: event_pb2.MembershipView, sequence: int = 0, received_ms: int = 0) -> ViewMessage:
    """Converts a view."""
    return ViewMessage(
        sequence,
        received_ms,
        view.group,
        to_group_id(view.group_id),
        _CAUSES.get(view.cause),
        tuple(view.members),
        view.own_index,
        tuple(view.changed_members),
        tuple(VirtualSynchronySet(tuple(one.members), one.mine) for one in view.virtual_synchrony_sets),
    )


def _view(event: event_pb2.Event, sequence: int, received_ms: int) -> ViewMessage:
    return to_view(event.membership_view, sequence, received_ms)


def _transitional(event: event_pb2.Event, sequence: int, received_ms: int) -> TransitionalMessage:
    signal = event.transitional_signal
    return TransitionalMessage(sequence, received_ms, signal.group, to_group_id(signal.group_id))


def _self_leave(event: event_pb2.Event, sequence: int, received_ms: int) -> SelfLeaveMessage:
    return SelfLeaveMessage(sequence, received_ms, event.self_leave.group)


def _rejected(event: event_pb2.Event, sequence: int, received_ms: int) -> RejectedMessage:
    message = event.rejected_message
    return RejectedMessage(
        sequence,
        received_ms,
        _OPERATIONS.get(message.operation),
        message.sender,
        tuple(message.groups),
        SERVICE_BITS.get(message.service_type, 0),
        message.message_type,
        message.payload,
        message.endian_mismatch,
        message.spread_type,
        _to_headers(message.headers),
    )


def _lost(event: event_pb2.Event, sequence: int, received_ms: int) -> ConnectionLost:
    lost = event.connection_lost
    return ConnectionLost(sequence, received_ms, lost.private_group, tuple(lost.groups), lost.spread_code)


def _restored(event: event_pb2.Event, sequence: int, received_ms: int) -> ConnectionRestored:
    restored = event.connection_restored
    return ConnectionRestored(
        sequence,
        received_ms,
        restored.previous_private_group,
        restored.private_group,
        tuple(restored.groups),
        restored.daemon,
    )


_KINDS: dict[Optional[str], Callable[[event_pb2.Event, int, int], SpreadEvent]] = {
    "membership_view": _view,
    "transitional_signal": _transitional,
    "self_leave": _self_leave,
    "rejected_message": _rejected,
    "connection_lost": _lost,
    "connection_restored": _restored,
}


class DecodedBatch:
    """The decoded events of a batch."""

    __slots__ = ("events", "gap", "last")

    #: The events after ``after``, without those of a kind that this release does not know.
    events: list[SpreadEvent]
    #: The last sequence that was received without a gap.
    last: int
    #: The sequence that arrived instead of the expected one. None if there was no gap.
    gap: Optional[int]

    def __init__(self, events: list[SpreadEvent], last: int, gap: Optional[int]) -> None:
        self.events = events
        self.last = last
        self.gap = gap


def decode_batch(batch: mailbox_service_pb2.EventBatch, after: int) -> DecodedBatch:
    """Decodes the events of a batch after ``after``. Their sequences must have no gap."""
    events: list[SpreadEvent] = []
    add = events.append
    bits = SERVICE_BITS
    last = after
    for event in batch.events:
        sequence = event.sequence
        if sequence != last + 1:
            if sequence <= last:
                continue
            return DecodedBatch(events, last, sequence)
        last = sequence
        received_at = event.received_at
        received_ms = received_at.seconds * 1000 + received_at.nanos // 1_000_000
        kind = event.WhichOneof("kind")
        if kind == "regular_message":
            message = event.regular_message
            groups = message.groups
            headers = message.headers
            add(
                RegularMessage(
                    sequence,
                    received_ms,
                    message.sender,
                    # Fast path: most messages have one group, and a tuple of a repeated field takes twice as
                    # long.
                    (groups[0],) if len(groups) == 1 else tuple(groups),
                    bits.get(message.service_type, 0),
                    message.message_type,
                    message.payload,
                    message.endian_mismatch,
                    message.spread_type,
                    _to_headers(headers) if headers else NO_HEADERS,
                )
            )
        else:
            convert = _KINDS.get(kind)
            if convert is not None:
                add(convert(event, sequence, received_ms))
    return DecodedBatch(events, last, None)
