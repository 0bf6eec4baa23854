use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::{Refusal, Service};

/// The progress of a [`crate::Sender`]. The sidecar reports the progress within 20 ms, or when
/// [`crate::Sender::flush`] waits for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SenderProgress {
    /// Number of messages passed to the sender.
    pub sent: u64,
    /// The messages 1 to `decided` were passed to the daemon or rejected.
    pub decided: u64,
    /// Number of messages that were passed to the daemon.
    pub accepted: u64,
}

/// A message to send with [`crate::Mailbox::multicast_message`] or [`crate::Sender::send_message`].
/// Also the type of a message that [`crate::Sender::undecided`] returns.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutgoingMessage {
    /// The service type.
    pub service_type: Service,
    /// The destinations.
    pub groups: Vec<String>,
    /// The payload.
    pub payload: Bytes,
    /// The message type.
    pub message_type: i32,
    /// The headers. [`crate::header`] has the rules and the reserved names.
    pub headers: BTreeMap<String, String>,
}

impl OutgoingMessage {
    /// Creates a message to groups or private groups, of type 0 and without headers. `service` is
    /// as in [`crate::Mailbox::multicast`].
    pub fn new(
        service: Service,
        groups: impl IntoIterator<Item = impl Into<String>>,
        payload: impl Into<Bytes>,
    ) -> Self {
        Self {
            service_type: service,
            groups: groups.into_iter().map(Into::into).collect(),
            payload: payload.into(),
            message_type: 0,
            headers: BTreeMap::new(),
        }
    }

    /// Sets the message type: the application's own number, -32768 to 32767. Default: 0.
    #[must_use]
    pub fn message_type(mut self, message_type: i32) -> Self {
        self.message_type = message_type;
        self
    }

    /// Sets one header. It replaces an earlier header with this name. The sidecar checks names and
    /// sizes.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Sets all headers. They replace all earlier headers.
    #[must_use]
    pub fn headers(mut self, headers: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> Self {
        self.headers = headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        self
    }
}

/// Options of a [`crate::Sender`].
#[derive(Clone)]
#[must_use]
pub struct SenderOptions {
    pub(crate) max_in_flight_messages: usize,
    pub(crate) max_in_flight_bytes: usize,
    pub(crate) max_batch_bytes: usize,
    pub(crate) on_refused: Option<Arc<dyn Fn(Refusal) + Send + Sync>>,
}

impl Default for SenderOptions {
    fn default() -> Self {
        Self {
            max_in_flight_messages: 10_000,
            max_in_flight_bytes: 4 << 20,
            max_batch_bytes: 1 << 20,
            on_refused: None,
        }
    }
}

impl fmt::Debug for SenderOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SenderOptions").finish_non_exhaustive()
    }
}

impl SenderOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Maximum number of messages in flight: sent, but not yet passed to the daemon or rejected.
    /// Default: 10,000.
    pub fn max_in_flight_messages(mut self, messages: usize) -> Self {
        self.max_in_flight_messages = messages.max(1);
        self
    }

    /// Maximum size of the messages in flight, with their groups and headers. A single message may
    /// be larger. Unit: bytes. Default: 4 MiB.
    pub fn max_in_flight_bytes(mut self, bytes: usize) -> Self {
        self.max_in_flight_bytes = bytes.max(1);
        self
    }

    /// The sender writes a frame when its messages reach this size. The last message of a frame may
    /// exceed the size. Set a lower value if the sidecar's `grpc.maxReceiveMessageBytes` (4 MiB by
    /// default) is lower. Unit: bytes. Default: 1 MiB.
    pub fn max_batch_bytes(mut self, bytes: usize) -> Self {
        self.max_batch_bytes = bytes.max(1);
        self
    }

    /// The sender calls this listener for each rejected message, in order. The listener must not
    /// block. If it is not set, the next [`crate::Sender::flush`] or [`crate::Sender::close`] fails
    /// with the first 100 errors ([`crate::SpreadError::refusals`]).
    pub fn on_refused(mut self, listener: impl Fn(Refusal) + Send + Sync + 'static) -> Self {
        self.on_refused = Some(Arc::new(listener));
        self
    }
}
