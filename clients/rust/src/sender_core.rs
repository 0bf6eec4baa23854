use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_core::Stream;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::Streaming;

use crate::contract::{MulticastRefusal, MulticastStreamOpen, MulticastStreamResponse};
use crate::error::Failure;
use crate::rpc::Rpc;
use crate::rules::rejected::RejectedMessages;
use crate::rules::send_window::{SendWindow, WrittenFrame};
use crate::send_frame::{OutgoingFrame, SendFrame};
use crate::sender_options::{SenderOptions, SenderProgress};
use crate::{Outcome, Refusal, SpreadError, StatusCode};

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

pub(crate) struct State {
    pub window: SendWindow,
    /// The frames that are not decided. Those from `to_write` on were not yet passed to the stream.
    pub frames: VecDeque<SendFrame>,
    pub to_write: usize,
    pub rejected: RejectedMessages,
    pub failure: Option<SpreadError>,
    pub ended: bool,
    /// The stream, while it waits for a frame.
    pub stream: Option<Waker>,
}

impl State {
    pub fn new(options: &SenderOptions) -> Self {
        Self {
            window: SendWindow::new(options),
            frames: VecDeque::new(),
            to_write: 0,
            rejected: RejectedMessages::default(),
            failure: None,
            ended: false,
            stream: None,
        }
    }

    pub fn check_open(&self) -> Result<(), SpreadError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if self.window.is_closing() {
            let mut failure = Failure::new(StatusCode::FailedPrecondition, "the sender is closed");
            failure.outcome = Some(Outcome::NotSent);
            return Err(failure.into());
        }
        Ok(())
    }

    /// The frame for the next message, which has this size.
    pub fn next_frame(&mut self, size: usize) -> &mut SendFrame {
        if self.window.send(size) {
            self.frames.push_back(SendFrame::default());
        }
        self.frames.back_mut().expect("there is one")
    }

    /// The messages of the next frame that is written.
    fn take_frame(&mut self) -> Bytes {
        let messages = self.frames[self.to_write].take();
        self.to_write += 1;
        messages
    }

    /// Removes the next `count` messages, which are decided.
    fn remove_decided(&mut self, mut count: usize) {
        while count > 0 {
            let frame = self.frames.front_mut().expect("the messages in flight are in frames");
            let decided = count.min(frame.count() - frame.decided);
            frame.decided += decided;
            count -= decided;
            if frame.decided == frame.count() {
                self.frames.pop_front();
                self.to_write -= 1;
            }
        }
    }

    pub fn take_rejected(&mut self) -> Result<SenderProgress, SpreadError> {
        self.rejected.take().map_or_else(|| Ok(self.window.progress()), Err)
    }
}

impl SenderCore {
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
            let error = SpreadError::cancelled("the sender was aborted", state.window.outcome());
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
                        Ok(Some(answer)) => {
                            if let Err(error) = self.on_answer(answer) {
                                return self.end(&mut self.state.lock().unwrap(), Some(error));
                            }
                        }
                        Ok(None) => return self.on_end(None),
                        Err(status) => return self.on_end(Some(&self.mailbox.rpc().endpoint().explain(status))),
                    }
                }
            })
            .await;
        self.stop.cancel();
        self.wake_stream();
    }

    /// Fails if the response violates the contract.
    fn on_answer(&self, answer: MulticastStreamResponse) -> Result<(), SpreadError> {
        self.mailbox.used();
        let refusals: Vec<_> = answer.refusals.into_iter().map(to_refusal).collect();
        {
            let mut state = self.state.lock().unwrap();
            let count = state.window.on_response(answer.decided, answer.accepted)?;
            state.remove_decided(count);
            if self.options.on_refused.is_none() {
                state.rejected.add(&refusals);
            }
        }
        if let Some(listener) = &self.options.on_refused {
            refusals.into_iter().for_each(|refusal| listener(refusal));
        }
        self.changed.notify_waiters();
        Ok(())
    }

    fn on_end(&self, error: Option<&SpreadError>) {
        let mut state = self.state.lock().unwrap();
        let failure = match error {
            Some(error) => Some(state.window.on_failure(error)),
            None => state.window.on_end(),
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
                responds_on_request: true,
            })));
        }
        let mut guard = self.core.state.lock().unwrap();
        let state = &mut *guard;
        if state.ended {
            return Poll::Ready(None);
        }
        let Some(WrittenFrame { messages, responds }) = state.window.write() else {
            if state.window.is_closing() {
                return Poll::Ready(None);
            }
            state.stream = Some(cx.waker().clone());
            return Poll::Pending;
        };
        let messages = if messages == 0 { Bytes::new() } else { state.take_frame() };
        self.core.mailbox.used();
        Poll::Ready(Some(OutgoingFrame::Batch { messages, responds }))
    }
}
