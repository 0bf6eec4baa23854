use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;

use crate::Service;

/// A received event.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A message that a client has sent with a multicast.
    Regular(RegularMessage),
    /// A new view of a group.
    View(ViewMessage),
    /// A transitional signal: the guarantees of the current view now hold only among the members
    /// that stay together.
    Transitional(TransitionalMessage),
    /// This mailbox left a group.
    SelfLeave(SelfLeaveMessage),
    /// The daemon's access policy rejected an operation of this mailbox.
    Rejected(RejectedMessage),
    /// The sidecar lost the daemon connection. Only with [`crate::MailboxOptions::reconnect`].
    ConnectionLost(ConnectionLost),
    /// The sidecar reconnected to a daemon. Only with [`crate::MailboxOptions::reconnect`].
    ConnectionRestored(ConnectionRestored),
}

impl Event {
    /// The common part of all events.
    pub fn info(&self) -> EventInfo {
        match self {
            Self::Regular(event) => event.info,
            Self::View(event) => event.info,
            Self::Transitional(event) => event.info,
            Self::SelfLeave(event) => event.info,
            Self::Rejected(event) => event.info,
            Self::ConnectionLost(event) => event.info,
            Self::ConnectionRestored(event) => event.info,
        }
    }

    /// The position in the mailbox; see [`EventInfo::sequence`].
    pub fn sequence(&self) -> u64 {
        self.info().sequence
    }

    /// The group of a membership message. None for other events.
    pub fn about_group(&self) -> Option<&str> {
        match self {
            Self::View(event) => Some(&event.group),
            Self::Transitional(event) => Some(&event.group),
            Self::SelfLeave(event) => Some(&event.group),
            _ => None,
        }
    }

    /// Approximate memory of the event, for the inbox's limit. Unit: bytes.
    pub(crate) fn size(&self) -> usize {
        const FIXED: usize = 192;
        match self {
            Self::Regular(message) => {
                FIXED + message.payload.len() + 32 * message.groups.len() + size_of_headers(&message.headers)
            }
            Self::Rejected(message) => {
                FIXED + message.payload.len() + 32 * message.groups.len() + size_of_headers(&message.headers)
            }
            Self::View(view) => FIXED + 48 * (view.members.len() + view.changed_members.len()),
            _ => FIXED,
        }
    }
}

/// Approximate memory of headers. Unit: bytes.
fn size_of_headers(headers: &BTreeMap<String, String>) -> usize {
    headers.iter().map(|(name, value)| 64 + name.len() + value.len()).sum()
}

/// The common part of all events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventInfo {
    /// Position in the mailbox: 1 for the first event, then incremented by 1. 0 for the result of a
    /// call, which is not an event of the mailbox.
    pub sequence: u64,
    /// When the sidecar read the event from the daemon, by the sidecar's clock, in millisecond
    /// resolution. None if the sequence is 0.
    pub received_at: Option<SystemTime>,
}

/// A message that a client has sent with a multicast.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RegularMessage {
    /// The common part of all events.
    pub info: EventInfo,
    /// The private group of the sender, such as `#alice#node1`.
    pub sender: String,
    /// All destinations that the sender named, including groups that this mailbox is not in.
    pub groups: Vec<String>,
    /// One of [`Service::UNRELIABLE_MESS`] to [`Service::SAFE_MESS`].
    pub service_type: Service,
    /// The message type, which the sender chose: -32768 to 32767.
    pub message_type: i32,
    /// The bytes exactly as sent. They share memory with messages that arrived at the same time. If
    /// you keep a payload for a long time, copy it with `Bytes::copy_from_slice` to release this
    /// memory.
    pub payload: Bytes,
    /// Whether the byte orders of the sender's and the sidecar's machine differ. The payload is not
    /// converted.
    pub endian_mismatch: bool,
    /// The complete service type word, as Spread's C library returns it.
    pub spread_type: Service,
    /// The headers; empty if there are none. [`crate::header`] has the reserved names.
    pub headers: BTreeMap<String, String>,
}

impl RegularMessage {
    /// Whether the sender asked not to receive its own message.
    pub fn self_discard(&self) -> bool {
        self.spread_type.is_self_discard()
    }

    /// The payload as UTF-8. Invalid bytes are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

/// The operation that the daemon rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectedOperation {
    /// A join.
    Join,
    /// A leave.
    Leave,
    /// A multicast.
    Multicast,
    /// An operation that this release does not know.
    Other,
}

