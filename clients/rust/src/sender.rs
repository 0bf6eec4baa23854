use std::collections::VecDeque;
use std::fmt;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_core::Stream;
use http::uri::PathAndQuery;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::Streaming;

use crate::contract::{MulticastRefusal, MulticastStreamOpen, MulticastStreamResponse};
use crate::error::Failure;
use crate::rpc::Rpc;
use crate::send_frame::{FrameCodec, OutgoingFrame, SendFrame};
use crate::{Outcome, Service, SpreadError, StatusCode};

/// A frame is written when it holds so many messages.
const BATCH_MESSAGES: usize = 1024;
/// Of refusals that nobody listens to, so many are kept.
const KEPT_REFUSALS: usize = 100;

/// A message of a [`Sender`] that was refused. Nothing of it was sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refusal {
    /// Its number among the sender's messages, from 1.
    pub index: u64,
    /// What a multicast by itself would have failed with.
    pub error: SpreadError,
}

/// How far a [`Sender`] has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SenderProgress {
    /// The messages given to the sender.
    pub sent: u64,
    /// The messages 1 to `decided` were handed to the daemon or refused.
    pub decided: u64,
    /// How many of them were handed to the daemon.
    pub accepted: u64,
}

/// A message that was given to a sender.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutgoingMessage {
    /// The service type it was sent with.
    pub service_type: Service,
    /// Its destinations.
    pub groups: Vec<String>,
    /// Its bytes.
    pub payload: Bytes,
    /// The application's own number for it.
    pub message_type: i32,
}

/// How a [`Sender`] works.
#[derive(Clone)]
#[must_use]
pub struct SenderOptions {
    max_in_flight_messages: usize,
    max_in_flight_bytes: usize,
    max_batch_bytes: usize,
    on_refused: Option<Arc<dyn Fn(Refusal) + Send + Sync>>,
}

impl Default for SenderOptions {
    fn default() -> Self {
        Self {
            max_in_flight_messages: 10_000,
            max_in_flight_bytes: 4 << 20,
            max_batch_bytes: 1 << 20,
            on_refused: None,
        }
    }
}

impl fmt::Debug for SenderOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SenderOptions").finish_non_exhaustive()
    }
}

impl SenderOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The most messages that may be on their way, not yet decided. Default: 10,000.
    pub fn max_in_flight_messages(mut self, messages: usize) -> Self {
        self.max_in_flight_messages = messages.max(1);
        self
    }

    /// The most bytes of such messages. One is always let through. Default: 4 MiB.
    pub fn max_in_flight_bytes(mut self, bytes: usize) -> Self {
        self.max_in_flight_bytes = bytes.max(1);
        self
    }

    /// A frame is written when its messages have so many bytes; the last of them may be more. Lower it where the sidecar's
    /// `grpc.maxReceiveMessageBytes` (4 MiB by default) is set lower. Default: 1 MiB.
    pub fn max_batch_bytes(mut self, bytes: usize) -> Self {
        self.max_batch_bytes = bytes.max(1);
        self
    }

    /// Is called for each message that is refused, in order, and must not block. Without it refusals are collected, the
    /// first hundred of them in full, and the next [`Sender::flush`] or [`Sender::close`] fails with them
    /// ([`SpreadError::refusals`]).
    pub fn on_refused(mut self, listener: impl Fn(Refusal) + Send + Sync + 'static) -> Self {
        self.on_refused = Some(Arc::new(listener));
        self
    }
}

/// Sends many messages fast and in order, over one stream. What is sent while a frame is being written travels together in
/// the next one; [`Sender::send`] waits only while too much is on its way.
///
/// A stream that breaks is not restored, because that could send a message twice: everything fails with the same error,
/// and [`Sender::undecided`] has the messages whose outcome is not known.
///
/// [`Sender::close`] ends it in the orderly way; dropping it ends the stream without waiting, as [`Sender::abort`] does.
pub struct Sender {
    core: Arc<SenderCore>,
}

/// The mailbox that a sender belongs to.
pub(crate) trait SendingMailbox: Send + Sync {
    /// The ID that its calls name.
    fn id(&self) -> &str;

    /// The calls of its channel.
    fn rpc(&self) -> &Rpc;

