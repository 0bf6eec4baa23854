use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Notice;

/// What to do if a private name is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NameConflict {
    /// Connecting fails with `REJECT_NOT_UNIQUE`.
    #[default]
    Fail,
    /// The sidecar tries variants of the name with a number.
    Suffix,
}

/// How the sidecar authenticates to the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthMethod {
    /// Spread's method NULL: no credential.
    Null,
    /// Spread's method IP: the daemon checks the sidecar's IP address.
    Ip,
}

/// What acknowledges an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AcknowledgementMode {
    /// The delivery of an event to the transport acknowledges the event.
    #[default]
    Auto,
    /// The sidecar retains an event until the client acknowledges it.
    Explicit,
}

impl AcknowledgementMode {
    /// The name in the contract, such as `EXPLICIT`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "AUTO",
            Self::Explicit => "EXPLICIT",
        }
    }
}

impl fmt::Display for AcknowledgementMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the sidecar does when a mailbox's queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OverflowPolicy {
    /// The sidecar stops reading from the daemon until the queue has space.
    Pause,
    /// The sidecar ends the mailbox.
    Disconnect,
}

/// What a reconnecting mailbox does if its private name is in use by another session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NameLoss {
    /// The mailbox ends. The sidecar's default.
    End,
    /// The sidecar tries variants of the name with a number.
    Suffix,
    /// The daemon generates a name.
    DaemonMade,
}

/// How the sidecar reconnects to a daemon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct ReconnectOptions {
    pub(crate) give_up_after: Option<Duration>,
    pub(crate) on_name_loss: Option<NameLoss>,
    pub(crate) queue_multicasts: bool,
}

impl ReconnectOptions {
    /// The sidecar's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Maximum time to reconnect after the daemon connection is lost. After this time, the mailbox
    /// ends. Default: the sidecar's default, 1 minute.
    pub fn give_up_after(mut self, time: Duration) -> Self {
        self.give_up_after = Some(time);
        self
    }

    /// What to do if the private name is in use by another session. Default: [`NameLoss::End`].
    pub fn on_name_loss(mut self, what: NameLoss) -> Self {
        self.on_name_loss = Some(what);
        self
    }

    /// Whether the sidecar queues messages while it reconnects. If false, the sidecar rejects them
    /// with `RECONNECTING`. Default: false.
    pub fn queue_multicasts(mut self, queue: bool) -> Self {
        self.queue_multicasts = queue;
        self
    }
}

/// The soft limit of a queue. A mailbox that exceeds it for too long ends with `SLOW_CONSUMER`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SoftLimit {
    /// The soft limit as a fraction of the queue's limits: above 0, at most 1. `None` means the
    /// sidecar's default.
    pub fraction: Option<f64>,
    /// Maximum time that the queue may continuously exceed the soft limit. Required if the sidecar
    /// has no default.
    pub time: Option<Duration>,
}

/// The requested limits of a mailbox's delivery queue in the sidecar. For a limit that is not set,
/// the sidecar uses its default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use]
pub struct QueueOptions {
    pub(crate) max_events: u64,
    pub(crate) max_bytes: u64,
    pub(crate) replay_bytes: u64,
    pub(crate) overflow: Option<OverflowPolicy>,
    pub(crate) soft_limit: Option<SoftLimit>,
}

impl QueueOptions {
    /// The sidecar's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Maximum number of queued events.
    pub fn max_events(mut self, events: u64) -> Self {
        self.max_events = events;
        self
    }

    /// Maximum size of the queued events, as encoded. Unit: bytes.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Replay window with [`AcknowledgementMode::Auto`]: size of the delivered events that the
    /// sidecar retains. Unit: bytes.
    pub fn replay_bytes(mut self, bytes: u64) -> Self {
        self.replay_bytes = bytes;
        self
    }

    /// What the sidecar does at a limit.
    pub fn overflow(mut self, policy: OverflowPolicy) -> Self {
        self.overflow = Some(policy);
        self
    }

    /// A limit that the queue may exceed for some time.
    pub fn soft_limit(mut self, limit: SoftLimit) -> Self {
        self.soft_limit = Some(limit);
        self
    }
}

