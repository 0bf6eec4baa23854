use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::acknowledger::Acknowledger;
use crate::backoff::Backoff;
use crate::contract;
use crate::inbox::Inbox;
use crate::info::to_info;
use crate::keep_alive::{LastUse, keep_alive};
use crate::options::OnNotice;
use crate::receiver::{Control, Listener, Receiver, Settings, is_mailbox_alive};
use crate::rich_status::is_gone;
use crate::rpc::{ChannelCloser, Rpc, Stub};
use crate::sender_core::{SenderCore, SendingMailbox};
use crate::{
    AcknowledgementMode, Code, DisconnectOptions, Event, MailboxInfo, MailboxLimits, Notice, Reason, ReceiveOptions,
    SpreadError, VersionTriple, request,
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
    pub last_use: LastUse,
    pub on_notice: Option<OnNotice>,
    pub last_taken: AtomicU64,
    pub names: Mutex<Names>,
    pub senders: Mutex<Vec<Weak<SenderCore>>>,
    pub tasks: TaskTracker,
    /// Ends the background work of the mailbox.
    pub stop: CancellationToken,
    /// Ends the background work that has no purpose after the mailbox itself has ended.
    pub mailbox_ended: CancellationToken,
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
            silence: heartbeat,
            give_up_after: init.limits.lease,
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
        // If the mailbox has ended, the stream reports it, with the cause and the number of lost
        // events.
        if refused.code() != Some(Code::IllegalSession) && refused.sidecar_reason() != Some(Reason::LeaseExpired) {
            self.control.fail(refused);
        }
    }

    async fn keep_alive(self: Arc<Self>) {
        let held = || self.control.is_attached();
        let ping = || {
            let request = contract::PollRequest { mailbox_id: self.id.clone() };
            self.rpc.call(request, async |mut stub: Stub, request| stub.poll(request).await)
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
            let answer = rpc.call(request, async |mut stub: Stub, request| stub.disconnect(request).await).await;
            if answer.is_ok() {
                self.control.finish().await;
            }
            // The stream may have reported the reason already.
            let is_reported = self.inbox.failure().is_some_and(|error| !is_mailbox_alive(&error));
            self.close().await;
            match answer {
                Err(error) if is_reported || is_gone(&error) => Ok(false),
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

    fn notify(&self, notice: Notice) {
        if let Notice::Ended(Some(error)) = &notice
            && !is_mailbox_alive(error)
        {
            // Stop the background work, which needs a mailbox.
            self.mailbox_ended.cancel();
        }
        self.tell(notice);
    }
}

pub(crate) async fn fetch_info(rpc: &Rpc, id: &str) -> Result<MailboxInfo, SpreadError> {
    let request = contract::GetMailboxRequest { mailbox_id: id.to_owned() };
    let answer = rpc.call(request, async |mut stub: Stub, request| stub.get_mailbox(request).await).await?;
    answer.mailbox.map(to_info).ok_or_else(|| SpreadError::invalid_response("GetMailbox", "has no mailbox"))
}
