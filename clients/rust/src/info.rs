use std::fmt;
use std::time::{Duration, SystemTime};

use crate::contract;
use crate::from_event::to_time;
use crate::rich_status::to_duration;
use crate::{AcknowledgementMode, OverflowPolicy, SoftLimit, ViewMessage};

/// The version of a release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionTriple {
    /// Major version.
    pub major: u32,
    /// Minor version.
    pub minor: u32,
    /// Patch version.
    pub patch: u32,
}

impl fmt::Display for VersionTriple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Versions of a sidecar and its daemon.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SidecarVersion {
    /// The sidecar's release, such as 0.1.0.
    pub sidecar: String,
    /// The package of the contract, `spread.sidecar.v1`.
    pub contract: String,
    /// The version that `SP_version` returns: the release of Spread whose client protocol the
    /// sidecar uses.
    pub client_protocol: VersionTriple,
    /// The release of the default daemon. None while the sidecar is not connected to it.
    pub daemon: Option<VersionTriple>,
    /// The Spread name of the default daemon. Empty while the sidecar is not connected to it.
    pub daemon_address: String,
    /// Whether the default daemon is the embedded daemon, for development and tests.
    pub embedded_daemon: bool,
}

/// The state of a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MailboxState {
    /// The mailbox is connected to its daemon.
    Open,
    /// The sidecar lost the daemon connection and reconnects.
    Reconnecting,
    /// The daemon connection ended. Earlier events may still be available.
    Ended,
    /// A state that this release does not know.
    Other,
}

impl MailboxState {
    /// The name in the contract, such as `OPEN`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Reconnecting => "RECONNECTING",
            Self::Ended => "ENDED",
            Self::Other => "UNKNOWN",
        }
    }
}

impl fmt::Display for MailboxState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Limits of a mailbox's delivery queue in the sidecar.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct QueueLimits {
    /// Maximum number of queued events.
    pub max_events: u64,
    /// Maximum size of the queued events, as encoded. Unit: bytes.
    pub max_bytes: u64,
    /// Replay window with [`AcknowledgementMode::Auto`]: size of the delivered events that the
    /// sidecar retains. Unit: bytes.
    pub replay_bytes: u64,
    /// What the sidecar does at a limit.
    pub overflow: OverflowPolicy,
    /// A limit that the queue may exceed for some time.
    pub soft_limit: Option<SoftLimit>,
}

/// The limits of a mailbox.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct MailboxLimits {
    /// The lease: the time that the mailbox lives without a receiver and without calls.
    pub lease: Duration,
    /// Limits of the delivery queue.
    pub queue: QueueLimits,
    /// Maximum number of groups to which a message can be sent.
    pub max_groups_per_message: u32,
    /// Maximum of this sum: payload size + 32 × number of groups. Unit: bytes.
    pub max_message_bytes: u32,
    /// Maximum number of groups that the mailbox can be in.
    pub max_groups: u32,
    /// Maximum size of the send queue to the daemon. Unit: bytes.
    pub max_send_queue_bytes: u64,
}

/// State and counters of a mailbox in the sidecar.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MailboxInfo {
    /// The private group of the mailbox.
    pub private_group: String,
    /// The state of the mailbox.
    pub state: MailboxState,
    /// The Spread name of the daemon.
    pub daemon: String,
    /// The release of the daemon.
    pub daemon_version: VersionTriple,
    /// Whether the mailbox receives membership messages.
    pub membership: bool,
    /// The acknowledgement mode.
    pub acknowledgement: AcknowledgementMode,
    /// The limits of the mailbox.
    pub limits: MailboxLimits,
    /// The groups of the mailbox, in the order in which it joined them.
    pub groups: Vec<String>,
    /// When the mailbox was opened.
    pub opened_at: Option<SystemTime>,
    /// Whether a Receive stream is attached.
    pub receiver_attached: bool,
    /// Sequence of the last event from the daemon. 0 if none.
    pub last_sequence: u64,
    /// Sequence of the last event that was delivered to a Receive stream. 0 if none.
    pub delivered_sequence: u64,
    /// Sequence of the last acknowledged event. With [`AcknowledgementMode::Auto`], of the last
    /// event that is no longer retained. 0 if none.
    pub acknowledged_sequence: u64,
    /// Number of queued events, which were not yet delivered to a Receive stream.
    pub waiting_events: u64,
    /// Size of the queued events. Unit: bytes.
    pub waiting_bytes: u64,
    /// Size of all retained events, delivered or not. Unit: bytes.
    pub retained_bytes: u64,
    /// Number of messages passed to the daemon.
    pub messages_sent: u64,
    /// Payload bytes passed to the daemon.
    pub payload_bytes_sent: u64,
    /// Size of the send queue to the daemon. Unit: bytes.
    pub send_queue_bytes: u64,
    /// Whether the sidecar stopped reading from the daemon because the queue is full.
    pub paused: bool,
    /// When the lease expires if the mailbox is not used. None while a Receive stream is attached.
    pub lease_ends_at: Option<SystemTime>,
    /// The display ID, which logs and metrics show. It is not a secret and gives no access.
    pub display_id: String,
    /// When the sidecar ends the mailbox because its queue exceeds the soft limit. None while the
    /// queue does not exceed the limit.
    pub soft_limit_ends_at: Option<SystemTime>,
}

