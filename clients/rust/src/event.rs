use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;

use crate::Service;

/// Anything that a mailbox receives.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A message that somebody multicast.
    Regular(RegularMessage),
    /// A new membership of a group.
    View(ViewMessage),
    /// The guarantees of the current view now hold only among those who stay together.
    Transitional(TransitionalMessage),
    /// This mailbox has left a group.
    SelfLeave(SelfLeaveMessage),
    /// The daemon's policy refused something that this mailbox sent.
    Rejected(RejectedMessage),
    /// The daemon connection was lost. Only with [`crate::MailboxOptions::reconnect`].
    ConnectionLost(ConnectionLost),
    /// The daemon connection stands again. Only with [`crate::MailboxOptions::reconnect`].
    ConnectionRestored(ConnectionRestored),
}

impl Event {
    /// What every event has.
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

    /// Its position in the mailbox; see [`EventInfo::sequence`].
    pub fn sequence(&self) -> u64 {
        self.info().sequence
    }

    /// The group that a membership message is about; none for other events.
    pub fn about_group(&self) -> Option<&str> {
        match self {
            Self::View(event) => Some(&event.group),
            Self::Transitional(event) => Some(&event.group),
            Self::SelfLeave(event) => Some(&event.group),
            _ => None,
        }
    }

    /// A rough size in memory, for the inbox's bound. Unit: bytes.
    pub(crate) fn size(&self) -> usize {
        const FIXED: usize = 192;
        match self {
            Self::Regular(message) => FIXED + message.payload.len() + 32 * message.groups.len(),
            Self::Rejected(message) => FIXED + message.payload.len() + 32 * message.groups.len(),
            Self::View(view) => FIXED + 48 * (view.members.len() + view.changed_members.len()),
            _ => FIXED,
        }
    }
}

/// What every event has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventInfo {
    /// The position in the mailbox: 1 for its first event, then always one more. 0 for a view or self-leave that is the
    /// answer of a call and not one of the mailbox's events.
    pub sequence: u64,
    /// When the sidecar read it from the daemon, by the sidecar's clock, to the millisecond. None where the sequence is 0.
    pub received_at: Option<SystemTime>,
}

/// A message that somebody multicast.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RegularMessage {
    /// What every event has.
    pub info: EventInfo,
    /// The private group of the sender, such as `#alice#node1`.
    pub sender: String,
    /// Every destination as the sender named them: also groups that this mailbox is not in.
    pub groups: Vec<String>,
    /// One of [`Service::UNRELIABLE_MESS`] to [`Service::SAFE_MESS`].
    pub service_type: Service,
    /// The sender's own number for it, -32768 to 32767.
    pub message_type: i32,
    /// The bytes, exactly as sent. They share memory with the messages that came along with this one: an application
    /// that keeps a few of many payloads for long does better to copy them (`Bytes::copy_from_slice`).
    pub payload: Bytes,
    /// The sender's machine has the other byte order than the sidecar's; the payload is not touched.
    pub endian_mismatch: bool,
    /// The whole type word as Spread's C library returns it.
    pub spread_type: Service,
}

impl RegularMessage {
    /// Whether the sender asked for no copy to itself.
    pub fn self_discard(&self) -> bool {
        self.spread_type.is_self_discard()
    }

    /// The payload as text; what is no UTF-8 in it is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

/// What the daemon refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectedOperation {
    /// A join.
    Join,
    /// A leave.
    Leave,
    /// A multicast.
    Multicast,
    /// Something that this release does not know.
    Other,
}

/// Something that this mailbox sent and the daemon's access policy refused.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RejectedMessage {
    /// What every event has.
    pub info: EventInfo,
    /// What was refused.
    pub operation: RejectedOperation,
    /// The private group of the sender, that is of this mailbox.
    pub sender: String,
    /// The groups it was for.
    pub groups: Vec<String>,
    /// The guarantee that it was sent with; 0 for a join or leave.
    pub service_type: Service,
    /// The number that it was sent with.
    pub message_type: i32,
    /// The bytes that were not delivered.
    pub payload: Bytes,
    /// As in [`RegularMessage`].
    pub endian_mismatch: bool,
    /// The whole type word as Spread's C library returns it.
    pub spread_type: Service,
}

