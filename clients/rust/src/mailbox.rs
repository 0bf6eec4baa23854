use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use tokio::runtime::Handle;

use crate::contract;
use crate::event::EventInfo;
use crate::from_event::{to_self_leave, to_view};
use crate::info::to_state;
use crate::mailbox_core::{Init, MailboxCore, fetch_info};
use crate::rpc::{ChannelCloser, Rpc};
use crate::{
    AcknowledgementMode, CurrentView, DisconnectOptions, Event, MailboxInfo, MailboxLimits, OutgoingMessage,
    PollResult, ReceiveOptions, SelfLeaveMessage, Sender, SenderOptions, Service, SpreadError, VersionTriple,
    ViewMessage, request,
};

/// Maximum time to end a dropped mailbox in the background.
const DROP_TIME: Duration = Duration::from_secs(2);

/// A connection to a Spread daemon that the sidecar owns. Mailboxes are independent of each other.
///
/// A clone is a second handle of the same mailbox. [`Mailbox::disconnect`] ends the mailbox and
/// waits for its end. If you drop the last handle instead, the client stops the tasks of the
/// mailbox and disconnects it in the background. If the runtime has already ended, the sidecar ends
/// the mailbox when the lease expires.
///
/// To cancel a call, drop its future. The sidecar may have done the operation before you drop the
/// future.
#[derive(Clone)]
pub struct Mailbox {
    handle: Arc<Owned>,
    rpc: Rpc,
}

/// Ends the mailbox when its last handle is dropped.
struct Owned(Arc<MailboxCore>);

impl Drop for Owned {
    fn drop(&mut self) {
        let core = self.0.clone();
        if core.gone.load(Ordering::Acquire) || core.disconnected.initialized() {
            return;
        }
        core.stop_all();
        let runtime = core.runtime.clone();
        runtime.spawn(async move {
            let rpc = core.rpc.with_timeout(Some(DROP_TIME));
            core.disconnect(&rpc, DisconnectOptions::new()).await.ok();
        });
    }
}

/// The values to attach to a mailbox again; see [`crate::Sidecar::attach`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resumption {
    /// The mailbox ID. Keep it secret: its holder can use the mailbox.
    pub mailbox_id: String,
    /// The sequence of the last event that the application received.
    pub after_sequence: u64,
}

impl Mailbox {
    pub(crate) fn new(
        rpc: &Rpc,
        runtime: &Handle,
        init: Init,
        options: ReceiveOptions,
        own_channel: Option<ChannelCloser>,
    ) -> Result<Self, SpreadError> {
        let core = MailboxCore::start(rpc, runtime, init, options, own_channel)?;
        Ok(Self { handle: Arc::new(Owned(core)), rpc: rpc.clone() })
    }

    pub(crate) fn core(&self) -> &Arc<MailboxCore> {
        &self.handle.0
    }

    /// Returns the same mailbox with a different timeout for its calls. `None` means no timeout.
    #[must_use]
    pub fn with_timeout(&self, timeout: impl Into<Option<Duration>>) -> Self {
        Self { handle: self.handle.clone(), rpc: self.rpc.with_timeout(timeout.into()) }
    }

    /// The mailbox ID. Keep it secret: its holder can use the mailbox.
    pub fn id(&self) -> &str {
        &self.core().id
    }

    /// The private group from the daemon, such as `#alice#node1`. Only this mailbox receives
    /// messages to this group. The private group can change after a [`crate::ConnectionRestored`].
    pub fn private_group(&self) -> String {
        self.core().names.lock().unwrap().private_group.clone()
    }

    /// The Spread name of the daemon. The daemon can change after a [`crate::ConnectionRestored`].
    pub fn daemon(&self) -> String {
        self.core().names.lock().unwrap().daemon.clone()
    }

    /// The release of the daemon.
    pub fn daemon_version(&self) -> VersionTriple {
        self.core().daemon_version
    }

    /// The limits of the mailbox.
    pub fn limits(&self) -> &MailboxLimits {
        &self.core().limits
    }

    /// The acknowledgement mode.
    pub fn acknowledgement(&self) -> AcknowledgementMode {
        self.core().acknowledgement
    }

    /// The sequence of the last event that the application received. 0 if none.
    pub fn last_sequence(&self) -> u64 {
        self.core().last_taken.load(Ordering::Acquire)
    }

    /// Joins a group (`SP_join`). No effect if the mailbox is already a member.
    pub async fn join(&self, group: &str) -> Result<(), SpreadError> {
        self.join_request(group, false).await.map(|_| ())
    }

