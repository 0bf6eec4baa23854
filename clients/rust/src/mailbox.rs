use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::acknowledger::Acknowledger;
use crate::backoff::Backoff;
use crate::contract;
use crate::event::EventInfo;
use crate::from_event::{to_self_leave, to_view};
use crate::inbox::Inbox;
use crate::info::{to_info, to_state};
use crate::keep_alive::{LastUse, keep_alive};
use crate::options::OnNotice;
use crate::receiver::{Control, Listener, Receiver, Settings, lives_on};
use crate::rich_status::is_gone;
use crate::rpc::Rpc;
use crate::sender::{SenderCore, SendingMailbox};
use crate::{
    AcknowledgementMode, Code, CurrentView, DisconnectOptions, Event, MailboxInfo, MailboxLimits, Notice, PollResult,
    Reason, ReceiveOptions, SelfLeaveMessage, Sender, SenderOptions, Service, Sidecar, SpreadError, VersionTriple,
    ViewMessage, request,
};

/// How long ending a mailbox in the background may take, when it was dropped.
const DROP_TIME: Duration = Duration::from_secs(2);

/// A connection to a Spread daemon, kept by the sidecar. Different mailboxes are independent.
///
/// A clone is another handle of the same mailbox. [`Mailbox::disconnect`] ends it in the orderly way, and leaves nothing
/// behind. When the last handle is dropped without it, everything on this side is stopped, and the sidecar is told in the
/// background, if the runtime goes on for long enough; else it ends the mailbox after the lease.
///
/// Every call can be given up by dropping its future; what was asked for may have been done then.
#[derive(Clone)]
pub struct Mailbox {
    handle: Arc<Owned>,
    rpc: Rpc,
}

/// Ends the mailbox when its last handle is gone.
struct Owned(Arc<Core>);

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

pub(crate) struct Core {
    id: String,
    daemon_version: VersionTriple,
    limits: MailboxLimits,
    acknowledgement: AcknowledgementMode,
    pub(crate) rpc: Rpc,
    runtime: Handle,
    inbox: Arc<Inbox>,
    control: Arc<Control>,
    /// Only until receiving begins.
    settings: Mutex<Option<Settings>>,
    acknowledger: Option<Acknowledger>,
    last_use: LastUse,
    on_notice: Option<OnNotice>,
    last_taken: AtomicU64,
    names: Mutex<Names>,
    senders: Mutex<Vec<std::sync::Weak<SenderCore>>>,
    tasks: TaskTracker,
    /// Ends what the mailbox does in the background.
    stop: CancellationToken,
    /// The same, for what there is no use in once the mailbox itself has ended.
    mailbox_ended: CancellationToken,
    gone: AtomicBool,
    disconnected: OnceCell<Result<bool, SpreadError>>,
    /// A channel that is only for this mailbox.
    own_sidecar: Option<Sidecar>,
}

struct Names {
    private_group: String,
    daemon: String,
}

pub(crate) struct Init {
    pub id: String,
    pub private_group: String,
    pub daemon: String,
    pub daemon_version: VersionTriple,
    pub limits: MailboxLimits,
    pub acknowledgement: AcknowledgementMode,
    pub after_sequence: u64,
}

/// What is needed to take up a mailbox again; see [`Sidecar::attach`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resumption {
    /// The mailbox's id. Whoever has it owns the mailbox: keep it as a secret.
    pub mailbox_id: String,
    /// The last event that the application took.
    pub after_sequence: u64,
}

