use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Notice;

/// What to do when a private name is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NameConflict {
    /// Connecting fails with `REJECT_NOT_UNIQUE`.
    #[default]
    Fail,
    /// Variants of the name with a number are tried.
    Suffix,
}

/// How the sidecar shows itself to the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthMethod {
    /// Spread's method NULL: no credential.
    Null,
    /// Spread's method IP: the daemon looks at the address that the sidecar connects from.
    Ip,
}

/// What becomes of an event once it was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AcknowledgementMode {
    /// Giving an event acknowledges it.
    #[default]
    Auto,
    /// An event is kept until it is acknowledged.
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
    /// Stop reading from the daemon until there is room.
    Pause,
    /// End the mailbox.
    Disconnect,
}

/// What a mailbox that reconnects does when another session keeps holding its private name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NameLoss {
    /// The mailbox ends. The sidecar's default.
    End,
    /// Variants of the name with a number are tried.
    Suffix,
    /// The daemon makes a name.
    DaemonMade,
}

/// How a lost daemon connection is made anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct ReconnectOptions {
    pub(crate) give_up_after: Option<Duration>,
    pub(crate) on_name_loss: Option<NameLoss>,
    pub(crate) queue_multicasts: bool,
}

impl ReconnectOptions {
    /// With the sidecar's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long after the loss the mailbox ends if that did not succeed. Default: the sidecar's, 1 minute.
    pub fn give_up_after(mut self, time: Duration) -> Self {
        self.give_up_after = Some(time);
        self
    }

    /// What to do when another session keeps holding the private name. Default: [`NameLoss::End`].
    pub fn on_name_loss(mut self, what: NameLoss) -> Self {
        self.on_name_loss = Some(what);
        self
    }

    /// Messages that are sent meanwhile wait in the sidecar. Default: they are refused with `RECONNECTING`.
    pub fn queue_multicasts(mut self, queue: bool) -> Self {
        self.queue_multicasts = queue;
        self
    }
}

/// How long a queue may be nearly full before its mailbox is ended, with `SLOW_CONSUMER`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SoftLimit {
    /// The soft bound, as a part of the queue's bounds: above 0, at most 1. None: the sidecar's default.
    pub fraction: Option<f64>,
    /// How long the queue may stay above it without a break. Required if the sidecar has no default.
    pub time: Option<Duration>,
}

/// The bounds of a mailbox's event queue in the sidecar that are asked for. What is not given takes the sidecar's default.
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
    /// With the sidecar's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The most events that may wait.
    pub fn max_events(mut self, events: u64) -> Self {
        self.max_events = events;
        self
    }

    /// The most bytes that may wait, counted as encoded events.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// With [`AcknowledgementMode::Auto`]: bytes of events kept after they were handed out.
    pub fn replay_bytes(mut self, bytes: u64) -> Self {
        self.replay_bytes = bytes;
        self
    }

    /// What happens at a bound.
    pub fn overflow(mut self, policy: OverflowPolicy) -> Self {
        self.overflow = Some(policy);
        self
    }

    /// A bound that the queue may be above only for a time.
    pub fn soft_limit(mut self, limit: SoftLimit) -> Self {
        self.soft_limit = Some(limit);
        self
    }
}

/// How a mailbox receives on this side.
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

    /// Begin to receive at once, not at the first receive. Default: false.
    pub fn auto_receive(mut self, at_once: bool) -> Self {
        self.auto_receive = at_once;
        self
    }

    /// Nothing more is read from the stream when so many events wait on this side. Default: 4096.
    pub fn max_buffered_events(mut self, events: usize) -> Self {
        self.max_buffered_events = events.max(1);
        self
    }

    /// The same, about so many bytes of events. Default: 4 MiB.
    pub fn max_buffered_bytes(mut self, bytes: usize) -> Self {
        self.max_buffered_bytes = bytes.max(1);
        self
    }

    /// With [`AcknowledgementMode::Explicit`]: only [`crate::Mailbox::acknowledge`] acknowledges. Default: an event is
    /// acknowledged when the application asks for the one after it, and so had the time to be done with it: right for one
    /// loop, wrong for several that receive at once.
    pub fn manual_acknowledgement(mut self, manual: bool) -> Self {
        self.manual_acknowledgement = manual;
        self
    }

    /// With [`AcknowledgementMode::Explicit`]: most events given and not yet acknowledged. Default: no bound.
    pub fn max_outstanding_events(mut self, events: u64) -> Self {
        self.max_outstanding_events = events;
        self
    }

    /// With [`AcknowledgementMode::Explicit`]: most bytes of events given and not yet acknowledged. Default: no bound.
    pub fn max_outstanding_bytes(mut self, bytes: u64) -> Self {
        self.max_outstanding_bytes = bytes;
        self
    }

    /// The sidecar gives a sign of life on an idle stream this often; a stream that is silent for three times as long
    /// counts as broken. 100 ms to 1 h; none for no heartbeat. Default: 10 s.
    pub fn heartbeat_interval(mut self, interval: Option<Duration>) -> Self {
        self.heartbeat_interval = interval;
        self
    }

    /// Keep the mailbox while the application neither receives nor calls. Default: true. Else the sidecar ends it then
    /// after its lease.
    pub fn keep_alive(mut self, keep: bool) -> Self {
        self.keep_alive = keep;
        self
    }

    /// Is told what happens to the mailbox besides its events. Called in order, by one task; what is received waits until
    /// it returns, so it must not block.
    pub fn on_notice(mut self, listener: impl Fn(Notice) + Send + Sync + 'static) -> Self {
        self.on_notice = Some(Arc::new(listener));
        self
    }
}

