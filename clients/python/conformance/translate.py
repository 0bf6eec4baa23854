"""Converts between the driver's protocol (test/conformance/README.md) and the client's API."""

from __future__ import annotations

import base64
from typing import Any, Optional

import spread_sidecar as s

SERVICE_TYPES = {
    "UNRELIABLE": s.UNRELIABLE_MESS,
    "RELIABLE": s.RELIABLE_MESS,
    "FIFO": s.FIFO_MESS,
    "CAUSAL": s.CAUSAL_MESS,
    "AGREED": s.AGREED_MESS,
    "SAFE": s.SAFE_MESS,
}
SERVICE_NAMES = {bits: name for name, bits in SERVICE_TYPES.items()}

Json = dict[str, Any]


class DriverError(Exception):
    """The driver could not execute the request."""


def seconds(ms: Optional[float]) -> Optional[float]:
    return None if ms is None else ms / 1000


def ms(value: Optional[float]) -> Optional[float]:
    return None if value is None else round(value * 1000, 6)


def error_json(error: s.SpreadError) -> Json:
    return {
        "status": error.status,
        "reason": error.reason,
        "domain": error.domain,
        "code": error.code,
        "number": error.number,
        "metadata": dict(error.metadata),
        "retryable": error.retryable,
        "retryDelayMs": ms(error.retry_delay),
        "outcome": error.outcome,
        "message": error.message,
    }


def failure_json(error: s.SpreadError) -> Json:
    """Contains the kind of the error, which is only absent in the end of receiving."""
    return {"kind": "spread", **error_json(error)}


def _group_id(group_id: s.GroupId) -> list[int]:
    return [group_id.daemon_id, group_id.time, group_id.index]


def event_json(event: s.SpreadEvent) -> Json:
    if isinstance(event, s.RegularMessage):
        return {
            "kind": "regular",
            "sequence": event.sequence,
            "sender": event.sender,
            "groups": list(event.groups),
            "serviceType": SERVICE_NAMES.get(event.service_type),
            "messageType": event.message_type,
            "payload": base64.b64encode(event.payload).decode(),
            "endianMismatch": event.endian_mismatch,
            "selfDiscard": event.self_discard,
            "headers": dict(event.headers),
        }
    if isinstance(event, s.ViewMessage):
        return {
            "kind": "view",
            "sequence": event.sequence,
            "group": event.group,
            "groupId": _group_id(event.group_id),
            "cause": event.cause,
            "members": list(event.members),
            "ownIndex": event.own_index,
            "changedMembers": list(event.changed_members),
            "sets": [{"members": list(one.members), "mine": one.mine} for one in event.sets],
        }
    if isinstance(event, s.TransitionalMessage):
        return {
            "kind": "transitional",
            "sequence": event.sequence,
            "group": event.group,
            "groupId": _group_id(event.group_id),
        }
    if isinstance(event, s.SelfLeaveMessage):
        return {"kind": "selfLeave", "sequence": event.sequence, "group": event.group}
    if isinstance(event, s.RejectedMessage):
        return {
            "kind": "rejected",
            "sequence": event.sequence,
            "operation": event.operation,
            "sender": event.sender,
            "groups": list(event.groups),
            "serviceType": SERVICE_NAMES.get(event.service_type),
            "messageType": event.message_type,
            "payload": base64.b64encode(event.payload).decode(),
            "headers": dict(event.headers),
        }
    if isinstance(event, s.ConnectionLost):
        return {
            "kind": "connectionLost",
            "sequence": event.sequence,
            "privateGroup": event.private_group,
            "groups": list(event.groups),
            "spreadCode": event.spread_code,
        }
    return {
        "kind": "connectionRestored",
        "sequence": event.sequence,
        "previousPrivateGroup": event.previous_private_group,
        "privateGroup": event.private_group,
        "groups": list(event.groups),
        "daemon": event.daemon,
    }


def notice_json(notice: s.Notice) -> Json:
    if isinstance(notice, s.Attached):
        return {"kind": "attached", "nextSequence": notice.next_sequence, "groups": list(notice.groups)}
    if isinstance(notice, s.Detached):
        return {"kind": "detached", "error": failure_json(notice.error)}
    if isinstance(notice, s.SlowConsumer):
        return {
            "kind": "slowConsumer",
            "queuedEvents": notice.queued_events,
            "queuedBytes": notice.queued_bytes,
            "timeLeftMs": ms(notice.time_left),
        }
    return {"kind": "ended", "error": failure_json(notice.error) if notice.error else None}


_CHANNEL = {"target": "target", "token": "token", "insecure": "insecure", "headers": "headers"}
_RECEIVE = {
    "manualAcknowledgement": "manual_acknowledgement",
    "autoReceive": "auto_receive",
    "maxBufferedEvents": "max_buffered_events",
    "maxBufferedBytes": "max_buffered_bytes",
    "maxOutstandingEvents": "max_outstanding_events",
    "maxOutstandingBytes": "max_outstanding_bytes",
    "keepAlive": "keep_alive",
    "afterSequence": "after_sequence",
}
_MAILBOX = {
    "privateName": "private_name",
    "spreadName": "spread_name",
    "onNameConflict": "on_name_conflict",
    "priority": "priority",
    "membership": "membership",
    "auth": "auth",
    "acknowledgement": "acknowledgement",
    **_RECEIVE,
}
_SENDER = {
    "maxInFlightMessages": "max_in_flight_messages",
    "maxInFlightBytes": "max_in_flight_bytes",
    "maxBatchBytes": "max_batch_bytes",
}


def _given(args: Json, names: dict[str, str]) -> Json:
    return {name: args[key] for key, name in names.items() if args.get(key) is not None}