    /// A message was just sent, which renews the lease.
    fn used(&self);

    /// Runs a task of the sender until the mailbox ends, which aborts the sender.
    fn spawn_for_sender(&self, sender: &Arc<SenderCore>, task: Pin<Box<dyn Future<Output = ()> + Send>>);
}

pub(crate) struct SenderCore {
    options: SenderOptions,
    mailbox: Arc<dyn SendingMailbox>,
    state: Mutex<State>,
    /// Something has changed that somebody may wait for.
    changed: Notify,
    /// Ends the stream.
    stop: CancellationToken,
}

#[derive(Default)]
struct State {
    /// What is not decided; those from `to_write` on were not yet given to the stream.
    frames: VecDeque<SendFrame>,
    to_write: usize,
    written: u64,
    in_flight: usize,
    in_flight_bytes: usize,
    progress: SenderProgress,
    refused: u64,
    refusals: Vec<Refusal>,
    failure: Option<SpreadError>,
    closing: bool,
    ended: bool,
    /// The stream, while it waits for a frame.
    stream: Option<Waker>,
}

impl State {
    fn check_open(&self) -> Result<(), SpreadError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if self.closing {
            let mut failure = Failure::new(StatusCode::FailedPrecondition, "the sender is closed");
            failure.outcome = Some(Outcome::NotSent);
            return Err(failure.into());
        }
        Ok(())
    }

    /// The frame that the next message belongs into.
    fn last_frame(&mut self, max_batch_bytes: usize) -> &mut SendFrame {
        let fits = self.frames.len() > self.to_write
            && self.frames.back().is_some_and(|last| last.size() < max_batch_bytes && last.count() < BATCH_MESSAGES);
        if !fits {
            self.frames.push_back(SendFrame::default());
        }
        self.frames.back_mut().expect("there is one")
    }

    /// Whether something is in doubt when the stream ends now.
    fn outcome(&self) -> Outcome {
        if self.progress.decided == self.progress.sent { Outcome::NotSent } else { Outcome::Unknown }
    }

    fn take_refusals(&mut self) -> Result<SenderProgress, SpreadError> {
        if self.refused == 0 {
            return Ok(self.progress);
        }
        let refusals = std::mem::take(&mut self.refusals);
        let refused = std::mem::take(&mut self.refused);
        Err(refusals[0].error.with(|failure| {
            failure.message = format!("messages refused: {refused}, the first: {}", failure.message);
            failure.refused = refused;
            failure.refusals = refusals.clone();
        }))
    }
}

impl Sender {
    pub(crate) async fn open(
        rpc: &Rpc,
        mailbox: Arc<dyn SendingMailbox>,
        options: SenderOptions,
    ) -> Result<Self, SpreadError> {
        let stop = CancellationToken::new();
        let core = SenderCore { options, mailbox, state: Mutex::default(), changed: Notify::new(), stop };
        let core = Arc::new(core);
        let frames = Frames { core: core.clone(), opened: false };
        // Bounded like any call until it stands; its life is not.
        let opening = async {
            let request = rpc.request(frames).await?;
            let mut stub = tonic::client::Grpc::new(rpc.channel()?);
            let explain = |status| rpc.endpoint().explain(status);
            stub.ready().await.map_err(|error| explain(tonic::Status::from_error(error.into())))?;
            let path = PathAndQuery::from_static("/spread.sidecar.v1.MailboxService/MulticastStream");
            let answer = stub.streaming(request, path, FrameCodec).await;
            answer.map(tonic::Response::into_inner).map_err(explain)
        };
        let answers = rpc.bounded(opening).await.map_err(SpreadError::for_send)?;
        let sender = Self { core };
        let reading = sender.core.clone();
        sender.core.mailbox.spawn_for_sender(&sender.core, Box::pin(async move { reading.read(answers).await }));
        Ok(sender)
    }

    /// How far it has come.
    pub fn progress(&self) -> SenderProgress {
        self.core.state.lock().unwrap().progress
    }

    /// The messages that were sent and are not decided, oldest first. After a failure: those whose outcome is unknown.
    pub fn undecided(&self) -> Vec<OutgoingMessage> {
        self.core.state.lock().unwrap().frames.iter().flat_map(SendFrame::undecided).collect()
    }

