use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::Streaming;

use crate::contract::{MulticastRefusal, MulticastStreamOpen, MulticastStreamResponse};
use crate::error::Failure;
use crate::rpc::Rpc;
use crate::send_frame::{OutgoingFrame, SendFrame};
use crate::sender_options::{SenderOptions, SenderProgress};
use crate::{Outcome, Refusal, SpreadError, StatusCode};

/// Maximum number of messages in a frame.
const BATCH_MESSAGES: usize = 1024;
/// Maximum number of retained errors if there is no listener for rejected messages.
const MAX_KEPT_REFUSALS: usize = 100;

/// The mailbox of a sender.
pub(crate) trait SendingMailbox: Send + Sync {
    /// The mailbox ID.
    fn id(&self) -> &str;

    /// The calls of the mailbox's channel.
    fn rpc(&self) -> &Rpc;

    /// Records that a message was sent, which renews the lease.
    fn used(&self);

    /// Runs a task of the sender until the mailbox ends, which aborts the sender.
    fn spawn_for_sender(&self, sender: &Arc<SenderCore>, task: Pin<Box<dyn Future<Output = ()> + Send>>);
}

pub(crate) struct SenderCore {
    pub options: SenderOptions,
    pub mailbox: Arc<dyn SendingMailbox>,
    pub state: Mutex<State>,
    /// Notifies the waiting tasks of a change.
    pub changed: Notify,
    /// Ends the stream.
    pub stop: CancellationToken,
}

#[derive(Default)]
pub(crate) struct State {
    /// The frames that are not decided. Those from `to_write` on were not yet passed to the stream.
    pub frames: VecDeque<SendFrame>,
    pub to_write: usize,
    pub written: u64,
    pub in_flight: usize,
    pub in_flight_bytes: usize,
    pub progress: SenderProgress,
    pub refused: u64,
    pub refusals: Vec<Refusal>,
    pub failure: Option<SpreadError>,
    pub closing: bool,
    pub ended: bool,
    /// The stream, while it waits for a frame.
    pub stream: Option<Waker>,
}

impl State {
    pub fn check_open(&self) -> Result<(), SpreadError> {
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

    /// The frame for the next message.
    pub fn last_frame(&mut self, max_batch_bytes: usize) -> &mut SendFrame {
        let fits = self.frames.len() > self.to_write
            && self.frames.back().is_some_and(|last| last.size() < max_batch_bytes && last.count() < BATCH_MESSAGES);
        if !fits {
            self.frames.push_back(SendFrame::default());
        }
        self.frames.back_mut().expect("there is one")
    }

    /// Whether any message is undecided if the stream ends now.
    fn outcome(&self) -> Outcome {
        if self.progress.decided == self.progress.sent { Outcome::NotSent } else { Outcome::Unknown }
    }

    pub fn take_refusals(&mut self) -> Result<SenderProgress, SpreadError> {
        if self.refused == 0 {
            return Ok(self.progress);
        }
        let refusals = std::mem::take(&mut self.refusals);
        let count = std::mem::take(&mut self.refused);
        Err(refusals[0].error.with(|failure| {
            failure.message = format!("rejected messages: {count}; first error: {}", failure.message);
            failure.refused = count;
            failure.refusals = refusals.clone();
        }))
    }
}

impl SenderCore {
    pub fn is_full(&self, state: &State) -> bool {
        state.in_flight >= self.options.max_in_flight_messages
            || (state.in_flight > 0 && state.in_flight_bytes >= self.options.max_in_flight_bytes)
    }

    /// Waits until `look` returns a value for the state.
    pub async fn when<T>(&self, look: &mut impl FnMut(&mut State) -> Option<T>) -> T {
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

    pub fn wake_stream(&self) {
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

    /// Ends the sender. Later calls have no effect.
    fn end(&self, state: &mut State, failure: Option<SpreadError>) {
        if !state.ended {
            state.ended = true;
            state.failure = failure;
            self.changed.notify_waiters();
        }
    }

    /// Reads the responses and the end of the stream.
    pub async fn read(&self, mut answers: Streaming<MulticastStreamResponse>) {
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
                let room = MAX_KEPT_REFUSALS.saturating_sub(state.refusals.len());
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
                // The sidecar may report that it passed none of the undecided messages to the
                // daemon.
                let outcome = error.metadata().get("outcome").map(String::as_str);
                let not_sent = outcome == Some(Outcome::NotSent.as_str()) || error.outcome() == Some(Outcome::NotSent);
                let outcome = if not_sent { Outcome::NotSent } else { state.outcome() };
                Some(error.with(|failure| failure.outcome = Some(outcome)))
            }
            None if state.closing && state.progress.decided == state.progress.sent => None,
            None => {
                let message = "the sidecar ended the stream before it accepted or rejected all messages";
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
    let unknown = failure.metadata.get("outcome").is_some_and(|outcome| outcome == Outcome::Unknown.as_str());
    failure.outcome = Some(if unknown { Outcome::Unknown } else { Outcome::NotSent });
    Refusal { index: refusal.index, error: failure.into() }
}

/// The stream of frames. The connection polls it when it has space. Between polls, messages are
/// collected in a frame.
pub(crate) struct Frames {
    pub core: Arc<SenderCore>,
    pub opened: bool,
}

impl Stream for Frames {
    type Item = OutgoingFrame;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<OutgoingFrame>> {
        if !self.opened {
            self.opened = true;
            let mailbox_id = self.core.mailbox.id().to_owned();
            return Poll::Ready(Some(OutgoingFrame::Open(MulticastStreamOpen {
                mailbox_id,
                responds_on_request: false,
            })));
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
