//! Fills an inbox from Receive streams. Pauses while the inbox is full. When a stream breaks,
//! attaches again after the last event, so that the inbox gets every event once and in order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tonic::Streaming;

use crate::backoff::Backoff;
use crate::contract::receive_response::Frame;
use crate::contract::{self, ReceiveAttached, ReceiveResponse};
use crate::error::Failure;
use crate::from_event::to_event;
use crate::inbox::Inbox;
use crate::notice::{Attached, to_slow_consumer};
use crate::rpc::Rpc;
use crate::{Event, Notice, Reason, SpreadError, StatusCode};

/// A connection without any frame for this number of heartbeat intervals counts as broken.
const SILENT_INTERVALS: u32 = 3;
/// Maximum number of consecutive attempts that get no further event of an ended mailbox.
const MAX_EMPTY_ATTEMPTS: u32 = 3;
/// Timeout for an unreachable sidecar when the last events of an ended mailbox are fetched.
const FETCH_TIME: Duration = Duration::from_secs(2);
/// Maximum time to wait for the end of the stream after a disconnect.
const FINISH_TIME: Duration = Duration::from_secs(1);
/// Minimum timeout of an attempt to attach, even if less of the lease is left.
const ATTACH_TIME: Duration = Duration::from_millis(100);

/// Whether the mailbox still exists after this error ended the stream. Attaching again would
/// replace the new receiver, or fail again.
pub(crate) fn is_mailbox_alive(error: &SpreadError) -> bool {
    matches!(error.sidecar_reason(), Some(Reason::ReceiverReplaced | Reason::SequenceNotRetained))
}

pub(crate) struct Settings {
    pub mailbox_id: String,
    pub after_sequence: u64,
    pub max_outstanding_events: u64,
    pub max_outstanding_bytes: u64,
    pub heartbeat: Option<prost_types::Duration>,
    pub silence: Option<Duration>,
    /// Time after a break during which the receiver tries to attach again. Afterwards the mailbox
    /// has expired.
    pub give_up_after: Duration,
}

/// Gets the notifications, in order.
pub(crate) trait Listener: Send + Sync + 'static {
    fn attached(&self, private_group: String);
    fn notify(&self, notice: Notice);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Receiving,
    Paused,
    Ended,
}

/// The part of the receiver that the mailbox uses.
pub(crate) struct Control {
    begun: AtomicBool,
    attached: AtomicBool,
    stop: CancellationToken,
    failure: Mutex<Option<SpreadError>>,
    phase: watch::Sender<Phase>,
}

impl Control {
    pub fn new() -> Self {
        Self {
            begun: AtomicBool::new(false),
            attached: AtomicBool::new(false),
            stop: CancellationToken::new(),
            failure: Mutex::default(),
            phase: watch::Sender::new(Phase::Receiving),
        }
    }

    /// Whether a stream is attached. An attached stream keeps the mailbox's lease.
    pub fn is_attached(&self) -> bool {
        self.attached.load(Ordering::Acquire)
    }

    /// True for the first caller, which runs the receiver.
    pub fn begin(&self) -> bool {
        !self.begun.load(Ordering::Relaxed) && !self.begun.swap(true, Ordering::AcqRel)
    }

    /// For a mailbox that was disconnected: waits up to 1 s for the last events of the stream, but
    /// not while the inbox is full.
    pub async fn finish(&self) {
        if self.begun.load(Ordering::Acquire) {
            let mut phase = self.phase.subscribe();
            let _ = timeout(FINISH_TIME, phase.wait_for(|phase| *phase != Phase::Receiving)).await;
        }
    }

    /// Stops receiving without an error. Events in the inbox remain available.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Stops receiving with an error from another part of the client.
    pub fn fail(&self, error: SpreadError) {
        self.failure.lock().unwrap().get_or_insert(error);
        self.stop();
    }

    fn failure(&self) -> Option<SpreadError> {
        self.failure.lock().unwrap().clone()
    }
}

/// The end of the mailbox, while its last events are still being fetched.
struct MailboxEnd {
    error: SpreadError,
    last: u64,
    fetched_to: Option<u64>,
    empty_attempts: u32,
}

/// How a stream ended.
enum StreamEnd {
    /// At the request of the client.
    Done,
    Failed(SpreadError),
    /// The sidecar skipped a sequence.
    Gap(SpreadError),
}

pub(crate) struct Receiver<L> {
    rpc: Rpc,
    inbox: Arc<Inbox>,
    control: Arc<Control>,
    settings: Settings,
    listener: Arc<L>,
    last: u64,
    broken_since: Instant,
    backoff: Backoff,
    mailbox_end: Option<MailboxEnd>,
}