/// How this client receives the events of a mailbox.
#[derive(Clone)]
#[must_use]
pub struct ReceiveOptions {
    pub(crate) auto_receive: bool,
    pub(crate) max_buffered_events: usize,
    pub(crate) max_buffered_bytes: usize,
    pub(crate) manual_acknowledgement: bool,
    pub(crate) max_outstanding_events: u64,
    pub(crate) max_outstanding_bytes: u64,
    pub(crate) heartbeat_interval: Option<Duration>,
    pub(crate) keep_alive: bool,
    pub(crate) on_notice: Option<OnNotice>,
}

pub(crate) type OnNotice = Arc<dyn Fn(Notice) + Send + Sync>;

impl Default for ReceiveOptions {
    fn default() -> Self {
        Self {
            auto_receive: false,
            max_buffered_events: 4096,
            max_buffered_bytes: 4 << 20,
            manual_acknowledgement: false,
            max_outstanding_events: 0,
            max_outstanding_bytes: 0,
            heartbeat_interval: Some(Duration::from_secs(10)),
            keep_alive: true,
            on_notice: None,
        }
    }
}

impl fmt::Debug for ReceiveOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiveOptions").finish_non_exhaustive()
    }
}

impl ReceiveOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether to start to receive immediately, instead of at the first receive call. Default:
    /// false.
    pub fn auto_receive(mut self, at_once: bool) -> Self {
        self.auto_receive = at_once;
        self
    }

    /// Maximum number of events that this client buffers for the application. When the buffer is
    /// full, the stream pauses. Default: 4096.
    pub fn max_buffered_events(mut self, events: usize) -> Self {
        self.max_buffered_events = events.max(1);
        self
    }

    /// Approximate maximum size of events that this client buffers. When the buffer is full, the
    /// stream pauses. Unit: bytes. Default: 4 MiB.
    pub fn max_buffered_bytes(mut self, bytes: usize) -> Self {
        self.max_buffered_bytes = bytes.max(1);
        self
    }

    /// With [`AcknowledgementMode::Explicit`]: only [`crate::Mailbox::acknowledge`] acknowledges
    /// events. If false, the client acknowledges an event when the application asks for the next
    /// event. This suits one receiving loop, but not several loops at the same time. Default:
    /// false.
    pub fn manual_acknowledgement(mut self, manual: bool) -> Self {
        self.manual_acknowledgement = manual;
        self
    }

    /// With [`AcknowledgementMode::Explicit`]: maximum number of events that are delivered but not
    /// acknowledged. Default: no limit.
    pub fn max_outstanding_events(mut self, events: u64) -> Self {
        self.max_outstanding_events = events;
        self
    }

    /// With [`AcknowledgementMode::Explicit`]: maximum size of events that are delivered but not
    /// acknowledged. Unit: bytes. Default: no limit.
    pub fn max_outstanding_bytes(mut self, bytes: u64) -> Self {
        self.max_outstanding_bytes = bytes;
        self
    }

    /// Interval of the sidecar's heartbeats on an idle stream. If no frame arrives for three
    /// intervals, the client treats the stream as broken. 100 ms to 1 h; `None` disables
    /// heartbeats. Default: 10 s.
    pub fn heartbeat_interval(mut self, interval: Option<Duration>) -> Self {
        self.heartbeat_interval = interval;
        self
    }

    /// Whether the client renews the lease while the application neither receives events nor makes
    /// calls. If false, the sidecar ends the unused mailbox after the lease. Default: true.
    pub fn keep_alive(mut self, keep: bool) -> Self {
        self.keep_alive = keep;
        self
    }

    /// Gets notifications that are not events. One task calls the listener, in order. Events wait
    /// until the listener returns, so it must not block.
    pub fn on_notice(mut self, listener: impl Fn(Notice) + Send + Sync + 'static) -> Self {
        self.on_notice = Some(Arc::new(listener));
        self
    }
}

/// How to open a mailbox. By default, the mailbox uses the sidecar's default daemon and a name that
/// the daemon generates.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct MailboxOptions {
    pub(crate) spread_name: String,
    pub(crate) private_name: String,
    pub(crate) on_name_conflict: NameConflict,
    pub(crate) priority: u32,
    pub(crate) membership: Option<bool>,
    pub(crate) auth: Option<AuthMethod>,
    pub(crate) lease: Option<Duration>,
    pub(crate) end_with_connection: bool,
    pub(crate) reconnect: Option<ReconnectOptions>,
    pub(crate) queue: Option<QueueOptions>,
    pub(crate) acknowledgement: AcknowledgementMode,
    pub(crate) receiving: ReceiveOptions,
}