impl Mailbox {
    pub(crate) fn new(
        rpc: &Rpc,
        runtime: &Handle,
        init: Init,
        options: ReceiveOptions,
        own_sidecar: Option<Sidecar>,
    ) -> Result<Self, SpreadError> {
        let heartbeat = options.heartbeat_interval;
        let settings = Settings {
            mailbox_id: init.id.clone(),
            after_sequence: init.after_sequence,
            max_outstanding_events: options.max_outstanding_events,
            max_outstanding_bytes: options.max_outstanding_bytes,
            heartbeat: heartbeat.map(|interval| request::duration(interval, "heartbeatInterval")).transpose()?,
            silence: heartbeat,
            give_up_after: init.limits.lease,
        };
        let acknowledges = init.acknowledgement == AcknowledgementMode::Explicit && !options.manual_acknowledgement;
        let stop = CancellationToken::new();
        let core = Arc::new(Core {
            id: init.id,
            daemon_version: init.daemon_version,
            limits: init.limits,
            acknowledgement: init.acknowledgement,
            rpc: rpc.clone(),
            runtime: runtime.clone(),
            inbox: Arc::new(Inbox::new(options.max_buffered_events, options.max_buffered_bytes)),
            control: Arc::new(Control::new()),
            settings: Mutex::new(Some(settings)),
            acknowledger: acknowledges.then(Acknowledger::default),
            last_use: LastUse::new(),
            on_notice: options.on_notice,
            last_taken: AtomicU64::new(init.after_sequence),
            names: Mutex::new(Names { private_group: init.private_group, daemon: init.daemon }),
            senders: Mutex::default(),
            tasks: TaskTracker::new(),
            mailbox_ended: stop.child_token(),
            stop,
            gone: AtomicBool::new(false),
            disconnected: OnceCell::new(),
            own_sidecar,
        });
        if acknowledges {
            core.spawn(core.mailbox_ended.clone(), core.clone().acknowledge_in_background());
        }
        if options.keep_alive {
            core.spawn(core.mailbox_ended.clone(), core.clone().keep_alive());
        }
        if options.auto_receive {
            core.begin_to_receive();
        }
        Ok(Self { handle: Arc::new(Owned(core)), rpc: rpc.clone() })
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.handle.0
    }

    /// The same mailbox with another time for its calls than the channel's; none for no bound.
    #[must_use]
    pub fn with_timeout(&self, timeout: impl Into<Option<Duration>>) -> Self {
        Self { handle: self.handle.clone(), rpc: self.rpc.with_timeout(timeout.into()) }
    }

    /// The mailbox's id. Whoever has it owns the mailbox: keep it as a secret.
    pub fn id(&self) -> &str {
        &self.core().id
    }

    /// The private group that the daemon gave, such as `#alice#node1`: messages to it reach this mailbox alone. May be
    /// another after a [`crate::ConnectionRestored`].
    pub fn private_group(&self) -> String {
        self.core().names.lock().unwrap().private_group.clone()
    }

    /// The daemon that it was connected to, as a spread name. May be another after a [`crate::ConnectionRestored`].
    pub fn daemon(&self) -> String {
        self.core().names.lock().unwrap().daemon.clone()
    }

    /// The daemon's release.
    pub fn daemon_version(&self) -> VersionTriple {
        self.core().daemon_version
    }

    /// The limits that hold for it.
    pub fn limits(&self) -> &MailboxLimits {
        &self.core().limits
    }

    /// The acknowledgement mode that holds.
    pub fn acknowledgement(&self) -> AcknowledgementMode {
        self.core().acknowledgement
    }

    /// The sequence of the last event that the application took; 0 if none.
    pub fn last_sequence(&self) -> u64 {
        self.core().last_taken.load(Ordering::Acquire)
    }

    /// Joins a group (`SP_join`). Joining one that the mailbox is in changes nothing.
    pub async fn join(&self, group: &str) -> Result<(), SpreadError> {
        self.join_request(group, false).await.map(|_| ())
    }

    /// Joins a group and waits for the view that shows this mailbox as a member; it also comes as an event.
    pub async fn join_and_await_view(&self, group: &str) -> Result<ViewMessage, SpreadError> {
        match self.join_request(group, true).await?.view {
            Some(view) => Ok(to_view(EventInfo::default(), view)),
            None => Err(SpreadError::incomplete("Join", "view")),
        }
    }

    async fn join_request(&self, group: &str, await_view: bool) -> Result<contract::JoinResponse, SpreadError> {
        let request = contract::JoinRequest { mailbox_id: self.id().to_owned(), group: group.to_owned(), await_view };
        self.call(request, async |mut stub, request| stub.join(request).await).await
    }

    /// Leaves a group (`SP_leave`). Leaving one that the mailbox is not in changes nothing.
    pub async fn leave(&self, group: &str) -> Result<(), SpreadError> {
        self.leave_request(group, false).await.map(|_| ())
    }