    /// Sends a message to the members of a group, or to a private group. It waits while too much is on its way, and does not
    /// say that the message was handed to the daemon: [`Sender::flush`] does. When it fails, or its future is dropped before
    /// it is done, the message is not among those that were sent.
    pub async fn send(
        &self,
        service: Service,
        group: &str,
        payload: impl AsRef<[u8]>,
        message_type: i32,
    ) -> Result<(), SpreadError> {
        self.send_multigroup(service, &[group], payload, message_type).await
    }

    /// Sends a message to the members of several groups. Else like [`Sender::send`].
    pub async fn send_multigroup<G: AsRef<str>>(
        &self,
        service: Service,
        groups: &[G],
        payload: impl AsRef<[u8]>,
        message_type: i32,
    ) -> Result<(), SpreadError> {
        let kind = service.to_contract()?;
        let payload = payload.as_ref();
        // A loop of nothing but this leaves others their turn.
        tokio::task::coop::consume_budget().await;
        let core = &self.core;
        let mut add = |state: &mut State| {
            if let Err(error) = state.check_open() {
                return Some(Err(error));
            }
            if core.is_full(state) {
                return None;
            }
            let frame = state.last_frame(core.options.max_batch_bytes);
            let size = frame.add(kind, groups, payload, message_type, service.is_self_discard());
            state.progress.sent += 1;
            state.in_flight += 1;
            state.in_flight_bytes += size;
            Some(Ok(()))
        };
        let result = core.when(&mut add).await;
        core.wake_stream();
        result
    }

    /// Waits until everything that was sent before is decided. Fails with what was refused meanwhile, if nobody listens to
    /// refusals, and with the stream's error when it broke.
    pub async fn flush(&self) -> Result<SenderProgress, SpreadError> {
        let until = self.progress().sent;
        self.core
            .when(&mut |state| {
                if state.progress.decided >= until {
                    return Some(state.take_refusals());
                }
                state.failure.clone().map(Err)
            })
            .await
    }

    /// Flushes and ends the stream. Fails as [`Sender::flush`] does. When its future is dropped, the stream still ends when
    /// all messages are decided, or when the sender is dropped.
    pub async fn close(&self) -> Result<SenderProgress, SpreadError> {
        self.core.state.lock().unwrap().closing = true;
        self.core.wake_stream();
        self.core
            .when(&mut |state| {
                if let Some(failure) = &state.failure {
                    return Some(Err(failure.clone()));
                }
                if state.ended { Some(state.take_refusals()) } else { None }
            })
            .await
    }

    /// Ends the stream without waiting; messages that are not decided may or may not have been sent.
    pub fn abort(&self) {
        self.core.abort();
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.core.abort();
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("progress", &self.progress()).finish_non_exhaustive()
    }
}

impl SenderCore {
    fn is_full(&self, state: &State) -> bool {
        state.in_flight >= self.options.max_in_flight_messages
            || (state.in_flight > 0 && state.in_flight_bytes >= self.options.max_in_flight_bytes)
    }