/// The numbers of queued events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollResult {
    /// Number of events that [`crate::Mailbox::receive`] returns without a call to the sidecar.
    pub buffered_events: usize,
    /// Number of queued events in the sidecar.
    pub waiting_events: u64,
    /// Size of the queued events in the sidecar. Unit: bytes.
    pub waiting_bytes: u64,
    /// The state of the mailbox. It shows a lost daemon connection, which `SP_poll` does not
    /// distinguish from an empty queue.
    pub state: MailboxState,
}

/// The current view of a group.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CurrentView {
    /// The view.
    pub view: ViewMessage,
    /// Whether a transitional signal followed the view. A NETWORK view will follow.
    pub in_transition: bool,
}

pub(crate) fn to_version(version: Option<contract::Version>) -> VersionTriple {
    let version = version.unwrap_or_default();
    VersionTriple { major: version.major, minor: version.minor, patch: version.patch }
}

pub(crate) fn to_state(state: contract::MailboxState) -> MailboxState {
    match state {
        contract::MailboxState::Open => MailboxState::Open,
        contract::MailboxState::Reconnecting => MailboxState::Reconnecting,
        contract::MailboxState::Ended => MailboxState::Ended,
        contract::MailboxState::Unspecified => MailboxState::Other,
    }
}

pub(crate) fn to_acknowledgement(mode: contract::Acknowledgement) -> AcknowledgementMode {
    match mode {
        contract::Acknowledgement::Explicit => AcknowledgementMode::Explicit,
        _ => AcknowledgementMode::Auto,
    }
}

pub(crate) fn to_limits(limits: Option<contract::MailboxLimits>) -> MailboxLimits {
    let limits = limits.unwrap_or_default();
    let queue = limits.queue.unwrap_or_default();
    let overflow = match queue.overflow() {
        contract::OverflowPolicy::Disconnect => OverflowPolicy::Disconnect,
        _ => OverflowPolicy::Pause,
    };
    MailboxLimits {
        lease: limits.lease.and_then(to_duration).unwrap_or_default(),
        queue: QueueLimits {
            max_events: queue.max_events,
            max_bytes: queue.max_bytes,
            replay_bytes: queue.replay_bytes,
            overflow,
            soft_limit: queue
                .soft_limit
                .map(|soft| SoftLimit { fraction: Some(soft.fraction), time: soft.time.and_then(to_duration) }),
        },
        max_groups_per_message: limits.max_groups_per_message,
        max_message_bytes: limits.max_message_bytes,
        max_groups: limits.max_groups,
        max_send_queue_bytes: limits.max_send_queue_bytes,
    }
}

pub(crate) fn to_info(mailbox: contract::Mailbox) -> MailboxInfo {
    let state = to_state(mailbox.state());
    let acknowledgement = to_acknowledgement(mailbox.acknowledgement());
    MailboxInfo {
        private_group: mailbox.private_group,
        state,
        daemon: mailbox.daemon,
        daemon_version: to_version(mailbox.daemon_version),
        membership: mailbox.membership,
        acknowledgement,
        limits: to_limits(mailbox.limits),
        groups: mailbox.groups,
        opened_at: to_time(mailbox.opened_at),
        receiver_attached: mailbox.receiver_attached,
        last_sequence: mailbox.last_sequence,
        delivered_sequence: mailbox.delivered_sequence,
        acknowledged_sequence: mailbox.acknowledged_sequence,
        waiting_events: mailbox.waiting_events,
        waiting_bytes: mailbox.waiting_bytes,
        retained_bytes: mailbox.retained_bytes,
        messages_sent: mailbox.messages_sent,
        payload_bytes_sent: mailbox.payload_bytes_sent,
        send_queue_bytes: mailbox.send_queue_bytes,
        paused: mailbox.paused,
        lease_ends_at: to_time(mailbox.lease_ends_at),
        display_id: mailbox.display_id,
        soft_limit_ends_at: to_time(mailbox.soft_limit_ends_at),
    }
}