    /// Leaves a group and waits for the self-leave, which also comes as an event; none when the mailbox was not in the group.
    pub async fn leave_and_await_view(&self, group: &str) -> Result<Option<SelfLeaveMessage>, SpreadError> {
        let answer = self.leave_request(group, true).await?;
        Ok(answer.self_leave.map(|left| to_self_leave(EventInfo::default(), left)))
    }

    async fn leave_request(&self, group: &str, await_view: bool) -> Result<contract::LeaveResponse, SpreadError> {
        let request = contract::LeaveRequest { mailbox_id: self.id().to_owned(), group: group.to_owned(), await_view };
        self.call(request, async |mut stub, request| stub.leave(request).await).await
    }

    /// Sends a message to all members of a group, or to a private group (`SP_multicast`), and gives the bytes sent when the
    /// daemon's connection took it. One need not be a member. The error's [`SpreadError::outcome`] tells whether the message
    /// may have been sent all the same.
    ///
    /// `service` is one of [`Service::UNRELIABLE_MESS`] to [`Service::SAFE_MESS`], with [`Service::SELF_DISCARD`] added
    /// (`|`) or not; `message_type` is the application's own number, -32768 to 32767.
    pub async fn multicast(
        &self,
        service: Service,
        group: &str,
        payload: impl Into<Bytes>,
        message_type: i32,
    ) -> Result<u32, SpreadError> {
        self.multigroup_multicast(service, [group], payload, message_type).await
    }

    /// Sends one message to all members of several groups (`SP_multigroup_multicast`): a mailbox that is in more than one of
    /// them gets it once. Else like [`Mailbox::multicast`].
    pub async fn multigroup_multicast(
        &self,
        service: Service,
        groups: impl IntoIterator<Item = impl Into<String>>,
        payload: impl Into<Bytes>,
        message_type: i32,
    ) -> Result<u32, SpreadError> {
        let groups = groups.into_iter().map(Into::into).collect();
        let message = request::multicast(service, groups, payload.into(), message_type)?;
        let request = contract::MulticastRequest { mailbox_id: self.id().to_owned(), message: Some(message) };
        let answer = self.call(request, async |mut stub, request| stub.multicast(request).await).await;
        answer.map(|answer| answer.bytes_sent).map_err(SpreadError::for_send)
    }

    /// Opens a stream for many messages, for rates that one call a message can't reach. Its messages keep their order;
    /// towards other calls of this mailbox they do after [`Sender::flush`].
    pub async fn sender(&self, options: SenderOptions) -> Result<Sender, SpreadError> {
        self.core().check_use()?;
        Sender::open(&self.rpc, self.core().clone(), options).await
    }

    /// The next event, waiting for it if need be (`SP_receive`). The first call begins to receive. Broken streams are made
    /// again; each event comes once and in order.
    ///
    /// After the last event it fails with the reason why the mailbox ended; after a disconnect with `ILLEGAL_SESSION`.
    ///
    /// It can be given up at any time by dropping its future, such as in `select!` or `timeout`: no event is lost then.
    pub async fn receive(&self) -> Result<Event, SpreadError> {
        let core = self.core();
        core.begin_to_receive();
        core.acknowledge_taken();
        poll_fn(|cx| core.poll_event(cx)).await
    }

    /// The next event, waiting for it if need be, and behind it those that have come already, at most so many (at least
    /// one). With automatic acknowledgement the call after it acknowledges all of them. Can be given up like
    /// [`Mailbox::receive`].
    pub async fn receive_many(&self, most: usize) -> Result<Vec<Event>, SpreadError> {
        let mut events = vec![self.receive().await?];
        let core = self.core();
        core.inbox.take_more(&mut events, most);
        events[1..].iter().for_each(|event| core.on_taken(event));
        Ok(events)
    }

    /// The mailbox's events as a stream, until it is disconnected. An error is the last thing that it gives. Dropping the
    /// stream leaves the mailbox as it is.
    pub fn events(&self) -> Events {
        Events { mailbox: self.clone(), ended: false }
    }

    /// Counts what waits, without taking it (`SP_poll`).
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

    /// Lets the sidecar forget every event up to and including this one, such as [`Mailbox::last_sequence`], and gives the
    /// last acknowledged event. Needed with [`AcknowledgementMode::Explicit`] and [`ReceiveOptions::manual_acknowledgement`].
    pub async fn acknowledge(&self, up_to: u64) -> Result<u64, SpreadError> {
        self.core().check_use()?;
        self.core().acknowledge(&self.rpc, up_to).await
    }

