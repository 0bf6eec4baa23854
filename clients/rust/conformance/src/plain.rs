//! Converts objects of the client to the protocol.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use spread_sidecar::*;

/// Why a request failed.
pub enum Failure {
    Spread(SpreadError),
    /// The runner cancelled the request: its future was dropped, so that the client returns no
    /// error.
    Cancelled,
    /// The same, after the timeout of the request.
    Late,
    Driver(String),
}

impl From<SpreadError> for Failure {
    fn from(error: SpreadError) -> Self {
        Self::Spread(error)
    }
}

impl Failure {
    pub fn to_json(&self) -> Value {
        let mut result = match self {
            Self::Driver(message) => return json!({ "kind": "driver", "message": message }),
            Self::Spread(error) if error.refused() > 0 => {
                return json!({ "kind": "rejected", "errors": error.refusals().len(), "message": error.message() });
            }
            Self::Spread(error) => without_kind(error),
            Self::Cancelled => given_up("CANCELLED"),
            Self::Late => given_up("DEADLINE_EXCEEDED"),
        };
        result["kind"] = "spread".into();
        result
    }
}

fn given_up(status: &str) -> Value {
    json!({
        "status": status, "reason": "", "domain": "", "code": null, "number": null, "metadata": {},
        "retryable": false, "retryDelayMs": null, "outcome": null, "message": "the request was given up",
    })
}

pub fn to_answer(id: u64, result: Result<Value, Failure>) -> Value {
    match result {
        Ok(ok) => json!({ "id": id, "ok": ok }),
        Err(failure) => json!({ "id": id, "error": failure.to_json() }),
    }
}

pub fn in_millis(duration: Duration) -> Value {
    let ms = duration.as_secs_f64() * 1000.0;
    if ms.fract() == 0.0 { json!(ms as u64) } else { json!(ms) }
}

pub fn without_kind(error: &SpreadError) -> Value {
    json!({
        "status": error.status().as_str(),
        "reason": error.reason(),
        "domain": error.domain(),
        "code": error.code().map(Code::as_str),
        "number": error.number(),
        "metadata": error.metadata(),
        "retryable": error.is_retryable(),
        "retryDelayMs": error.retry_delay().map(in_millis),
        "outcome": error.outcome().map(Outcome::as_str),
        "message": error.message(),
    })
}

fn to_error(error: &SpreadError) -> Value {
    Failure::Spread(error.clone()).to_json()
}

pub fn to_triple(version: VersionTriple) -> Value {
    json!([version.major, version.minor, version.patch])
}

fn to_group_id(id: GroupId) -> Value {
    json!([id.daemon_id, id.time, id.index])
}

pub fn to_view(view: &ViewMessage) -> Value {
    let sets: Vec<_> = view.sets.iter().map(|set| json!({ "members": set.members, "mine": set.mine })).collect();
    json!({
        "kind": "view",
        "sequence": view.info.sequence,
        "group": view.group,
        "groupId": to_group_id(view.group_id),
        "cause": view.cause.as_str(),
        "members": view.members,
        "ownIndex": view.own_index.map_or(-1, |index| index as i64),
        "changedMembers": view.changed_members,
        "sets": sets,
    })
}

pub fn to_self_leave(left: &SelfLeaveMessage) -> Value {
    json!({ "kind": "selfLeave", "sequence": left.info.sequence, "group": left.group })
}

pub fn to_event(event: &Event) -> Value {
    let sequence = event.sequence();
    match event {
        Event::Regular(message) => json!({
            "kind": "regular",
            "sequence": sequence,
            "sender": message.sender,
            "groups": message.groups,
            "serviceType": message.service_type.name(),
            "messageType": message.message_type,
            "payload": BASE64_STANDARD.encode(&message.payload),
            "endianMismatch": message.endian_mismatch,
            "selfDiscard": message.self_discard(),
            "headers": message.headers,
        }),
        Event::Rejected(message) => json!({
            "kind": "rejected",
            "sequence": sequence,
            "operation": match message.operation {
                RejectedOperation::Join => Some("JOIN"),
                RejectedOperation::Leave => Some("LEAVE"),
                RejectedOperation::Multicast => Some("MULTICAST"),
                _ => None,
            },
            "sender": message.sender,
            "groups": message.groups,
            "serviceType": message.service_type.name(),
            "messageType": message.message_type,
            "payload": BASE64_STANDARD.encode(&message.payload),
            "headers": message.headers,
        }),
        Event::View(view) => to_view(view),
        Event::Transitional(signal) => json!({
            "kind": "transitional",
            "sequence": sequence,
            "group": signal.group,
            "groupId": to_group_id(signal.group_id),
        }),
        Event::SelfLeave(left) => to_self_leave(left),
        Event::ConnectionLost(lost) => json!({
            "kind": "connectionLost",
            "sequence": sequence,
            "privateGroup": lost.private_group,
            "groups": lost.groups,
            "spreadCode": lost.spread_code,
        }),
        Event::ConnectionRestored(restored) => json!({
            "kind": "connectionRestored",
            "sequence": sequence,
            "previousPrivateGroup": restored.previous_private_group,
            "privateGroup": restored.private_group,
            "groups": restored.groups,
            "daemon": restored.daemon,
        }),
        _ => json!({ "kind": null, "sequence": sequence }),
    }
}

pub fn to_notice(notice: &Notice) -> Value {
    match notice {
        Notice::Attached(attached) => {
            json!({ "kind": "attached", "nextSequence": attached.next_sequence, "groups": attached.groups })
        }
        Notice::Detached(error) => json!({ "kind": "detached", "error": to_error(error) }),
        Notice::SlowConsumer(slow) => json!({
            "kind": "slowConsumer",
            "queuedEvents": slow.queued_events,
            "queuedBytes": slow.queued_bytes,
            "timeLeftMs": slow.time_left.map(in_millis),
        }),
        Notice::Ended(error) => json!({ "kind": "ended", "error": error.as_ref().map(to_error) }),
        _ => json!({ "kind": null }),
    }
}

pub fn to_refusal(refusal: &Refusal) -> Value {
    json!({ "index": refusal.index, "error": to_error(&refusal.error) })
}

pub fn to_progress(progress: SenderProgress) -> Value {
    json!({ "sent": progress.sent, "decided": progress.decided, "accepted": progress.accepted })
}