def channel_options(args: Json) -> Json:
    options = _given(args, _CHANNEL)
    tls = args.get("tls")
    if tls is not None:
        options["tls"] = s.TlsOptions(
            ca=tls.get("ca"), cert=tls.get("cert"), key=tls.get("key"), server_name=tls.get("serverName")
        )
    if args.get("callTimeoutMs") is not None:
        options["call_timeout"] = args["callTimeoutMs"] / 1000
    return options


def mailbox_options(args: Json) -> Json:
    options = _given(args, _MAILBOX)
    if args.get("leaseMs") is not None:
        options["lease"] = args["leaseMs"] / 1000
    if args.get("heartbeatIntervalMs") is not None:
        options["heartbeat_interval"] = args["heartbeatIntervalMs"] / 1000
    if args.get("reconnect") is not None:
        options["reconnect"] = _reconnect(args["reconnect"])
    if args.get("queue") is not None:
        options["queue"] = _queue(args["queue"])
    return options


def _reconnect(wish: Any) -> Any:
    if isinstance(wish, bool):
        return wish
    return s.ReconnectOptions(
        give_up_after=seconds(wish.get("giveUpAfterMs")),
        on_name_loss=wish.get("onNameLoss"),
        queue_multicasts=wish.get("queueMulticasts", False),
    )


def _queue(queue: Json) -> s.QueueOptions:
    soft = queue.get("softLimit")
    return s.QueueOptions(
        max_events=queue.get("maxEvents"),
        max_bytes=queue.get("maxBytes"),
        replay_bytes=queue.get("replayBytes"),
        overflow=queue.get("overflow"),
        soft_limit=None if soft is None else s.SoftLimit(soft.get("fraction", 0), seconds(soft.get("timeMs"))),
    )


def sender_options(args: Json) -> Json:
    return _given(args, _SENDER)


def message_arguments(args: Json) -> tuple[int, list[str], bytes, int, bool, Optional[dict[str, str]]]:
    """Service type, groups, payload, message type, self-discard, headers."""
    service_type = args.get("serviceType")
    return (
        SERVICE_TYPES.get(service_type, 0) if isinstance(service_type, str) else service_type or 0,
        args.get("groups", []),
        base64.b64decode(args.get("payload", "")),
        args.get("messageType", 0),
        args.get("selfDiscard", False),
        args.get("headers"),
    )


def opened_json(mailbox: Any) -> Json:
    return {
        "mailboxId": mailbox.id,
        "privateGroup": mailbox.private_group,
        "daemon": mailbox.daemon,
        "daemonVersion": list(mailbox.daemon_version),
        "leaseMs": ms(mailbox.limits.lease),
        "acknowledgement": mailbox.acknowledgement,
    }


def version_json(version: s.SidecarVersion) -> Json:
    return {
        "sidecar": version.sidecar,
        "contract": version.contract,
        "clientProtocol": list(version.client_protocol),
        "daemon": list(version.daemon) if version.daemon else None,
        "daemonAddress": version.daemon_address,
        "embeddedDaemon": version.embedded_daemon,
    }


def info_json(info: s.MailboxInfo) -> Json:
    return {
        "privateGroup": info.private_group,
        "state": info.state,
        "daemon": info.daemon,
        "membership": info.membership,
        "acknowledgement": info.acknowledgement,
        "groups": list(info.groups),
        "receiverAttached": info.receiver_attached,
        "lastSequence": info.last_sequence,
        "deliveredSequence": info.delivered_sequence,
        "acknowledgedSequence": info.acknowledged_sequence,
        "waitingEvents": info.waiting_events,
        "waitingBytes": info.waiting_bytes,
        "messagesSent": info.messages_sent,
        "payloadBytesSent": info.payload_bytes_sent,
    }


def poll_json(result: s.PollResult) -> Json:
    return {
        "bufferedEvents": result.buffered_events,
        "waitingEvents": result.waiting_events,
        "waitingBytes": result.waiting_bytes,
        "state": result.state,
    }


def serve_options(args: Json) -> Json:
    return _given(args, {"concurrency": "concurrency", "maxQueued": "max_queued"})


def request_options(args: Json) -> Json:
    options = _given(args, {"replies": "replies", "headers": "headers"})
    if args.get("timeoutMs") is not None:
        options["timeout"] = args["timeoutMs"] / 1000
    return options


def echo(request: s.IncomingRequest) -> s.OutgoingReply:
    return s.OutgoingReply(request.payload, {"served": "yes"})


def fail(request: s.IncomingRequest) -> s.OutgoingReply:
    raise RuntimeError("it failed")


def replies_json(result: s.Replies) -> Json:
    return {
        "replies": [
            {
                "sender": reply.sender,
                "payload": base64.b64encode(reply.payload).decode(),
                "headers": dict(reply.headers),
                "error": reply.error,
            }
            for reply in result.replies
        ],
        "left": list(result.left),
        "overloaded": list(result.overloaded),
        "missing": list(result.missing),
        "timedOut": result.timed_out,
        "complete": result.complete,
    }


def statistics_json(statistics: s.RequestStatistics) -> Json:
    return {
        "open": statistics.open,
        "lateReplies": statistics.late_replies,
        "duplicateReplies": statistics.duplicate_replies,
    }


def progress_json(progress: s.SenderProgress) -> Json:
    return {"sent": progress.sent, "decided": progress.decided, "accepted": progress.accepted}


def sender_state_json(sender: Any, refusals: list[s.Refusal]) -> Json:
    return {
        **progress_json(sender.progress),
        "undecided": len(sender.undecided),
        "refusals": [{"index": refusal.index, "error": failure_json(refusal.error)} for refusal in refusals],
    }