    /// The current view of a group that the mailbox is in, without waiting for a change.
    pub async fn view(&self, group: &str) -> Result<CurrentView, SpreadError> {
        let request = contract::GetViewRequest { mailbox_id: self.id().to_owned(), group: group.to_owned() };
        let answer = self.call(request, async |mut stub, request| stub.get_view(request).await).await?;
        match answer.view {
            Some(view) => {
                Ok(CurrentView { view: to_view(EventInfo::default(), view), in_transition: answer.in_transition })
            }
            None => Err(SpreadError::incomplete("GetView", "view")),
        }
    }

    /// State and counters, as the sidecar has them.
    pub async fn info(&self) -> Result<MailboxInfo, SpreadError> {
        self.core().check_use()?;
        fetch_info(&self.rpc, self.id()).await
    }

    /// Ends the mailbox (`SP_disconnect`) and tells whether this call ended it: false when it had ended, and when its sidecar
    /// is shutting down or cannot be reached. The events that had come by then can still be received. What belongs to the
    /// mailbox on this side is closed even if the call fails; the sidecar then ends it after the lease. A second call gives
    /// what the first did.
    pub async fn disconnect(&self) -> Result<bool, SpreadError> {
        self.disconnect_with(DisconnectOptions::new()).await
    }

    /// [`Mailbox::disconnect`] with options.
    pub async fn disconnect_with(&self, options: DisconnectOptions) -> Result<bool, SpreadError> {
        self.core().disconnect(&self.rpc, options).await
    }

    /// Lets go of the mailbox without ending it: within the lease, [`Sidecar::attach`] takes it up again with what this
    /// gives, also in another process.
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
    /// The next event; none when the mailbox was disconnected, and after an error. The same as `StreamExt::next`, without
    /// that trait.
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

impl SendingMailbox for Core {
    fn id(&self) -> &str {
        &self.id
    }

    fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    fn used(&self) {
        self.last_use.used();
    }

    fn spawn_for_sender(&self, sender: &Arc<SenderCore>, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let mut senders = self.senders.lock().unwrap();
        senders.retain(|sender| sender.strong_count() > 0);
        senders.push(Arc::downgrade(sender));
        drop(senders);
        self.tasks.spawn_on(task, &self.runtime);
        if self.gone.load(Ordering::Acquire) {
            sender.abort();
        }
    }
}

impl Core {
    /// Runs in the background until it is told to stop.
    fn spawn(&self, stop: CancellationToken, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn_on(
            async move {
                stop.run_until_cancelled(task).await;
            },
            &self.runtime,
        );
    }

    fn check_use(&self) -> Result<(), SpreadError> {
        if self.gone.load(Ordering::Acquire) {
            return Err(SpreadError::disconnected());
        }
        self.used();
        Ok(())
    }

    fn begin_to_receive(self: &Arc<Self>) {
        if self.gone.load(Ordering::Acquire) || !self.control.begin() {
            return;
        }
        let Some(settings) = self.settings.lock().unwrap().take() else { return };
        let receiver =
            Receiver::new(self.rpc.clone(), self.inbox.clone(), self.control.clone(), settings, self.clone());
        self.tasks.spawn_on(receiver.run(), &self.runtime);
    }

    fn poll_event(&self, cx: &mut Context<'_>) -> Poll<Result<Event, SpreadError>> {
        let result = self.inbox.poll_take(cx);
        if let Poll::Ready(Ok(event)) = &result {
            self.on_taken(event);
        }
        result
    }

    fn on_taken(&self, event: &Event) {
        self.last_taken.store(event.sequence(), Ordering::Release);
        if let Event::ConnectionRestored(restored) = event {
            *self.names.lock().unwrap() =
                Names { private_group: restored.private_group.clone(), daemon: restored.daemon.clone() };
        }
    }

    fn acknowledge_taken(&self) {
        if let Some(acknowledger) = &self.acknowledger {
            acknowledger.request(self.last_taken.load(Ordering::Acquire));
        }
    }

