use std::time::{Duration, Instant};

use crate::contract::receive_response::Frame;
use crate::contract::{ReceiveAttached, ReceiveResponse, SlowConsumerNotice};
use crate::error::Failure;
use crate::from_event::to_event;
use crate::rules::backoff::Backoff;
use crate::rules::failures::{ends_stream_only, may_pass};
use crate::{Event, Reason, SIDECAR_DOMAIN, SpreadError, StatusCode};

/// R7, R8: a stream without any frame for this number of heartbeat intervals counts as broken.
const SILENT_INTERVALS: u32 = 3;
/// R8: the minimum limit of an attempt to attach.
const SHORTEST_ATTEMPT: Duration = Duration::from_millis(100);
/// R12: maximum number of attempts in succession that get no further event of an ended mailbox.
const MAX_EMPTY_ATTEMPTS: u32 = 3;
/// R12: maximum time without a response of the sidecar while the last events are fetched.
const FETCH_TIME: Duration = Duration::from_secs(2);
/// C5: after a disconnect, maximum time to wait for the last events of the stream.
pub(crate) const FINISH_TIME: Duration = Duration::from_secs(1);

pub(crate) struct ReceivingOptions {
    /// The sequence before the first wanted event.
    pub after_sequence: u64,
    /// R10: the give-up time.
    pub lease: Duration,
    /// The interval of the heartbeats. None: no heartbeats.
    pub heartbeat_interval: Option<Duration>,
    /// F2: whether the client reads the token again for each call.
    pub token_may_change: bool,
}

/// The content of a frame that is neither an event nor a heartbeat.
pub(crate) enum Signal {
    Attached(ReceiveAttached),
    SlowConsumer(SlowConsumerNotice),
}

/// What follows a stream that ended with an error.
pub(crate) enum AfterStream {
    /// R9, R11: the client attaches again after the pause. With an error, the application first gets
    /// the notice *detached*.
    Attach { pause: Duration, detached: Option<SpreadError> },
    /// Receiving ends.
    End(SpreadError),
    /// R10: receiving ends, because the sidecar was unreachable for the give-up time.
    GiveUp(SpreadError),
}

/// The end of the mailbox, while its last events are fetched.
struct MailboxEnd {
    error: SpreadError,
    last: u64,
    fetched_to: Option<u64>,
    empty_attempts: u32,
}

/// Receiving from a mailbox, over all its streams. At most one stream is open.
pub(crate) struct Receiving {
    options: ReceivingOptions,
    last: u64,
    is_attached: bool,
    unreachable_since: Instant,
    backoff: Backoff,
    mailbox_end: Option<MailboxEnd>,
}

impl Receiving {
    /// Receiving starts.
    pub fn new(options: ReceivingOptions, now: Instant) -> Self {
        Self {
            last: options.after_sequence,
            options,
            is_attached: false,
            unreachable_since: now, // R10
            backoff: Backoff::of_stream(),
            mailbox_end: None,
        }
    }

    /// R1: the sequence of the last received event, which a request has.
    pub fn last_sequence(&self) -> u64 {
        self.last
    }

    /// R8: maximum time from the opening of a stream to its first frame.
    pub fn attach_limit(&self, now: Instant) -> Duration {
        let rest = self.give_up_time().saturating_sub(now.saturating_duration_since(self.unreachable_since));
        self.silence_limit().map_or(rest, |limit| limit.min(rest)).max(SHORTEST_ATTEMPT)
    }

    /// R7: maximum time between two frames of a stream. None: there is no limit.
    pub fn silence_limit(&self) -> Option<Duration> {
        self.options.heartbeat_interval.map(|interval| SILENT_INTERVALS * interval)
    }

    /// R13: whether the last events of an ended mailbox are fetched. The client then does not attach
    /// while the inbox is full, because each further stream would overfill the inbox.
    pub fn is_fetching(&self) -> bool {
        self.mailbox_end.is_some()
    }

    /// Takes a frame, and appends the events for the application. Fails if an event is missing (R5).
    /// The appended events are before the missing event.
    pub fn take_frame(
        &mut self,
        frame: ReceiveResponse,
        events: &mut Vec<Event>,
    ) -> Result<Option<Signal>, SpreadError> {
        match frame.frame {
            // R2
            Some(Frame::Attached(attached)) => {
                if attached.next_sequence != self.last + 1 {
                    return Err(self.gap_before(attached.next_sequence));
                }
                self.is_attached = true;
                self.backoff.reset(); // B2
                Ok(Some(Signal::Attached(attached)))
            }
            // R3
            Some(Frame::Batch(batch)) => {
                events.reserve(batch.events.len());
                for event in batch.events {
                    if event.sequence <= self.last {
                        continue;
                    }
                    if event.sequence != self.last + 1 {
                        return Err(self.gap_before(event.sequence));
                    }
                    self.last = event.sequence;
                    events.extend(to_event(event));
                }
                Ok(None)
            }
            // R4
            Some(Frame::Heartbeat(heartbeat)) if heartbeat.last_sequence > self.last => {
                Err(self.gap_before(heartbeat.last_sequence))
            }
            Some(Frame::SlowConsumer(notice)) => Ok(Some(Signal::SlowConsumer(notice))),
            // R6
            Some(Frame::Heartbeat(_)) | None => Ok(None),
        }
    }

