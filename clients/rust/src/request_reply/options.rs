use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::pending::Wanted;
use crate::{Event, MailboxOptions, Service, SpreadError};

pub(super) type OnEvent = Arc<dyn Fn(Event) + Send + Sync>;

/// Options of [`crate::Sidecar::open_request_reply`].
#[derive(Clone)]
#[must_use]
pub struct RequestReplyOptions {
    pub(super) mailbox: MailboxOptions,
    pub(super) end_with_connection: bool,
    pub(super) on_event: Option<OnEvent>,
}

impl Default for RequestReplyOptions {
    fn default() -> Self {
        Self { mailbox: MailboxOptions::new(), end_with_connection: true, on_event: None }
    }
}

impl RequestReplyOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Options with this private name: at most 10 characters from `$` to `~`.
    pub fn named(private_name: impl Into<String>) -> Self {
        Self::new().mailbox(MailboxOptions::named(private_name))
    }

    /// Options of the mailbox. These options have no effect: `membership`, which is always true,
    /// `end_with_connection`, and manual acknowledgement.
    pub fn mailbox(mut self, options: MailboxOptions) -> Self {
        self.mailbox = options;
        self
    }

    /// Whether the mailbox ends with its connection, so that other members learn within a second
    /// that this process has died. Default: true.
    pub fn end_with_connection(mut self, end: bool) -> Self {
        self.end_with_connection = end;
        self
    }

    /// Called for each event that is neither a request nor a reply, such as a view. The listener
    /// must not block or panic.
    pub fn on_event(mut self, listener: impl Fn(Event) + Send + Sync + 'static) -> Self {
        self.on_event = Some(Arc::new(listener));
        self
    }
}

impl fmt::Debug for RequestReplyOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestReplyOptions").field("mailbox", &self.mailbox).finish_non_exhaustive()
    }
}

/// Options of a request.
#[derive(Clone, Debug)]
#[must_use]
pub struct RequestOptions {
    pub(super) wanted: Wanted,
    pub(super) timeout: Duration,
    pub(super) service_type: Service,
    pub(super) message_type: i32,
    pub(super) headers: BTreeMap<String, String>,
}

impl Default for RequestOptions {
    fn default() -> Self {
        Self {
            wanted: Wanted::Number(1),
            timeout: Duration::from_secs(30),
            service_type: Service::AGREED_MESS,
            message_type: 0,
            headers: BTreeMap::new(),
        }
    }
}

impl RequestOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many replies to wait for. At least 1. Default: 1.
    pub fn replies(mut self, number: usize) -> Self {
        self.wanted = Wanted::Number(number);
        self
    }

    /// Waits for a reply of each member of the view.
    pub fn all_replies(mut self) -> Self {
        self.wanted = Wanted::All;
        self
    }

    /// Maximum time until the result. More than 0. Default: 30 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The service type, one of [`Service::UNRELIABLE_MESS`] to [`Service::SAFE_MESS`]. Default:
    /// [`Service::AGREED_MESS`].
    pub fn service_type(mut self, service: Service) -> Self {
        self.service_type = service;
        self
    }

    /// The application's own number, -32768 to 32767. Default: 0.
    pub fn message_type(mut self, message_type: i32) -> Self {
        self.message_type = message_type;
        self
    }

    /// Sets one header of the request. It replaces an earlier header with this name.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    pub(super) fn check(&self) -> Result<(), SpreadError> {
        if self.wanted == Wanted::Number(0) {
            return Err(SpreadError::field("replies", "1 or more", 0));
        }
        if self.timeout.is_zero() {
            return Err(SpreadError::field("timeout", "more than 0", "0"));
        }
        Ok(())
    }
}

/// Options of [`crate::RequestReply::serve`].
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct ServeOptions {
    pub(super) concurrency: usize,
    pub(super) max_queued: usize,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self { concurrency: 1, max_queued: 1000 }
    }
}

impl ServeOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Maximum number of handlers that run at the same time. At least 1. Default: 1, in the order
    /// of delivery.
    pub fn concurrency(mut self, handlers: usize) -> Self {
        self.concurrency = handlers;
        self
    }

    /// Maximum number of requests that wait for a handler. Further requests are rejected. Default:
    /// 1,000.
    pub fn max_queued(mut self, requests: usize) -> Self {
        self.max_queued = requests;
        self
    }

    pub(super) fn check(self) -> Result<(), SpreadError> {
        if self.concurrency == 0 {
            return Err(SpreadError::field("concurrency", "1 or more", 0));
        }
        Ok(())
    }
}