    async fn acknowledge(&self, rpc: &Rpc, up_to_sequence: u64) -> Result<u64, SpreadError> {
        let request = contract::AcknowledgeRequest { mailbox_id: self.id.clone(), up_to_sequence };
        let answer =
            rpc.call(request, async |mut stub: crate::rpc::Stub, request| stub.acknowledge(request).await).await;
        answer.map(|answer| answer.acknowledged_sequence)
    }

    async fn acknowledge_in_background(self: Arc<Self>) {
        let Some(acknowledger) = &self.acknowledger else { return };
        let mut done = 0;
        let mut backoff = Backoff::default();
        let refused = loop {
            let up_to = acknowledger.beyond(done).await;
            self.used();
            match self.acknowledge(&self.rpc, up_to).await {
                Ok(_) => {
                    done = up_to;
                    backoff.reset();
                }
                Err(error) if error.is_retryable() || error.reason().is_empty() || self.rpc.may_pass(&error) => {
                    tokio::time::sleep(backoff.next()).await;
                }
                Err(error) => break error,
            }
        };
        // That the mailbox is gone tells the stream itself, and it knows why and which events were lost with it.
        if refused.code() != Some(Code::IllegalSession) && refused.sidecar_reason() != Some(Reason::LeaseExpired) {
            self.control.fail(refused);
        }
    }

    async fn keep_alive(self: Arc<Self>) {
        let held = || self.control.is_attached();
        let ping = || {
            let request = contract::PollRequest { mailbox_id: self.id.clone() };
            self.rpc.call(request, async |mut stub: crate::rpc::Stub, request| stub.poll(request).await)
        };
        keep_alive(self.limits.lease, &self.last_use, held, ping).await;
    }

    pub async fn disconnect(&self, rpc: &Rpc, options: DisconnectOptions) -> Result<bool, SpreadError> {
        let ending = async {
            let request = contract::DisconnectRequest {
                mailbox_id: self.id.clone(),
                leave_groups_first: options.leave_groups_first,
                abort: options.abort,
            };
            let answer =
                rpc.call(request, async |mut stub: crate::rpc::Stub, request| stub.disconnect(request).await).await;
            if answer.is_ok() {
                self.control.finish().await;
            }
            // Receiving may have told the reason already.
            let is_told = self.inbox.failure().is_some_and(|told| !lives_on(&told));
            self.close().await;
            match answer {
                Err(error) if is_told || is_gone(&error) => Ok(false),
                other => other.map(|answer| answer.was_open),
            }
        };
        self.disconnected.get_or_init(|| ending).await.clone()
    }

    /// Lets go of the mailbox without ending it.
    pub async fn let_go(&self) {
        self.disconnected.set(Ok(false)).ok();
        self.close().await;
    }

    /// Ends what the mailbox does on this side, without waiting for it.
    fn stop_all(&self) {
        self.gone.store(true, Ordering::Release);
        self.control.stop();
        self.stop.cancel();
        for sender in self.senders.lock().unwrap().drain(..) {
            if let Some(sender) = sender.upgrade() {
                sender.abort();
            }
        }
        self.tasks.close();
    }

    /// Ends what the mailbox does on this side, and waits for it.
    async fn close(&self) {
        self.stop_all();
        if self.control.begin() {
            self.tell(Notice::Ended(None));
            self.inbox.end(None);
        }
        self.tasks.wait().await;
        if let Some(sidecar) = &self.own_sidecar {
            sidecar.close_channel().await;
        }
    }

    fn tell(&self, notice: Notice) {
        if let Some(listener) = &self.on_notice {
            listener(notice);
        }
    }
}

impl Listener for Core {
    fn attached(&self, private_group: String) {
        self.names.lock().unwrap().private_group = private_group;
    }

    fn notify(&self, notice: Notice) {
        if let Notice::Ended(Some(error)) = &notice
            && !lives_on(error)
        {
            // There is no mailbox any more that something could be done for in the background.
            self.mailbox_ended.cancel();
        }
        self.tell(notice);
    }
}

pub(crate) async fn fetch_info(rpc: &Rpc, id: &str) -> Result<MailboxInfo, SpreadError> {
    let request = contract::GetMailboxRequest { mailbox_id: id.to_owned() };
    let answer = rpc.call(request, async |mut stub: crate::rpc::Stub, request| stub.get_mailbox(request).await).await?;
    answer.mailbox.map(to_info).ok_or_else(|| SpreadError::incomplete("GetMailbox", "mailbox"))
}