    /// The stream ended with an error. `draw` is a random number from 0 to 1.
    pub fn on_failure(&mut self, error: SpreadError, now: Instant, draw: f64) -> AfterStream {
        let was_attached = std::mem::take(&mut self.is_attached);
        let is_broken = may_pass(&error, self.options.token_may_change);
        if was_attached || !is_broken {
            self.unreachable_since = now; // R10, R12
        }
        let end = if is_broken { self.end_after_break(&error, now) } else { self.end_after_response(&error) };
        end.unwrap_or_else(|| AfterStream::Attach {
            pause: self.backoff.next(draw),
            detached: (is_broken && was_attached).then_some(error),
        })
    }

    /// R10, R12: how long the sidecar may be unreachable.
    fn give_up_time(&self) -> Duration {
        if self.mailbox_end.is_some() { FETCH_TIME } else { self.options.lease }
    }

    /// R5: the error that ends receiving if the events before a sequence are missing.
    fn gap_before(&self, sequence: u64) -> SpreadError {
        let message = format!("event {} is missing: the sidecar is already at sequence {sequence}", self.last + 1);
        Failure::new(StatusCode::DataLoss, message).into()
    }

    /// R10, R12: the end of receiving after a broken stream. None: the client attaches again.
    fn end_after_break(&self, error: &SpreadError, now: Instant) -> Option<AfterStream> {
        if let Some(end) = &self.mailbox_end
            && end.last <= self.last
        {
            return Some(AfterStream::End(end.error.clone())); // R12
        }
        if now.saturating_duration_since(self.unreachable_since) < self.give_up_time() {
            return None;
        }
        if let Some(end) = &self.mailbox_end {
            return Some(AfterStream::End(with_missing(&end.error, self.last)));
        }
        if error.status() == StatusCode::Unauthenticated {
            return Some(AfterStream::End(error.clone()));
        }
        let lease = self.options.lease;
        let message =
            format!("the sidecar could not be reached for {lease:?} (the lease of the mailbox): {}", error.message());
        let mut failure = Failure::new(StatusCode::Unavailable, message);
        failure.reason = Reason::SidecarUnreachable.as_str().to_owned();
        failure.domain = SIDECAR_DOMAIN.to_owned();
        failure.cause = Some(std::sync::Arc::new(error.clone()));
        Some(AfterStream::GiveUp(failure.into()))
    }

    /// F3, R11, R12: the end of receiving after the sidecar ended a stream. None: the client fetches
    /// the missing events.
    fn end_after_response(&mut self, error: &SpreadError) -> Option<AfterStream> {
        if ends_stream_only(error) {
            return Some(AfterStream::End(error.clone()));
        }
        let end = self.mailbox_end.get_or_insert_with(|| MailboxEnd {
            error: error.clone(),
            last: last_sequence_of(error),
            fetched_to: None,
            empty_attempts: 0,
        });
        if end.last <= self.last {
            return Some(AfterStream::End(end.error.clone()));
        }
        end.empty_attempts = if end.fetched_to == Some(self.last) { end.empty_attempts + 1 } else { 0 };
        end.fetched_to = Some(self.last);
        // An error without a last sequence, such as NOT_FOUND, means that no events can be fetched.
        let ends = last_sequence_of(error) <= self.last || end.empty_attempts >= MAX_EMPTY_ATTEMPTS;
        ends.then(|| AfterStream::End(with_missing(&end.error, self.last)))
    }
}

/// R7, R8: the error of a stream that had no frame for this time.
pub(crate) fn silent(time: Duration) -> SpreadError {
    let mut failure = Failure::new(StatusCode::Unavailable, format!("the sidecar sent no frame for {time:?}"));
    failure.retryable = true; // F5
    failure.into()
}

/// R11: 0 if the error has no valid last sequence.
fn last_sequence_of(error: &SpreadError) -> u64 {
    error.metadata().get("last_sequence").and_then(|last| last.parse().ok()).unwrap_or(0)
}

/// R12: the error that ended the mailbox, with the lost events.
fn with_missing(error: &SpreadError, received: u64) -> SpreadError {
    let last = last_sequence_of(error);
    error.with(|failure| {
        failure.message = format!("{}; events {} to {last} are lost", failure.message, received + 1);
        failure.metadata.insert("received_sequence".to_owned(), received.to_string());
    })
}
