use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::acknowledger::Acknowledger;
use crate::contract;
use crate::inbox::Inbox;
use crate::info::to_info;
use crate::keep_alive::keep_alive;
use crate::options::OnNotice;
use crate::receiver::{Control, Listener, Receiver, Settings};
use crate::rpc::{ChannelCloser, Rpc, Stub};
use crate::rules::failures::is_ignored_by_disconnect;
use crate::rules::lease::Lease;
use crate::sender_core::{SenderCore, SendingMailbox};
use crate::{
    AcknowledgementMode, DisconnectOptions, Event, MailboxInfo, MailboxLimits, Notice, ReceiveOptions, SpreadError,
    VersionTriple, request,
};

pub(crate) struct MailboxCore {
    pub id: String,
    pub daemon_version: VersionTriple,
    pub limits: MailboxLimits,
    pub acknowledgement: AcknowledgementMode,
    pub rpc: Rpc,
    pub runtime: Handle,
    pub inbox: Arc<Inbox>,
    pub control: Arc<Control>,
    /// Only set until receiving starts.
    pub settings: Mutex<Option<Settings>>,
    pub acknowledger: Option<Acknowledger>,
    pub lease: Lease,
    pub on_notice: Option<OnNotice>,
    pub last_taken: AtomicU64,
    pub names: Mutex<Names>,
    pub senders: Mutex<Vec<Weak<SenderCore>>>,
    pub tasks: TaskTracker,
    /// Ends the background work of the mailbox.
    pub stop: CancellationToken,
    /// Ends the background work that has no purpose after the mailbox itself has ended.
    pub mailbox_ended: CancellationToken,
    /// Whether the client knows that the mailbox has ended.
    pub has_ended: AtomicBool,
    pub gone: AtomicBool,
    pub disconnected: OnceCell<Result<bool, SpreadError>>,
    /// The channel, if it is only for this mailbox.
    pub own_channel: Option<ChannelCloser>,
}

pub(crate) struct Names {
    pub private_group: String,
    pub daemon: String,
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

impl SendingMailbox for MailboxCore {
    fn id(&self) -> &str {
        &self.id
    }

    fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    fn used(&self) {
        self.lease.used(Instant::now());
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

impl MailboxCore {
    pub fn start(
        rpc: &Rpc,
        runtime: &Handle,
        init: Init,
        options: ReceiveOptions,
        own_channel: Option<ChannelCloser>,
    ) -> Result<Arc<Self>, SpreadError> {
        let heartbeat = options.heartbeat_interval;
        let settings = Settings {
            mailbox_id: init.id.clone(),
            after_sequence: init.after_sequence,
            max_outstanding_events: options.max_outstanding_events,
            max_outstanding_bytes: options.max_outstanding_bytes,
            heartbeat: heartbeat.map(|interval| request::duration(interval, "heartbeatInterval")).transpose()?,
            heartbeat_interval: heartbeat,
            lease: init.limits.lease,
        };
        let acknowledges = init.acknowledgement == AcknowledgementMode::Explicit && !options.manual_acknowledgement;
        let stop = CancellationToken::new();
        let core = Arc::new(Self {
            id: init.id,
            daemon_version: init.daemon_version,
            limits: init.limits,
            acknowledgement: init.acknowledgement,
            rpc: rpc.clone(),
            runtime: runtime.clone(),
            inbox: Arc::new(Inbox::new(options.max_buffered_events, options.max_buffered_bytes)),
            control: Arc::new(Control::new()),
            settings: Mutex::new(Some(settings)),
            acknowledger: acknowledges.then(|| Acknowledger::new(rpc.security().token_may_change())),
            lease: Lease::new(init.limits.lease, Instant::now()),
            on_notice: options.on_notice,
            last_taken: AtomicU64::new(init.after_sequence),
            names: Mutex::new(Names { private_group: init.private_group, daemon: init.daemon }),
            senders: Mutex::default(),
            tasks: TaskTracker::new(),
            mailbox_ended: stop.child_token(),
            stop,
            has_ended: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            disconnected: OnceCell::new(),
            own_channel,
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
        Ok(core)
    }

    /// Runs a task in the background until `stop` is cancelled.
    fn spawn(&self, stop: CancellationToken, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn_on(
            async move {
                stop.run_until_cancelled(task).await;
            },
            &self.runtime,
        );
    }

    pub fn check_use(&self) -> Result<(), SpreadError> {
        if self.gone.load(Ordering::Acquire) {
            return Err(SpreadError::disconnected());
        }
        self.used();
        Ok(())
    }

    pub fn begin_to_receive(self: &Arc<Self>) {
        if self.gone.load(Ordering::Acquire) || !self.control.begin() {
            return;
        }
        let Some(settings) = self.settings.lock().unwrap().take() else { return };
        let receiver =
            Receiver::new(self.rpc.clone(), self.inbox.clone(), self.control.clone(), settings, self.clone());
        self.tasks.spawn_on(receiver.run(), &self.runtime);
    }

    pub fn poll_event(&self, cx: &mut Context<'_>) -> Poll<Result<Event, SpreadError>> {
        let result = self.inbox.poll_take(cx);
        if let Poll::Ready(Ok(event)) = &result {
            self.on_taken(event);
        }
        result
    }

    pub fn on_taken(&self, event: &Event) {
        self.last_taken.store(event.sequence(), Ordering::Release);
        if let Event::ConnectionRestored(restored) = event {
            *self.names.lock().unwrap() =
                Names { private_group: restored.private_group.clone(), daemon: restored.daemon.clone() };
        }
    }

    pub fn acknowledge_taken(&self) {
        if let Some(acknowledger) = &self.acknowledger {
            acknowledger.request(self.last_taken.load(Ordering::Acquire));
        }
    }

    pub async fn acknowledge(&self, rpc: &Rpc, up_to_sequence: u64) -> Result<u64, SpreadError> {
        let request = contract::AcknowledgeRequest { mailbox_id: self.id.clone(), up_to_sequence };
        let answer = rpc.call(request, async |mut stub: Stub, request| stub.acknowledge(request).await).await;
        answer.map(|answer| answer.acknowledged_sequence)
    }

    async fn acknowledge_in_background(self: Arc<Self>) {
        let Some(acknowledger) = &self.acknowledger else { return };
        let acknowledge = async |up_to| {
            self.used();
            self.acknowledge(&self.rpc, up_to).await
        };
        if let Some(error) = acknowledger.run(acknowledge).await {
            self.control.fail(error);
        }
    }

    async fn keep_alive(self: Arc<Self>) {
        let is_attached = || self.control.is_attached();
        let ping = || {
            let request = contract::PollRequest { mailbox_id: self.id.clone() };
            self.rpc.call(request, async |mut stub: Stub, request| stub.poll(request).await)
        };
        keep_alive(&self.lease, is_attached, ping).await;
    }

    pub async fn disconnect(&self, rpc: &Rpc, options: DisconnectOptions) -> Result<bool, SpreadError> {
        let ending = async {
            let request = contract::DisconnectRequest {
                mailbox_id: self.id.clone(),
                leave_groups_first: options.leave_groups_first,
                abort: options.abort,
            };
            let answer = rpc.call(request, async |mut stub: Stub, request| stub.disconnect(request).await).await;
            if answer.is_ok() {
                self.control.finish().await;
            }
            // C3: the stream may have reported the end already.
            let is_reported = self.has_ended.load(Ordering::Acquire);
            self.close().await;
            match answer {
                Err(error) if is_reported || is_ignored_by_disconnect(&error) => Ok(false),
                other => other.map(|answer| answer.was_open),
            }
        };
        self.disconnected.get_or_init(|| ending).await.clone()
    }

    /// Detaches from the mailbox without ending it.
    pub async fn detach(&self) {
        self.disconnected.set(Ok(false)).ok();
        self.close().await;
    }

    /// Stops the background work without waiting for its end.
    pub fn stop_all(&self) {
        self.gone.store(true, Ordering::Release);
        self.control.stop();
        if let Some(acknowledger) = &self.acknowledger {
            acknowledger.close();
        }
        self.stop.cancel();
        for sender in self.senders.lock().unwrap().drain(..) {
            if let Some(sender) = sender.upgrade() {
                sender.abort();
            }
        }
        self.tasks.close();
    }

    /// Stops the background work and waits for its end.
    pub async fn close(&self) {
        self.stop_all();
        if self.control.begin() {
            self.tell(Notice::Ended(None));
            self.inbox.end(None);
        }
        self.tasks.wait().await;
        if let Some(channel) = &self.own_channel {
            channel.close().await;
        }
    }

    fn tell(&self, notice: Notice) {
        if let Some(listener) = &self.on_notice {
            listener(notice);
        }
    }
}

impl Listener for MailboxCore {
    fn attached(&self, private_group: String) {
        self.names.lock().unwrap().private_group = private_group;
    }

    fn mailbox_ended(&self) {
        self.has_ended.store(true, Ordering::Release);
        self.mailbox_ended.cancel();
    }

    fn notify(&self, notice: Notice) {
        self.tell(notice);
    }
}

pub(crate) async fn fetch_info(rpc: &Rpc, id: &str) -> Result<MailboxInfo, SpreadError> {
    let request = contract::GetMailboxRequest { mailbox_id: id.to_owned() };
    let answer = rpc.call(request, async |mut stub: Stub, request| stub.get_mailbox(request).await).await?;
    answer.mailbox.map(to_info).ok_or_else(|| SpreadError::invalid_response("GetMailbox", "has no mailbox"))
}
