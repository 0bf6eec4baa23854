"""Converts responses of the contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from ..events import SelfLeaveMessage, ViewMessage
from ..gen.spread.sidecar.v1 import mailbox_service_pb2 as service
from ..gen.spread.sidecar.v1 import types_pb2
from ..info import (
    AcknowledgementMode,
    CurrentView,
    MailboxInfo,
    MailboxLimits,
    MailboxState,
    PollResult,
    QueueLimits,
    SidecarVersion,
    VersionTriple,
)
from ..options import SoftLimit
from .durations import to_datetime, to_seconds
from .from_event import to_view
from .local_errors import invalid_response

_STATES: dict[int, MailboxState] = {
    types_pb2.MAILBOX_STATE_OPEN: "OPEN",
    types_pb2.MAILBOX_STATE_RECONNECTING: "RECONNECTING",
    types_pb2.MAILBOX_STATE_ENDED: "ENDED",
}


@dataclass(frozen=True)
class MailboxInit:
    """The arguments of a Mailbox."""

    id: str
    private_group: str
    daemon: str
    daemon_version: VersionTriple
    limits: MailboxLimits
    acknowledgement: AcknowledgementMode
    after_sequence: int


def to_triple(version: types_pb2.Version) -> VersionTriple:
    """Converts a version."""
    return (version.major, version.minor, version.patch)


def _to_mode(mode: int) -> AcknowledgementMode:
    return "EXPLICIT" if mode == types_pb2.ACKNOWLEDGEMENT_EXPLICIT else "AUTO"


def _to_limits(limits: service.MailboxLimits) -> MailboxLimits:
    queue = limits.queue
    soft = queue.soft_limit if queue.HasField("soft_limit") else None
    return MailboxLimits(
        lease=to_seconds(limits.lease),
        queue=QueueLimits(
            max_events=queue.max_events,
            max_bytes=queue.max_bytes,
            replay_bytes=queue.replay_bytes,
            overflow="DISCONNECT" if queue.overflow == types_pb2.OVERFLOW_POLICY_DISCONNECT else "PAUSE",
            soft_limit=None if soft is None else SoftLimit(soft.fraction, to_seconds(soft.time)),
        ),
        max_groups_per_message=limits.max_groups_per_message,
        max_message_bytes=limits.max_message_bytes,
        max_groups=limits.max_groups,
        max_send_queue_bytes=limits.max_send_queue_bytes,
    )


def opened(answer: service.ConnectResponse) -> MailboxInit:
    """Converts the response of Connect."""
    return MailboxInit(
        id=answer.mailbox_id,
        private_group=answer.private_group,
        daemon=answer.daemon,
        daemon_version=to_triple(answer.daemon_version),
        limits=_to_limits(answer.limits),
        acknowledgement=_to_mode(answer.acknowledgement),
        after_sequence=0,
    )


def attached(mailbox_id: str, info: MailboxInfo, after_sequence: Optional[int]) -> MailboxInit:
    """The arguments of an attached mailbox."""
    given = info.acknowledged_sequence if info.acknowledgement == "EXPLICIT" else info.delivered_sequence
    return MailboxInit(
        id=mailbox_id,
        private_group=info.private_group,
        daemon=info.daemon,
        daemon_version=info.daemon_version,
        limits=info.limits,
        acknowledgement=info.acknowledgement,
        after_sequence=given if after_sequence is None else after_sequence,
    )


def to_info(mailbox: service.Mailbox) -> MailboxInfo:
    """Converts state and counters of a mailbox."""
    return MailboxInfo(
        private_group=mailbox.private_group,
        state=_STATES.get(mailbox.state, "UNKNOWN"),
        daemon=mailbox.daemon,
        daemon_version=to_triple(mailbox.daemon_version),
        membership=mailbox.membership,
        acknowledgement=_to_mode(mailbox.acknowledgement),
        limits=_to_limits(mailbox.limits),
        groups=tuple(mailbox.groups),
        opened_at=to_datetime(mailbox.opened_at) if mailbox.HasField("opened_at") else None,
        receiver_attached=mailbox.receiver_attached,
        last_sequence=mailbox.last_sequence,
        delivered_sequence=mailbox.delivered_sequence,
        acknowledged_sequence=mailbox.acknowledged_sequence,
        waiting_events=mailbox.waiting_events,
        waiting_bytes=mailbox.waiting_bytes,
        retained_bytes=mailbox.retained_bytes,
        messages_sent=mailbox.messages_sent,
        payload_bytes_sent=mailbox.payload_bytes_sent,
        send_queue_bytes=mailbox.send_queue_bytes,
        paused=mailbox.paused,
        lease_ends_at=to_datetime(mailbox.lease_ends_at) if mailbox.HasField("lease_ends_at") else None,
        display_id=mailbox.display_id,
        soft_limit_ends_at=(
            to_datetime(mailbox.soft_limit_ends_at) if mailbox.HasField("soft_limit_ends_at") else None
        ),
    )


def info_of(answer: service.GetMailboxResponse) -> MailboxInfo:
    """Converts the response of GetMailbox."""
    if not answer.HasField("mailbox"):
        raise invalid_response("GetMailbox", "has no mailbox")
    return to_info(answer.mailbox)


def joined(answer: service.JoinResponse, await_view: bool) -> Optional[ViewMessage]:
    """Converts the response of Join. ``await_view``: whether the request asked for the view."""
    if answer.HasField("view"):
        return to_view(answer.view)
    if await_view:
        raise invalid_response("Join", "has no view")
    return None


def left(answer: service.LeaveResponse) -> Optional[SelfLeaveMessage]:
    """Converts the response of Leave."""
    return SelfLeaveMessage(0, 0, answer.self_leave.group) if answer.HasField("self_leave") else None


def polled(answer: service.PollResponse, buffered: int) -> PollResult:
    """Converts the response of Poll, and adds the events that wait in this client."""
    return PollResult(buffered, answer.waiting_events, answer.waiting_bytes, _STATES.get(answer.state, "UNKNOWN"))


def current_view(answer: service.GetViewResponse) -> CurrentView:
    """Converts the response of GetView."""
    if not answer.HasField("view"):
        raise invalid_response("GetView", "has no view")
    return CurrentView(to_view(answer.view), answer.in_transition)


def to_version(answer: service.GetVersionResponse) -> SidecarVersion:
    """Converts the response of GetVersion."""
    return SidecarVersion(
        sidecar=answer.sidecar,
        contract=answer.contract,
        client_protocol=to_triple(answer.client_protocol),
        daemon=to_triple(answer.daemon) if answer.HasField("daemon") else None,
        daemon_address=answer.daemon_address,
        embedded_daemon=answer.embedded_daemon,
    )
