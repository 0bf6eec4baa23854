//! Converts events of the contract. Names and payloads are moved, not copied.

use std::time::{Duration, SystemTime};

use crate::contract::{self, event::Kind};
use crate::event::*;
use crate::{Event, Service};

pub(crate) fn to_time(at: Option<prost_types::Timestamp>) -> Option<SystemTime> {
    let at = at?;
    let seconds = u64::try_from(at.seconds).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, u32::try_from(at.nanos).ok()?))
}

pub(crate) fn to_group_id(id: Option<contract::GroupId>) -> GroupId {
    let id = id.unwrap_or_default();
    GroupId { daemon_id: id.daemon_id, time: id.time, index: id.index }
}

pub(crate) fn to_view(info: EventInfo, view: contract::MembershipView) -> ViewMessage {
    let cause = match view.cause() {
        contract::MembershipCause::Join => MembershipCause::Join,
        contract::MembershipCause::Leave => MembershipCause::Leave,
        contract::MembershipCause::Disconnect => MembershipCause::Disconnect,
        contract::MembershipCause::Network => MembershipCause::Network,
        contract::MembershipCause::Unspecified => MembershipCause::Other,
    };
    ViewMessage {
        info,
        group: view.group,
        group_id: to_group_id(view.group_id),
        cause,
        members: view.members,
        own_index: usize::try_from(view.own_index).ok(),
        changed_members: view.changed_members,
        sets: view
            .virtual_synchrony_sets
            .into_iter()
            .map(|set| VirtualSynchronySet { members: set.members, mine: set.mine })
            .collect(),
    }
}

pub(crate) fn to_self_leave(info: EventInfo, left: contract::SelfLeave) -> SelfLeaveMessage {
    SelfLeaveMessage { info, group: left.group }
}

fn to_rejected(info: EventInfo, message: contract::RejectedMessage) -> RejectedMessage {
    let operation = match message.operation() {
        contract::RejectedOperation::Join => RejectedOperation::Join,
        contract::RejectedOperation::Leave => RejectedOperation::Leave,
        contract::RejectedOperation::Multicast => RejectedOperation::Multicast,
        contract::RejectedOperation::Unspecified => RejectedOperation::Other,
    };
    RejectedMessage {
        info,
        operation,
        sender: message.sender,
        groups: message.groups,
        service_type: Service::from_contract(message.service_type),
        message_type: message.message_type,
        payload: message.payload,
        endian_mismatch: message.endian_mismatch,
        spread_type: Service(message.spread_type),
        headers: message.headers,
    }
}

/// None for a kind that this release does not know.
pub(crate) fn to_event(event: contract::Event) -> Option<Event> {
    let info = EventInfo { sequence: event.sequence, received_at: to_time(event.received_at) };
    Some(match event.kind? {
        Kind::RegularMessage(message) => Event::Regular(RegularMessage {
            info,
            sender: message.sender,
            groups: message.groups,
            service_type: Service::from_contract(message.service_type),
            message_type: message.message_type,
            payload: message.payload,
            endian_mismatch: message.endian_mismatch,
            spread_type: Service(message.spread_type),
            headers: message.headers,
        }),
        Kind::MembershipView(view) => Event::View(to_view(info, view)),
        Kind::TransitionalSignal(signal) => Event::Transitional(TransitionalMessage {
            info,
            group: signal.group,
            group_id: to_group_id(signal.group_id),
        }),
        Kind::SelfLeave(left) => Event::SelfLeave(to_self_leave(info, left)),
        Kind::RejectedMessage(message) => Event::Rejected(to_rejected(info, message)),
        Kind::ConnectionLost(lost) => Event::ConnectionLost(ConnectionLost {
            info,
            private_group: lost.private_group,
            groups: lost.groups,
            spread_code: lost.spread_code,
        }),
        Kind::ConnectionRestored(restored) => Event::ConnectionRestored(ConnectionRestored {
            info,
            previous_private_group: restored.previous_private_group,
            private_group: restored.private_group,
            groups: restored.groups,
            daemon: restored.daemon,
        }),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn messages_keep_their_headers() {
        for headers in [BTreeMap::new(), BTreeMap::from([("reply-to".to_owned(), "#a#b".to_owned())])] {
            let regular = contract::RegularMessage { headers: headers.clone(), ..Default::default() };
            let rejected = contract::RejectedMessage { headers: headers.clone(), ..Default::default() };
            for kind in [Kind::RegularMessage(regular), Kind::RejectedMessage(rejected)] {
                let event = to_event(contract::Event { kind: Some(kind), ..Default::default() });
                let (Some(Event::Regular(RegularMessage { headers: received, .. }))
                | Some(Event::Rejected(RejectedMessage { headers: received, .. }))) = event
                else {
                    panic!("a message was expected, not {event:?}")
                };
                assert_eq!(received, headers);
            }
        }
    }
}