impl MailboxOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Options of a mailbox with this private name: at most 10 characters from `$` to `~`.
    pub fn named(private_name: impl Into<String>) -> Self {
        Self::default().private_name(private_name)
    }

    /// The daemon: `4803`, `4803@host`, or the path of a Unix socket. Default: the sidecar's
    /// default daemon.
    pub fn spread_name(mut self, name: impl Into<String>) -> Self {
        self.spread_name = name.into();
        self
    }

    /// The private name: at most 10 characters from `$` to `~`. Default: the daemon generates one.
    pub fn private_name(mut self, name: impl Into<String>) -> Self {
        self.private_name = name.into();
        self
    }

    /// What to do if the name is in use. Default: [`NameConflict::Fail`].
    pub fn on_name_conflict(mut self, what: NameConflict) -> Self {
        self.on_name_conflict = what;
        self
    }

    /// 0 or 1. Has no effect in Spread 5. Default: 0.
    pub fn priority(mut self, priority: u32) -> Self {
        self.priority = priority;
        self
    }

    /// Whether to receive membership messages. Default: true.
    pub fn membership(mut self, receive: bool) -> Self {
        self.membership = Some(receive);
        self
    }

    /// How the sidecar authenticates to the daemon. Default: the sidecar's default,
    /// [`AuthMethod::Null`].
    pub fn auth(mut self, method: AuthMethod) -> Self {
        self.auth = Some(method);
        self
    }

    /// The lease: the time that the mailbox lives without a receiver and without calls. Default:
    /// the sidecar's default, 30 s.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = Some(lease);
        self
    }

    /// Whether the mailbox ends 500 ms after the client's connection closes, for example when the
    /// process is killed. If not, the mailbox ends after the lease. Default: false.
    pub fn end_with_connection(mut self, end: bool) -> Self {
        self.end_with_connection = end;
        self
    }

    /// Makes the sidecar reconnect after the daemon connection is lost. The mailbox then receives
    /// the events [`crate::Event::ConnectionLost`] and [`crate::Event::ConnectionRestored`].
    /// Default: not set, which ends the mailbox when its connection is lost.
    pub fn reconnect(mut self, options: ReconnectOptions) -> Self {
        self.reconnect = Some(options);
        self
    }

    /// Limits of the delivery queue in the sidecar. Default: the limits of the sidecar's
    /// configuration.
    pub fn queue(mut self, options: QueueOptions) -> Self {
        self.queue = Some(options);
        self
    }

    /// What acknowledges an event. Default: [`AcknowledgementMode::Auto`].
    pub fn acknowledgement(mut self, mode: AcknowledgementMode) -> Self {
        self.acknowledgement = mode;
        self
    }

    /// How this client receives the events of the mailbox.
    pub fn receiving(mut self, options: ReceiveOptions) -> Self {
        self.receiving = options;
        self
    }
}

/// How to attach to an existing mailbox.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct AttachOptions {
    pub(crate) after_sequence: Option<u64>,
    pub(crate) receiving: ReceiveOptions,
}

impl AttachOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Receiving starts after this sequence. Default: after the last delivered event
    /// ([`AcknowledgementMode::Auto`]) or the last acknowledged event
    /// ([`AcknowledgementMode::Explicit`]).
    pub fn after_sequence(mut self, sequence: u64) -> Self {
        self.after_sequence = Some(sequence);
        self
    }

    /// How this client receives the events of the mailbox.
    pub fn receiving(mut self, options: ReceiveOptions) -> Self {
        self.receiving = options;
        self
    }
}

/// How to end a mailbox.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct DisconnectOptions {
    pub(crate) leave_groups_first: bool,
    pub(crate) abort: bool,
}

impl DisconnectOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether to leave all groups first, so that other members see LEAVE instead of DISCONNECT.
    /// Default: false.
    pub fn leave_groups_first(mut self, leave: bool) -> Self {
        self.leave_groups_first = leave;
        self
    }

    /// Whether to close the daemon connection without a disconnect message (`SP_kill`), for failure
    /// tests. Default: false.
    pub fn abort(mut self, abort: bool) -> Self {
        self.abort = abort;
        self
    }
}
