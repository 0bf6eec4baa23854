//! Fills an inbox from Receive streams. Pauses while the inbox is full. When a stream breaks,
//! attaches again after the last event, so that the inbox gets every event once and in order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tonic::Streaming;

use crate::contract::{self, ReceiveAttached, ReceiveResponse};
use crate::inbox::Inbox;
use crate::notice::{Attached, to_slow_consumer};
use crate::random::draw;
use crate::rpc::Rpc;
use crate::rules::failures::ends_stream_only;
use crate::rules::receiving::{AfterStream, FINISH_TIME, Receiving, ReceivingOptions, Signal, silent};
use crate::{Notice, SpreadError};

pub(crate) struct Settings {
    pub mailbox_id: String,
    pub after_sequence: u64,
    pub max_outstanding_events: u64,
    pub max_outstanding_bytes: u64,
    pub heartbeat: Option<prost_types::Duration>,
    pub heartbeat_interval: Option<Duration>,
    pub lease: Duration,
}

/// Gets the notifications, in order.
pub(crate) trait Listener: Send + Sync + 'static {
    fn attached(&self, private_group: String);
    /// The mailbox has ended, and not only receiving.
    fn mailbox_ended(&self);
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

    /// C5: for a mailbox that was disconnected, waits up to 1 s for the last events of the stream, but
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
    rules: Receiving,
}

impl<L: Listener> Receiver<L> {
    pub fn new(rpc: Rpc, inbox: Arc<Inbox>, control: Arc<Control>, settings: Settings, listener: Arc<L>) -> Self {
        let options = ReceivingOptions {
            after_sequence: settings.after_sequence,
            lease: settings.lease,
            heartbeat_interval: settings.heartbeat_interval,
            token_may_change: rpc.security().token_may_change(),
        };
        let rules = Receiving::new(options, now());
        Self { rpc, inbox, control, settings, listener, rules }
    }

    /// Receives until the end.
    pub async fn run(mut self) {
        let control = self.control.clone();
        let end = match control.stop.run_until_cancelled(self.receive()).await {
            Some(end) => {
                if end.as_ref().is_some_and(|error| !ends_stream_only(error)) {
                    self.listener.mailbox_ended();
                }
                end
            }
            None => control.failure(),
        };
        control.attached.store(false, Ordering::Release);
        // The notice comes first, so that it precedes the error of a receive call.
        self.listener.notify(Notice::Ended(end.clone()));
        self.inbox.end(end);
        control.phase.send_replace(Phase::Ended);
    }

    async fn receive(&mut self) -> Option<SpreadError> {
        loop {
            let end = self.receive_once().await;
            self.control.attached.store(false, Ordering::Release);
            let error = match end {
                StreamEnd::Done => return None,
                StreamEnd::Gap(error) => return Some(error),
                StreamEnd::Failed(error) => error,
            };
            match self.rules.on_failure(error, now(), draw()) {
                AfterStream::End(error) => return Some(error),
                AfterStream::GiveUp(error) => return Some(self.rpc.endpoint().with_target(&error)),
                AfterStream::Attach { pause, detached } => {
                    if let Some(error) = detached {
                        self.listener.notify(Notice::Detached(error));
                    }
                    tokio::time::sleep(pause).await;
                }
            }
            if self.rules.is_fetching() {
                self.until_room().await;
            }
        }
    }

    /// Attaches once and reads until the stream ends.
    async fn receive_once(&mut self) -> StreamEnd {
        let limit = self.rules.attach_limit(now());
        let attach_until = Instant::now() + limit;
        let mut stream = match timeout_at(attach_until, self.open()).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return StreamEnd::Failed(error),
            Err(_) => return StreamEnd::Failed(silent(limit)),
        };
        let silence_limit = self.rules.silence_limit();
        let mut deadline = Some((attach_until, limit));
        let mut events = Vec::new();
        loop {
            let frame = match deadline {
                Some((until, limit)) => match timeout_at(until, stream.message()).await {
                    Ok(frame) => frame,
                    Err(_) => return StreamEnd::Failed(silent(limit)),
                },
                None => stream.message().await,
            };
            let frame = match frame {
                Ok(Some(frame)) => frame,
                Ok(None) => return StreamEnd::Done,
                Err(status) => return StreamEnd::Failed(self.rpc.endpoint().explain(status)),
            };
            let signal = self.rules.take_frame(frame, &mut events);
            self.inbox.push(&mut events);
            match signal {
                Ok(Some(Signal::Attached(attached))) => self.on_attached(attached),
                Ok(Some(Signal::SlowConsumer(notice))) => {
                    self.listener.notify(Notice::SlowConsumer(to_slow_consumer(notice)));
                }
                Ok(None) => {}
                Err(gap) => return StreamEnd::Gap(gap),
            }
            // The time of the pause does not count.
            self.until_room().await;
            deadline = silence_limit.map(|limit| (Instant::now() + limit, limit));
        }
    }

    async fn open(&self) -> Result<Streaming<ReceiveResponse>, SpreadError> {
        let request = contract::ReceiveRequest {
            mailbox_id: self.settings.mailbox_id.clone(),
            after_sequence: Some(self.rules.last_sequence()),
            max_outstanding_events: self.settings.max_outstanding_events,
            max_outstanding_bytes: self.settings.max_outstanding_bytes,
            heartbeat_interval: self.settings.heartbeat,
        };
        let request = self.rpc.request(request).await?;
        let answer = self.rpc.stub()?.receive(request).await;
        Ok(answer.map_err(|status| self.rpc.endpoint().explain(status))?.into_inner())
    }

    fn on_attached(&self, attached: ReceiveAttached) {
        self.control.attached.store(true, Ordering::Release);
        self.listener.attached(attached.private_group);
        let notice = Attached { next_sequence: attached.next_sequence, groups: attached.groups };
        self.listener.notify(Notice::Attached(notice));
    }

    async fn until_room(&self) {
        if self.inbox.is_full() {
            self.control.phase.send_replace(Phase::Paused);
            self.inbox.room().await;
            self.control.phase.send_replace(Phase::Receiving);
        }
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}