impl<L: Listener> Receiver<L> {
    pub fn new(rpc: Rpc, inbox: Arc<Inbox>, control: Arc<Control>, settings: Settings, listener: Arc<L>) -> Self {
        Self {
            rpc,
            inbox,
            control,
            last: settings.after_sequence,
            settings,
            listener,
            broken_since: Instant::now(),
            backoff: Backoff::default(),
            mailbox_end: None,
        }
    }

    /// Receives until the end.
    pub async fn run(mut self) {
        let control = self.control.clone();
        let end = control.stop.run_until_cancelled(self.receive()).await.unwrap_or_else(|| control.failure());
        control.attached.store(false, Ordering::Release);
        // The notice comes first, so that it precedes the error of a receive call.
        self.listener.notify(Notice::Ended(end.clone()));
        self.inbox.end(end);
        control.phase.send_replace(Phase::Ended);
    }

    async fn receive(&mut self) -> Option<SpreadError> {
        loop {
            let mut was_attached = false;
            let end = self.receive_once(&mut was_attached).await;
            self.control.attached.store(false, Ordering::Release);
            let error = match end {
                StreamEnd::Done => return None,
                StreamEnd::Gap(error) => return Some(error),
                StreamEnd::Failed(error) => error,
            };
            if was_attached {
                self.broken_since = Instant::now();
            }
            let broken = self.rpc.may_pass(&error);
            let judgement = if broken { self.error_after_break(&error) } else { self.error_after_end(&error) };
            if judgement.is_some() {
                return judgement;
            }
            if broken && was_attached {
                self.listener.notify(Notice::Detached(error));
            }
            tokio::time::sleep(self.backoff.next()).await;
            if self.mailbox_end.is_some() {
                // The last events of an ended mailbox wait until the inbox has space. Each further
                // stream would overfill it.
                self.until_room().await;
            }
        }
    }