    /// Joins a group, waits for the first view that contains this mailbox, and returns the view.
    /// The mailbox also receives this view as an event.
    pub async fn join_and_await_view(&self, group: &str) -> Result<ViewMessage, SpreadError> {
        match self.join_request(group, true).await?.view {
            Some(view) => Ok(to_view(EventInfo::default(), view)),
            None => Err(SpreadError::invalid_response("Join", "has no view")),
        }
    }

    async fn join_request(&self, group: &str, await_view: bool) -> Result<contract::JoinResponse, SpreadError> {
        let request = contract::JoinRequest { mailbox_id: self.id().to_owned(), group: group.to_owned(), await_view };
        self.call(request, async |mut stub, request| stub.join(request).await).await
    }

    /// Leaves a group (`SP_leave`). No effect if the mailbox is not a member.
    pub async fn leave(&self, group: &str) -> Result<(), SpreadError> {
        self.leave_request(group, false).await.map(|_| ())
    }

    /// Leaves a group, waits for the self-leave, and returns it. The mailbox also receives the
    /// self-leave as an event. Returns `None` if the mailbox was not a member.
    pub async fn leave_and_await_view(&self, group: &str) -> Result<Option<SelfLeaveMessage>, SpreadError> {
        let answer = self.leave_request(group, true).await?;
        Ok(answer.self_leave.map(|left| to_self_leave(EventInfo::default(), left)))
    }

    async fn leave_request(&self, group: &str, await_view: bool) -> Result<contract::LeaveResponse, SpreadError> {
        let request = contract::LeaveRequest { mailbox_id: self.id().to_owned(), group: group.to_owned(), await_view };
        self.call(request, async |mut stub, request| stub.leave(request).await).await
    }

    /// Sends a message to all members of a group, or to a private group (`SP_multicast`). Returns
    /// the size of the payload in bytes after the daemon connection accepted the message. The
    /// sender does not need to be a member of the group. The error's [`SpreadError::outcome`] says
    /// whether the message may have been sent.
    ///
    /// `service` is one of [`Service::UNRELIABLE_MESS`] to [`Service::SAFE_MESS`], optionally with
    /// [`Service::SELF_DISCARD`] (`|`). `message_type` is the application's own number, -32768 to
    /// 32767.
    pub async fn multicast(
        &self,
        service: Service,
        group: &str,
        payload: impl Into<Bytes>,
        message_type: i32,
    ) -> Result<u32, SpreadError> {
        self.multigroup_multicast(service, [group], payload, message_type).await
    }

    /// Sends one message to all members of several groups (`SP_multigroup_multicast`). A mailbox
    /// that is in several of these groups receives the message once. In all other respects, it
    /// works like [`Mailbox::multicast`].
    pub async fn multigroup_multicast(
        &self,
        service: Service,
        groups: impl IntoIterator<Item = impl Into<String>>,
        payload: impl Into<Bytes>,
        message_type: i32,
    ) -> Result<u32, SpreadError> {
        self.multicast_message(OutgoingMessage::new(service, groups, payload).message_type(message_type)).await
    }

    /// Sends a message that may have headers. In all other respects, it works like
    /// [`Mailbox::multigroup_multicast`].
    pub async fn multicast_message(&self, message: OutgoingMessage) -> Result<u32, SpreadError> {
        let message = request::multicast(message)?;
        let request = contract::MulticastRequest { mailbox_id: self.id().to_owned(), message: Some(message) };
        let answer = self.call(request, async |mut stub, request| stub.multicast(request).await).await;
        answer.map(|answer| answer.bytes_sent).map_err(SpreadError::for_send)
    }

    /// Opens a stream that sends many messages. A stream is faster than one call for each message.
    /// The messages of the stream keep their order. Call [`Sender::flush`] before a call of this
    /// mailbox that must come after these messages.
    pub async fn sender(&self, options: SenderOptions) -> Result<Sender, SpreadError> {
        self.core().check_use()?;
        Sender::open(&self.rpc, self.core().clone(), options).await
    }

    /// Waits for the next event (`SP_receive`). The first call starts to receive. If a stream
    /// breaks, the client resumes on a new stream. Each event arrives once and in order.
    ///
    /// After the last event, it fails with the reason why the mailbox ended. After a disconnect,
    /// the reason is `ILLEGAL_SESSION`.
    ///
    /// To cancel the call, drop its future, for example in `select!` or `timeout`. In this case, no
    /// event is lost.
    pub async fn receive(&self) -> Result<Event, SpreadError> {
        let core = self.core();
        core.begin_to_receive();
        core.acknowledge_taken();
        poll_fn(|cx| core.poll_event(cx)).await
    }

    /// Waits for the next event, and returns it with all other events that have arrived, at most
    /// `most` (at least 1). With automatic acknowledgement, the next call acknowledges all returned
    /// events. It can be cancelled like [`Mailbox::receive`].
    pub async fn receive_many(&self, most: usize) -> Result<Vec<Event>, SpreadError> {
        let mut events = vec![self.receive().await?];
        let core = self.core();
        core.inbox.take_more(&mut events, most);
        events[1..].iter().for_each(|event| core.on_taken(event));
        Ok(events)
    }

