use std::time::{Duration, SystemTime};

use crate::SpreadError;
use crate::contract;
use crate::from_event::to_time;
use crate::rich_status::to_duration;

/// What a mailbox tells besides its events; see [`crate::ReceiveOptions::on_notice`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Notice {
    /// A stream stands, the first or one that goes on behind the last event of a broken one.
    Attached(Attached),
    /// A stream broke; it is being made anew.
    Detached(SpreadError),
    /// The queue in the sidecar fills faster than it is emptied. It comes before that costs the mailbox.
    SlowConsumer(SlowConsumer),
    /// Nothing more will be received, because of an error, or without one after a disconnect or detach.
    Ended(Option<SpreadError>),
}

/// See [`Notice::Attached`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attached {
    /// The sequence of the next event.
    pub next_sequence: u64,
    /// The groups that the mailbox is in.
    pub groups: Vec<String>,
}

/// See [`Notice::SlowConsumer`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SlowConsumer {
    /// Events that wait in the sidecar.
    pub queued_events: u64,
    /// Their bytes.
    pub queued_bytes: u64,
    /// The mark that the queue is above, in events.
    pub mark_events: u64,
    /// The mark in bytes: the queue is above one of the two.
    pub mark_bytes: u64,
    /// How long after it was said the mailbox will be ended, unless the queue falls to the mark before. None: no soft
    /// limit threatens.
    pub time_left: Option<Duration>,
    /// When it was said, by the sidecar's clock: it may have waited behind the events before it.
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