    /// Waits until a look at the state gives something.
    async fn when<T>(&self, look: &mut impl FnMut(&mut State) -> Option<T>) -> T {
        if let Some(found) = look(&mut self.state.lock().unwrap()) {
            return found;
        }
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if let Some(found) = look(&mut self.state.lock().unwrap()) {
                return found;
            }
            changed.await;
        }
    }

    fn wake_stream(&self) {
        let waker = self.state.lock().unwrap().stream.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub fn abort(&self) {
        {
            let mut state = self.state.lock().unwrap();
            if state.ended {
                return;
            }
            let error = SpreadError::cancelled("the sender was aborted", state.outcome());
            self.end(&mut state, Some(error));
        }
        self.stop.cancel();
        self.wake_stream();
    }

    /// Ends it once.
    fn end(&self, state: &mut State, failure: Option<SpreadError>) {
        if !state.ended {
            state.ended = true;
            state.failure = failure;
            self.changed.notify_waiters();
        }
    }

    /// Takes the answers, and the end of the stream.
    async fn read(&self, mut answers: Streaming<MulticastStreamResponse>) {
        self.stop
            .run_until_cancelled(async {
                loop {
                    match answers.message().await {
                        Ok(Some(answer)) => self.on_answer(answer),
                        Ok(None) => return self.on_end(None),
                        Err(status) => {
                            return self.on_end(Some(self.mailbox.rpc().endpoint().explain(status).for_send()));
                        }
                    }
                }
            })
            .await;
        self.stop.cancel();
        self.wake_stream();
    }

    fn on_answer(&self, answer: MulticastStreamResponse) {
        self.mailbox.used();
        let refusals: Vec<_> = answer.refusals.into_iter().map(to_refusal).collect();
        {
            let mut guard = self.state.lock().unwrap();
            let state = &mut *guard;
            let decided = answer.decided.min(state.written);
            while state.progress.decided < decided {
                let Some(frame) = state.frames.front_mut() else { break };
                let count = ((decided - state.progress.decided) as usize).min(frame.count() - frame.decided);
                state.in_flight -= count;
                state.in_flight_bytes -= frame.decide(count);
                state.progress.decided += count as u64;
                if frame.decided == frame.count() {
                    state.frames.pop_front();
                    state.to_write -= 1;
                }
            }
            state.progress.accepted = answer.accepted;
            if self.options.on_refused.is_none() {
                state.refused += refusals.len() as u64;
                let room = KEPT_REFUSALS.saturating_sub(state.refusals.len());
                state.refusals.extend(refusals.iter().take(room).cloned());
            }
        }
        if let Some(listener) = &self.options.on_refused {
            refusals.into_iter().for_each(|refusal| listener(refusal));
        }
        self.changed.notify_waiters();
    }

    fn on_end(&self, error: Option<SpreadError>) {
        let mut state = self.state.lock().unwrap();
        let failure = match error {
            Some(error) => {
                // The sidecar may know that it handed on nothing of what it has not answered.
                let said = error.metadata().get("outcome").map(String::as_str);
                let not_sent = said == Some(Outcome::NotSent.as_str()) || error.outcome() == Some(Outcome::NotSent);
                let outcome = if not_sent { Outcome::NotSent } else { state.outcome() };
                Some(error.with(|failure| failure.outcome = Some(outcome)))
            }
            None if state.closing && state.progress.decided == state.progress.sent => None,
            None => {
                let message = "the sidecar ended the stream before all messages were decided";
                let mut failure = Failure::new(StatusCode::Unavailable, message);
                failure.outcome = Some(Outcome::Unknown);
                Some(failure.into())
            }
        };
        self.end(&mut state, failure);
    }
}

fn to_refusal(refusal: MulticastRefusal) -> Refusal {
    let status = StatusCode::from_number(refusal.status_code);
    let mut failure = Failure::new(status, refusal.status_message);
    failure.reason = refusal.reason;
    failure.domain = refusal.domain;
    failure.metadata = refusal.metadata;
    failure.metadata.insert("index".to_owned(), refusal.index.to_string());
    failure.retryable = status == StatusCode::Unavailable;
    let unknown = failure.metadata.get("outcome").is_some_and(|said| said == Outcome::Unknown.as_str());
    failure.outcome = Some(if unknown { Outcome::Unknown } else { Outcome::NotSent });
    Refusal { index: refusal.index, error: failure.into() }
}

/// What the connection takes from a sender: it asks for the next frame when it has room for it, and meanwhile messages
/// gather.
struct Frames {
    core: Arc<SenderCore>,
    opened: bool,
}

impl Stream for Frames {
    type Item = OutgoingFrame;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<OutgoingFrame>> {
        if !self.opened {
            self.opened = true;
            let mailbox_id = self.core.mailbox.id().to_owned();
            return Poll::Ready(Some(OutgoingFrame::Open(MulticastStreamOpen { mailbox_id })));
        }
        let mut guard = self.core.state.lock().unwrap();
        let state = &mut *guard;
        if state.ended {
            return Poll::Ready(None);
        }
        if state.to_write == state.frames.len() {
            if state.closing {
                return Poll::Ready(None);
            }
            state.stream = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let frame = &mut state.frames[state.to_write];
        state.written += frame.count() as u64;
        let outgoing = frame.take();
        state.to_write += 1;
        self.core.mailbox.used();
        Poll::Ready(Some(outgoing))
    }
}