    /// Returns the mailbox's events as a stream, until the mailbox disconnects. If an error occurs,
    /// it is the last element. If you drop the stream, the mailbox does not end.
    pub fn events(&self) -> Events {
        Events { mailbox: self.clone(), ended: false }
    }

    /// Counts the queued events without receiving them (`SP_poll`).
    pub async fn poll(&self) -> Result<PollResult, SpreadError> {
        let request = contract::PollRequest { mailbox_id: self.id().to_owned() };
        let answer = self.call(request, async |mut stub, request| stub.poll(request).await).await?;
        Ok(PollResult {
            buffered_events: self.core().inbox.len(),
            waiting_events: answer.waiting_events,
            waiting_bytes: answer.waiting_bytes,
            state: to_state(answer.state()),
        })
    }

    /// Acknowledges every event up to and including `up_to`, for example
    /// [`Mailbox::last_sequence`], so that the sidecar releases them. Returns the sequence of the
    /// last acknowledged event. Required with [`AcknowledgementMode::Explicit`] and
    /// [`ReceiveOptions::manual_acknowledgement`].
    pub async fn acknowledge(&self, up_to: u64) -> Result<u64, SpreadError> {
        self.core().check_use()?;
        self.core().acknowledge(&self.rpc, up_to).await
    }

    /// Returns the current view of a group of this mailbox, without waiting for a change.
    pub async fn view(&self, group: &str) -> Result<CurrentView, SpreadError> {
        let request = contract::GetViewRequest { mailbox_id: self.id().to_owned(), group: group.to_owned() };
        let answer = self.call(request, async |mut stub, request| stub.get_view(request).await).await?;
        match answer.view {
            Some(view) => {
                Ok(CurrentView { view: to_view(EventInfo::default(), view), in_transition: answer.in_transition })
            }
            None => Err(SpreadError::invalid_response("GetView", "has no view")),
        }
    }

    /// Returns the state and the counters of the mailbox in the sidecar.
    pub async fn info(&self) -> Result<MailboxInfo, SpreadError> {
        self.core().check_use()?;
        fetch_info(&self.rpc, self.id()).await
    }

    /// Ends the mailbox (`SP_disconnect`). Returns true if this call ended the mailbox. Returns
    /// false if the mailbox had already ended, or if the sidecar is shutting down or unreachable.
    /// The application can still receive the events that arrived before the call. The client
    /// releases its resources even if the call fails. In that case, the sidecar ends the mailbox
    /// when the lease expires. A second call returns the result of the first call.
    pub async fn disconnect(&self) -> Result<bool, SpreadError> {
        self.disconnect_with(DisconnectOptions::new()).await
    }

    /// Works like [`Mailbox::disconnect`], with options.
    pub async fn disconnect_with(&self, options: DisconnectOptions) -> Result<bool, SpreadError> {
        self.core().disconnect(&self.rpc, options).await
    }

    /// Detaches from the mailbox without ending it. To resume the mailbox, pass the returned values
    /// to [`crate::Sidecar::attach`] within the lease. Another process can do this too.
    pub async fn detach(&self) -> Resumption {
        let core = self.core();
        core.disconnected.set(Ok(false)).ok();
        core.close().await;
        Resumption { mailbox_id: core.id.clone(), after_sequence: self.last_sequence() }
    }

    async fn call<Q, A, F>(
        &self,
        request: Q,
        method: impl FnOnce(crate::rpc::Stub, tonic::Request<Q>) -> F,
    ) -> Result<A, SpreadError>
    where
        F: Future<Output = Result<tonic::Response<A>, tonic::Status>>,
    {
        self.core().check_use()?;
        self.rpc.call(request, method).await
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("private_group", &self.private_group()).finish_non_exhaustive()
    }
}

/// The events of a mailbox; see [`Mailbox::events`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Events {
    mailbox: Mailbox,
    ended: bool,
}

impl Events {
    /// Returns the next event. Returns `None` after the mailbox was disconnected, and after an
    /// error. This method does the same as `StreamExt::next`, but does not need that trait.
    pub async fn next(&mut self) -> Option<Result<Event, SpreadError>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for Events {
    type Item = Result<Event, SpreadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let core = self.mailbox.core();
        core.begin_to_receive();
        core.acknowledge_taken();
        let Poll::Ready(result) = core.poll_event(cx) else { return Poll::Pending };
        let over = result.is_err() && core.inbox.is_over();
        self.ended = result.is_err();
        Poll::Ready(if over { None } else { Some(result) })
    }
}