/// Why a view came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MembershipCause {
    /// One member joined.
    Join,
    /// One member left.
    Leave,
    /// One member's connection ended.
    Disconnect,
    /// Daemons were lost or found.
    Network,
    /// A cause that this release does not know.
    Other,
}

impl MembershipCause {
    /// The name in the contract, such as `JOIN`; empty for [`MembershipCause::Other`].
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Join => "JOIN",
            Self::Leave => "LEAVE",
            Self::Disconnect => "DISCONNECT",
            Self::Network => "NETWORK",
            Self::Other => "",
        }
    }

    /// Spread's bit for it, such as [`Service::CAUSED_BY_JOIN`]; 0 for [`MembershipCause::Other`].
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

/// The identity of one membership of one group. Two are the same exactly if `==` says so; no order is defined, and an id
/// may come again after its group was empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct GroupId {
    /// The id of the daemon that formed the daemon membership.
    pub daemon_id: u32,
    /// Seconds since 1970 of the daemon membership.
    pub time: i32,
    /// 1 for the first view of a group in a daemon membership, and one more for each later one.
    pub index: i32,
}

/// The three words in decimal, parted by blanks.
impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.daemon_id, self.time, self.index)
    }
}

/// Members that moved together from one view to the next, and so received the same messages in between.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VirtualSynchronySet {
    /// Their private groups, in Spread's order.
    pub members: Vec<String>,
    /// It is the receiver's own. With one set only, that one is marked, whoever is in it.
    pub mine: bool,
}

/// A new membership of a group: who is in it from now on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ViewMessage {
    /// What every event has.
    pub info: EventInfo,
    /// The group.
    pub group: String,
    /// The identity of this membership.
    pub group_id: GroupId,
    /// Why it came to be.
    pub cause: MembershipCause,
    /// All members, in Spread's order, the same at all of them.
    pub members: Vec<String>,
    /// The index of this mailbox in `members`; none if it is not among them.
    pub own_index: Option<usize>,
    /// JOIN, LEAVE and DISCONNECT: the one member that came or went. NETWORK: the members that did not come along with
    /// this mailbox from the view before.
    pub changed_members: Vec<String>,
    /// The virtual-synchrony sets, in the daemon's order.
    pub sets: Vec<VirtualSynchronySet>,
}

/// Comes before a NETWORK view when daemons were lost. Messages between it and the view belong to the old view, and their
/// guarantees hold only among the members who stay.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TransitionalMessage {
    /// What every event has.
    pub info: EventInfo,
    /// The group.
    pub group: String,
    /// The identity of the view that is ending.
    pub group_id: GroupId,
}

/// This mailbox has left a group: no further message or view of it follows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SelfLeaveMessage {
    /// What every event has.
    pub info: EventInfo,
    /// The group that was left.
    pub group: String,
}

/// The daemon connection was lost. Memberships and order end here.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionLost {
    /// What every event has.
    pub info: EventInfo,
    /// The private group that was lost.
    pub private_group: String,
    /// The groups that the mailbox was in, in the order in which it joined them.
    pub groups: Vec<String>,
    /// Spread's number for what happened, such as -8; see [`crate::Code::from_number`].
    pub spread_code: i32,
}

/// The daemon connection stands again, as a new session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionRestored {
    /// What every event has.
    pub info: EventInfo,
    /// The private group before.
    pub previous_private_group: String,
    /// The private group now.
    pub private_group: String,
    /// The groups that are being joined again; a view follows for each.
    pub groups: Vec<String>,
    /// The daemon that it is connected to now, as a spread name.
    pub daemon: String,
}