/// How to open a mailbox. The default is a mailbox at the sidecar's default daemon, with a name that the daemon makes.
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

    /// A mailbox with a private name: at most 10 characters of `$` to `~`.
    pub fn named(private_name: impl Into<String>) -> Self {
        Self::default().private_name(private_name)
    }

    /// The daemon: `4803`, `4803@host`, or the path of a Unix socket. Default: the sidecar's.
    pub fn spread_name(mut self, name: impl Into<String>) -> Self {
        self.spread_name = name.into();
        self
    }

    /// At most 10 characters of `$` to `~`. Default: the daemon makes one.
    pub fn private_name(mut self, name: impl Into<String>) -> Self {
        self.private_name = name.into();
        self
    }

    /// What to do when the name is in use. Default: [`NameConflict::Fail`].
    pub fn on_name_conflict(mut self, what: NameConflict) -> Self {
        self.on_name_conflict = what;
        self
    }

    /// 0 or 1; it has no effect in Spread 5.
    pub fn priority(mut self, priority: u32) -> Self {
        self.priority = priority;
        self
    }

    /// Whether membership messages are received. Default: true.
    pub fn membership(mut self, receive: bool) -> Self {
        self.membership = Some(receive);
        self
    }

    /// How the sidecar shows itself to the daemon. Default: the sidecar's, [`AuthMethod::Null`].
    pub fn auth(mut self, method: AuthMethod) -> Self {
        self.auth = Some(method);
        self
    }

    /// How long the mailbox lives while nothing uses it. Default: the sidecar's, 30 s.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = Some(lease);
        self
    }

    /// End the mailbox 500 ms after this side has closed its connection, as when the process ends or is killed, and
    /// not after the lease. Default: false.
    pub fn end_with_connection(mut self, end: bool) -> Self {
        self.end_with_connection = end;
        self
    }

    /// Reconnect after a lost daemon connection, and report it by the events [`crate::Event::ConnectionLost`] and
    /// [`crate::Event::ConnectionRestored`]. Default: the mailbox ends with its connection.
    pub fn reconnect(mut self, options: ReconnectOptions) -> Self {
        self.reconnect = Some(options);
        self
    }

    /// Bounds of the event queue in the sidecar. Default: the sidecar's.
    pub fn queue(mut self, options: QueueOptions) -> Self {
        self.queue = Some(options);
        self
    }

    /// What becomes of an event once it was given. Default: [`AcknowledgementMode::Auto`].
    pub fn acknowledgement(mut self, mode: AcknowledgementMode) -> Self {
        self.acknowledgement = mode;
        self
    }

    /// How it receives on this side.
    pub fn receiving(mut self, options: ReceiveOptions) -> Self {
        self.receiving = options;
        self
    }
}

/// How to take up a mailbox that exists.
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

    /// Receiving begins with the event after this one. Default: after the last one that the sidecar gave to anybody
    /// ([`AcknowledgementMode::Auto`]) or that was acknowledged ([`AcknowledgementMode::Explicit`]).
    pub fn after_sequence(mut self, sequence: u64) -> Self {
        self.after_sequence = Some(sequence);
        self
    }

    /// How it receives on this side.
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

    /// Leave every group first, so that the others see LEAVE and not DISCONNECT.
    pub fn leave_groups_first(mut self, leave: bool) -> Self {
        self.leave_groups_first = leave;
        self
    }

    /// Drop the daemon's socket without a goodbye (`SP_kill`), for tests of failure.
    pub fn abort(mut self, abort: bool) -> Self {
        self.abort = abort;
        self
    }
}
