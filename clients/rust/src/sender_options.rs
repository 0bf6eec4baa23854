use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::{Refusal, Service};

/// How far a [`Sender`] has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SenderProgress {
    /// The messages given to the sender.
    pub sent: u64,
    /// The messages 1 to `decided` were handed to the daemon or refused.
    pub decided: u64,
    /// How many of them were handed to the daemon.
    pub accepted: u64,
}

/// A message that was given to a sender.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutgoingMessage {
    /// The service type it was sent with.
    pub service_type: Service,
    /// Its destinations.
    pub groups: Vec<String>,
    /// Its bytes.
    pub payload: Bytes,
    /// The application's own number for it.
    pub message_type: i32,
}

/// How a [`Sender`] works.
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

    /// The most messages that may be on their way, not yet decided. Default: 10,000.
    pub fn max_in_flight_messages(mut self, messages: usize) -> Self {
        self.max_in_flight_messages = messages.max(1);
        self
    }

    /// The most bytes of such messages. One is always let through. Default: 4 MiB.
    pub fn max_in_flight_bytes(mut self, bytes: usize) -> Self {
        self.max_in_flight_bytes = bytes.max(1);
        self
    }

    /// A frame is written when its messages have so many bytes; the last of them may be more. Lower it where the sidecar's
    /// `grpc.maxReceiveMessageBytes` (4 MiB by default) is set lower. Default: 1 MiB.
    pub fn max_batch_bytes(mut self, bytes: usize) -> Self {
        self.max_batch_bytes = bytes.max(1);
        self
    }

    /// Is called for each message that is refused, in order, and must not block. Without it refusals are collected, the
    /// first hundred of them in full, and the next [`Sender::flush`] or [`Sender::close`] fails with them
    /// ([`SpreadError::refusals`]).
    pub fn on_refused(mut self, listener: impl Fn(Refusal) + Send + Sync + 'static) -> Self {
        self.on_refused = Some(Arc::new(listener));
        self
    }
}