    /// Attaches once and reads until the stream ends.
    async fn receive_once(&mut self, was_attached: &mut bool) -> StreamEnd {
        let limit = self.attach_limit();
        let mut until = Some(Instant::now() + limit);
        let mut stream = match timeout(limit, self.open()).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return StreamEnd::Failed(error),
            Err(_) => return StreamEnd::Failed(silent(limit)),
        };
        let mut silence = limit;
        let mut events = Vec::new();
        loop {
            let frame = match until {
                Some(until) => match timeout_at(until, stream.message()).await {
                    Ok(frame) => frame,
                    Err(_) => return StreamEnd::Failed(silent(silence)),
                },
                None => stream.message().await,
            };
            let frame = match frame {
                Ok(Some(frame)) => frame,
                Ok(None) => return StreamEnd::Done,
                Err(status) => return StreamEnd::Failed(self.rpc.endpoint().explain(status)),
            };
            if let Err(gap) = self.take_frame(frame, &mut events, was_attached) {
                // The events before the gap are in order.
                self.inbox.push(&mut events);
                return StreamEnd::Gap(gap);
            }
            self.inbox.push(&mut events);
            self.until_room().await;
            silence = SILENT_INTERVALS * self.settings.silence.unwrap_or_default();
            until = self.settings.silence.map(|_| Instant::now() + silence);
        }
    }

    async fn open(&self) -> Result<Streaming<ReceiveResponse>, SpreadError> {
        let request = contract::ReceiveRequest {
            mailbox_id: self.settings.mailbox_id.clone(),
            after_sequence: Some(self.last),
            max_outstanding_events: self.settings.max_outstanding_events,
            max_outstanding_bytes: self.settings.max_outstanding_bytes,
            heartbeat_interval: self.settings.heartbeat,
        };
        let request = self.rpc.request(request).await?;
        let answer = self.rpc.stub()?.receive(request).await;
        Ok(answer.map_err(|status| self.rpc.endpoint().explain(status))?.into_inner())
    }

    fn take_frame(
        &mut self,
        frame: ReceiveResponse,
        events: &mut Vec<Event>,
        was_attached: &mut bool,
    ) -> Result<(), SpreadError> {
        match frame.frame {
            Some(Frame::Attached(attached)) => {
                self.on_attached(attached)?;
                *was_attached = true;
            }
            Some(Frame::Batch(batch)) => {
                events.reserve(batch.events.len());
                for event in batch.events {
                    if event.sequence <= self.last {
                        continue;
                    }
                    if event.sequence != self.last + 1 {
                        return Err(self.gap(event.sequence));
                    }
                    self.last = event.sequence;
                    events.extend(to_event(event));
                }
            }
            Some(Frame::Heartbeat(heartbeat)) if heartbeat.last_sequence > self.last => {
                return Err(self.gap(heartbeat.last_sequence));
            }
            Some(Frame::SlowConsumer(notice)) => self.listener.notify(Notice::SlowConsumer(to_slow_consumer(notice))),
            Some(Frame::Heartbeat(_)) | None => {}
        }
        Ok(())
    }

    fn on_attached(&mut self, attached: ReceiveAttached) -> Result<(), SpreadError> {
        if attached.next_sequence != self.last + 1 {
            return Err(self.gap(attached.next_sequence));
        }
        self.control.attached.store(true, Ordering::Release);
        self.backoff.reset();
        self.listener.attached(attached.private_group);
        let notice = Attached { next_sequence: attached.next_sequence, groups: attached.groups };
        self.listener.notify(Notice::Attached(notice));
        Ok(())
    }

    fn gap(&self, sequence: u64) -> SpreadError {
        let message = format!("event {} is missing: the sidecar is already at sequence {sequence}", self.last + 1);
        Failure::new(StatusCode::DataLoss, message).into()
    }

    async fn until_room(&self) {
        if self.inbox.is_full() {
            self.control.phase.send_replace(Phase::Paused);
            self.inbox.room().await;
            self.control.phase.send_replace(Phase::Receiving);
        }
    }

    /// Maximum time without a frame until the stream is attached: as for an attached stream, but
    /// within the lease.
    fn attach_limit(&self) -> Duration {
        let whole = if self.mailbox_end.is_some() { FETCH_TIME } else { self.settings.give_up_after };
        let mut limit = whole.saturating_sub(self.broken_since.elapsed());
        if let Some(interval) = self.settings.silence {
            limit = limit.min(SILENT_INTERVALS * interval);
        }
        limit.max(ATTACH_TIME)
    }

    /// The error that ends the mailbox after a broken stream, or none to attach again.
    fn error_after_break(&self, error: &SpreadError) -> Option<SpreadError> {
        let silent = self.broken_since.elapsed();
        if let Some(end) = &self.mailbox_end
            && silent >= FETCH_TIME
        {
            return Some(with_missing(&end.error, self.last));
        }
        if silent < self.settings.give_up_after {
            return None;
        }
        if error.status() == StatusCode::Unauthenticated {
            return Some(error.clone());
        }
        let lease = self.settings.give_up_after;
        let message =
            format!("the sidecar could not be reached for {lease:?} (the lease of the mailbox): {}", error.message());
        Some(self.rpc.endpoint().gave_up(message, error.clone()))
    }

    /// The error that ends the mailbox after the sidecar ended a stream, or none to attach again.
    /// The error contains the last sequence. The receiver attaches again while events are missing
    /// and attempts return some, and reports the error after these events.
    fn error_after_end(&mut self, error: &SpreadError) -> Option<SpreadError> {
        if is_mailbox_alive(error) {
            return Some(error.clone());
        }
        let end = self.mailbox_end.get_or_insert_with(|| MailboxEnd {
            error: error.clone(),
            last: last_sequence_of(error),
            fetched_to: None,
            empty_attempts: 0,
        });
        if end.last <= self.last {
            return Some(end.error.clone());
        }
        end.empty_attempts = if end.fetched_to == Some(self.last) { end.empty_attempts + 1 } else { 0 };
        end.fetched_to = Some(self.last);
        // An error without a last sequence, such as NOT_FOUND, means that no events can be fetched.
        if last_sequence_of(error) <= self.last || end.empty_attempts >= MAX_EMPTY_ATTEMPTS {
            return Some(with_missing(&end.error, self.last));
        }
        None
    }
}

fn silent(time: Duration) -> SpreadError {
    Failure::new(StatusCode::Unavailable, format!("the sidecar sent no frame for {time:?}")).into()
}

fn last_sequence_of(error: &SpreadError) -> u64 {
    error.metadata().get("last_sequence").and_then(|last| last.parse().ok()).unwrap_or(0)
}

fn with_missing(error: &SpreadError, received: u64) -> SpreadError {
    let last = last_sequence_of(error);
    error.with(|failure| {
        failure.message = format!("{}; events {} to {last} are lost", failure.message, received + 1);
        failure.metadata.insert("received_sequence".to_owned(), received.to_string());
    })
}
