use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use http::uri::PathAndQuery;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::rpc::Rpc;
use crate::rules::send_window::message_size;
use crate::send_frame::{FrameCodec, SendFrame, headers_len};
use crate::sender_core::{Frames, SenderCore, SendingMailbox, State};
use crate::sender_options::{OutgoingMessage, SenderOptions, SenderProgress};
use crate::{Service, SpreadError};

static NO_HEADERS: BTreeMap<String, String> = BTreeMap::new();

/// Sends many messages fast and in order over one stream. Messages that are sent while the client
/// writes a frame share the next frame. [`Sender::send`] waits only at the limit of messages in
/// flight.
///
/// The client does not replace a broken stream, because that could send a message twice. All later
/// calls fail with the same error, and [`Sender::undecided`] returns the messages with an unknown
/// outcome.
///
/// [`Sender::close`] flushes the messages and ends the stream. If you drop the sender, the stream
/// ends without waiting, as with [`Sender::abort`].
pub struct Sender {
    core: Arc<SenderCore>,
}

impl Sender {
    pub(crate) async fn open(
        rpc: &Rpc,
        mailbox: Arc<dyn SendingMailbox>,
        options: SenderOptions,
    ) -> Result<Self, SpreadError> {
        let stop = CancellationToken::new();
        let state = Mutex::new(State::new(&options));
        let core = SenderCore { options, mailbox, state, changed: Notify::new(), stop };
        let core = Arc::new(core);
        let frames = Frames { core: core.clone(), opened: false };
        // The call timeout applies to the opening, not to the life of the stream.
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

    /// The progress.
    pub fn progress(&self) -> SenderProgress {
        self.core.state.lock().unwrap().window.progress()
    }

    /// The sent messages that were neither passed to the daemon nor rejected, oldest first. After a
    /// failure, their outcome is unknown.
    pub fn undecided(&self) -> Vec<OutgoingMessage> {
        self.core.state.lock().unwrap().frames.iter().flat_map(SendFrame::undecided).collect()
    }

    /// Sends a message to the members of a group, or to a private group. It waits only at the limit
    /// of messages in flight. The call does not wait until the daemon gets the message; use
    /// [`Sender::flush`] for that. If the call fails, or if you drop its future early, the message
    /// does not count as sent.
    pub async fn send(
        &self,
        service: Service,
        group: &str,
        payload: impl AsRef<[u8]>,
        message_type: i32,
    ) -> Result<(), SpreadError> {
        self.send_multigroup(service, &[group], payload, message_type).await
    }

    /// Sends a message to the members of several groups. In all other respects, it works like
    /// [`Sender::send`].
    pub async fn send_multigroup<G: AsRef<str>>(
        &self,
        service: Service,
        groups: &[G],
        payload: impl AsRef<[u8]>,
        message_type: i32,
    ) -> Result<(), SpreadError> {
        self.add(service, groups, payload.as_ref(), message_type, &NO_HEADERS).await
    }

    /// Sends a message that may have headers, such as a message from [`Sender::undecided`] of a
    /// broken sender. In all other respects, it works like [`Sender::send_multigroup`].
    pub async fn send_message(&self, message: &OutgoingMessage) -> Result<(), SpreadError> {
        let OutgoingMessage { service_type, groups, payload, message_type, headers } = message;
        self.add(*service_type, groups, payload, *message_type, headers).await
    }

    async fn add<G: AsRef<str>>(
        &self,
        service: Service,
        groups: &[G],
        payload: &[u8],
        message_type: i32,
        headers: &BTreeMap<String, String>,
    ) -> Result<(), SpreadError> {
        let kind = service.to_contract()?;
        // Lets other tasks run during a loop of sends.
        tokio::task::coop::consume_budget().await;
        let core = &self.core;
        let size = message_size(payload.len(), groups.len(), headers_len(headers));
        let mut add = |state: &mut State| {
            if let Err(error) = state.check_open() {
                return Some(Err(error));
            }
            if state.window.is_full() {
                return None;
            }
            let frame = state.next_frame(size);
            frame.add(kind, groups, payload, message_type, service.is_self_discard(), headers);
            Some(Ok(()))
        };
        let result = core.when(&mut add).await;
        core.wake_stream();
        result
    }

    /// Waits until all earlier messages were passed to the daemon or rejected. If messages were
    /// rejected and there is no listener for them, fails with the rejected messages. If the stream
    /// broke, fails with the error of the stream.
    pub async fn flush(&self) -> Result<SenderProgress, SpreadError> {
        let until = self.core.state.lock().unwrap().window.flush();
        self.core.wake_stream();
        self.core
            .when(&mut |state| {
                if state.window.progress().decided >= until {
                    return Some(state.take_rejected());
                }
                state.failure.clone().map(Err)
            })
            .await
    }

    /// Flushes the messages and ends the stream. Fails like [`Sender::flush`]. If you drop its
    /// future, the stream ends when all messages were passed to the daemon or rejected, or when you
    /// drop the sender.
    pub async fn close(&self) -> Result<SenderProgress, SpreadError> {
        self.core.state.lock().unwrap().window.close();
        self.core.wake_stream();
        self.core
            .when(&mut |state| {
                if let Some(failure) = &state.failure {
                    return Some(Err(failure.clone()));
                }
                if state.ended { Some(state.take_rejected()) } else { None }
            })
            .await
    }

    /// Ends the stream without waiting. The outcome of messages that were neither passed to the
    /// daemon nor rejected is unknown.
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
