use std::fmt;
use std::time::{Duration, SystemTime};

use crate::contract;
use crate::from_event::to_time;
use crate::rich_status::to_duration;
use crate::{AcknowledgementMode, OverflowPolicy, SoftLimit, ViewMessage};

/// Three numbers that name a release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionTriple {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number.
    pub patch: u32,
}

impl fmt::Display for VersionTriple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The versions of a sidecar and of what is behind it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SidecarVersion {
    /// The sidecar's release, such as 0.1.0.
    pub sidecar: String,
    /// The contract's package, `spread.sidecar.v1`.
    pub contract: String,
    /// What `SP_version` returns: the release of Spread whose protocol the sidecar speaks.
    pub client_protocol: VersionTriple,
    /// The default daemon's release; none while the sidecar has no connection to it.
    pub daemon: Option<VersionTriple>,
    /// The default daemon, as a spread name; empty while there is no connection to it.
    pub daemon_address: String,
    /// That is the embedded daemon, which is meant for development and tests.
    pub embedded_daemon: bool,
}

/// The life of a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MailboxState {
    /// Connected to its daemon.
    Open,
    /// The daemon connection is lost and being made anew.
    Reconnecting,
    /// The daemon connection has ended; events that were received before may still be there.
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

/// The bounds of a mailbox's event queue in the sidecar.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct QueueLimits {
    /// The most events that may wait.
    pub max_events: u64,
    /// The most bytes that may wait, counted as encoded events.
    pub max_bytes: u64,
    /// With [`AcknowledgementMode::Auto`]: bytes of events kept after they were handed out.
    pub replay_bytes: u64,
    /// What happens at a bound.
    pub overflow: OverflowPolicy,
    /// A bound that the queue may be above only for a time.
    pub soft_limit: Option<SoftLimit>,
}

/// The limits that hold for a mailbox.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct MailboxLimits {
    /// How long it lives while nothing uses it.
    pub lease: Duration,
    /// The bounds of its event queue.
    pub queue: QueueLimits,
    /// The most groups that a message may be sent to.
    pub max_groups_per_message: u32,
    /// The most bytes that payload + 32 x groups may have.
    pub max_message_bytes: u32,
    /// The most groups that it may be in.
    pub max_groups: u32,
    /// The most bytes that may wait to be sent to the daemon.
    pub max_send_queue_bytes: u64,
}

/// State and counters of a mailbox, as the sidecar has them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MailboxInfo {
    /// Its private group.
    pub private_group: String,
    /// Its state.
    pub state: MailboxState,
    /// The daemon, as a spread name.
    pub daemon: String,
    /// The daemon's release.
    pub daemon_version: VersionTriple,
    /// Whether it receives membership messages.
    pub membership: bool,
    /// The acknowledgement mode.
    pub acknowledgement: AcknowledgementMode,
    /// The limits that hold.
    pub limits: MailboxLimits,
    /// The groups that it is in, in the order in which it joined them.
    pub groups: Vec<String>,
    /// When it was opened.
    pub opened_at: Option<SystemTime>,
    /// Whether a Receive stream is attached.
    pub receiver_attached: bool,
    /// The last event received from the daemon; 0 if none.
    pub last_sequence: u64,
    /// The last event given to a Receive stream; 0 if none.
    pub delivered_sequence: u64,
    /// The last acknowledged event; with [`AcknowledgementMode::Auto`] the last one that is no longer kept. 0 if none.
    pub acknowledged_sequence: u64,
    /// Events that were not yet given to a Receive stream.
    pub waiting_events: u64,
    /// Their bytes.
    pub waiting_bytes: u64,
    /// Bytes of all retained events, given or not.
    pub retained_bytes: u64,
    /// Messages handed to the daemon.
    pub messages_sent: u64,
    /// Payload bytes handed to the daemon.
    pub payload_bytes_sent: u64,
    /// Bytes that wait to be taken by the daemon's connection.
    pub send_queue_bytes: u64,
    /// Reading from the daemon is paused because the queue is full.
    pub paused: bool,
    /// When the lease will end if nothing happens; none while a Receive stream is attached.
    pub lease_ends_at: Option<SystemTime>,
    /// A short id that is safe to show: the one in logs and metrics. It opens nothing.
    pub display_id: String,
    /// When it will be ended because its queue is above the soft bound; none while it is not.
    pub soft_limit_ends_at: Option<SystemTime>,
}

/// What waits to be received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollResult {
    /// Events that [`crate::Mailbox::receive`] gives without asking the sidecar.
    pub buffered_events: usize,
    /// Events that wait in the sidecar.
    pub waiting_events: u64,
    /// Their bytes.
    pub waiting_bytes: u64,
    /// Unlike `SP_poll`, this tells a mailbox whose daemon is gone from an empty one.
    pub state: MailboxState,
}

/// A group's current view.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CurrentView {
    /// The view.
    pub view: ViewMessage,
    /// A transitional signal has come after it, and a NETWORK view will follow.
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
