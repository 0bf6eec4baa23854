use std::time::{Duration, SystemTime};

use crate::SpreadError;
use crate::contract;
use crate::from_event::to_time;
use crate::rich_status::to_duration;

/// A notification of a mailbox that is not an event; see [`crate::ReceiveOptions::on_notice`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Notice {
    /// A stream is attached. It is the first stream, or a stream that resumes after a broken
    /// stream.
    Attached(Attached),
    /// A stream broke. The client attaches again.
    Detached(SpreadError),
    /// Events arrive in the sidecar's queue faster than the application receives them. This notice
    /// is a warning before a limit ends the mailbox.
    SlowConsumer(SlowConsumer),
    /// The mailbox receives nothing more. The error is `None` after a disconnect or detach.
    Ended(Option<SpreadError>),
}

/// See [`Notice::Attached`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attached {
    /// The sequence of the next event.
    pub next_sequence: u64,
    /// The groups of the mailbox.
    pub groups: Vec<String>,
}

/// See [`Notice::SlowConsumer`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SlowConsumer {
    /// Number of queued events in the sidecar.
    pub queued_events: u64,
    /// Size of the queued events. Unit: bytes.
    pub queued_bytes: u64,
    /// The threshold in events. The queue exceeds at least one of the two thresholds.
    pub mark_events: u64,
    /// The threshold in bytes.
    pub mark_bytes: u64,
    /// Time until the sidecar ends the mailbox, unless the queue falls to the threshold earlier.
    /// None without a soft limit.
    pub time_left: Option<Duration>,
    /// When the sidecar sent the notice, by the sidecar's clock. Earlier events can delay the
    /// notice.
    pub time: Option<SystemTime>,
}

pub(crate) fn to_slow_consumer(notice: contract::SlowConsumerNotice) -> SlowConsumer {
    SlowConsumer {
        queued_events: notice.queued_events,
        queued_bytes: notice.queued_bytes,
        mark_events: notice.mark_events,
        mark_bytes: notice.mark_bytes,
        time_left: notice.time_left.and_then(to_duration),
        time: to_time(notice.time),
    }
}