/// A join, leave or message of this mailbox that the daemon's access policy rejected.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RejectedMessage {
    /// The common part of all events.
    pub info: EventInfo,
    /// The rejected operation.
    pub operation: RejectedOperation,
    /// The private group of the sender, which is this mailbox.
    pub sender: String,
    /// The destinations.
    pub groups: Vec<String>,
    /// The service type. 0 for a join or leave.
    pub service_type: Service,
    /// The message type.
    pub message_type: i32,
    /// The bytes of the message, which the daemon did not deliver.
    pub payload: Bytes,
    /// As in [`RegularMessage`].
    pub endian_mismatch: bool,
    /// The complete service type word, as Spread's C library returns it.
    pub spread_type: Service,
    /// The headers of the message; empty if there are none.
    pub headers: BTreeMap<String, String>,
}

/// The cause of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MembershipCause {
    /// One member joined.
    Join,
    /// One member left.
    Leave,
    /// The connection of one member ended.
    Disconnect,
    /// The daemons of the ring changed.
    Network,
    /// A cause that this release does not know.
    Other,
}

impl MembershipCause {
    /// The name in the contract, such as `JOIN`. Empty for [`MembershipCause::Other`].
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Join => "JOIN",
            Self::Leave => "LEAVE",
            Self::Disconnect => "DISCONNECT",
            Self::Network => "NETWORK",
            Self::Other => "",
        }
    }

    /// Spread's bit for the cause, such as [`Service::CAUSED_BY_JOIN`]. 0 for
    /// [`MembershipCause::Other`].
    pub fn bit(self) -> Service {
        match self {
            Self::Join => Service::CAUSED_BY_JOIN,
            Self::Leave => Service::CAUSED_BY_LEAVE,
            Self::Disconnect => Service::CAUSED_BY_DISCONNECT,
            Self::Network => Service::CAUSED_BY_NETWORK,
            Self::Other => Service(0),
        }
    }
}

impl fmt::Display for MembershipCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The identity of a view. Compare group IDs with `==`. Group IDs have no order. A group ID can
/// repeat after its group was empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct GroupId {
    /// The ID of the daemon that formed the daemon membership.
    pub daemon_id: u32,
    /// The time of the daemon membership, in seconds since 1970.
    pub time: i32,
    /// 1 for the first view of a group in a daemon membership, then incremented by 1.
    pub index: i32,
}

/// The three decimal numbers, separated by spaces.
impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.daemon_id, self.time, self.index)
    }
}

/// The members that moved together from one view to the next view. Between these views, they
/// received the same messages.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VirtualSynchronySet {
    /// Their private groups, in Spread's order.
    pub members: Vec<String>,
    /// Whether this is the set of the receiving mailbox. If there is only one set, this is always
    /// true.
    pub mine: bool,
}

/// A new view: the members of a group from now on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ViewMessage {
    /// The common part of all events.
    pub info: EventInfo,
    /// The group.
    pub group: String,
    /// The identity of the view.
    pub group_id: GroupId,
    /// The cause of the view.
    pub cause: MembershipCause,
    /// All members, in Spread's order. Every member gets the same order.
    pub members: Vec<String>,
    /// The index of this mailbox in `members`. None if it is not a member.
    pub own_index: Option<usize>,
    /// JOIN, LEAVE and DISCONNECT: the one member that joined or left. NETWORK: the members that
    /// did not move with this mailbox from the previous view.
    pub changed_members: Vec<String>,
    /// The virtual synchrony sets, in the daemon's order.
    pub sets: Vec<VirtualSynchronySet>,
}

/// A transitional signal. It precedes a NETWORK view after the loss of daemons. Messages between
/// the signal and the view belong to the old view. Their guarantees hold only among the members
/// that stay together.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TransitionalMessage {
    /// The common part of all events.
    pub info: EventInfo,
    /// The group.
    pub group: String,
    /// The identity of the view that ends.
    pub group_id: GroupId,
}

/// This mailbox left a group. No further message or view of the group follows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SelfLeaveMessage {
    /// The common part of all events.
    pub info: EventInfo,
    /// The group.
    pub group: String,
}

/// The sidecar lost the daemon connection. The mailbox is no longer in its groups, and Spread's
/// order of messages ends at this event.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionLost {
    /// The common part of all events.
    pub info: EventInfo,
    /// The lost private group.
    pub private_group: String,
    /// The groups of the mailbox, in the order in which it joined them.
    pub groups: Vec<String>,
    /// Spread's number for the cause, such as -8; see [`crate::Code::from_number`].
    pub spread_code: i32,
}

/// The sidecar reconnected to a daemon, with a new session and possibly a new private group.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionRestored {
    /// The common part of all events.
    pub info: EventInfo,
    /// The previous private group.
    pub previous_private_group: String,
    /// The new private group.
    pub private_group: String,
    /// The groups that the sidecar joins again. A view of each group follows.
    pub groups: Vec<String>,
    /// The Spread name of the connected daemon.
    pub daemon: String,
}
