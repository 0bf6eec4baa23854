use std::collections::VecDeque;

use crate::error::Failure;
use crate::sender_options::{SenderOptions, SenderProgress};
use crate::{Outcome, Reason, SpreadError, StatusCode};

/// S3: maximum number of messages in a frame.
const BATCH_MESSAGES: usize = 1024;
/// S1: the size of a message, without its payload, groups and headers.
const MESSAGE_BYTES: usize = 16;
/// S1: the size of a group.
const GROUP_BYTES: usize = 32;
/// S4: a frame requests a response after this part of the maximum in flight.
const REQUESTS: usize = 4;

/// S1: the size of a message. `headers` is the size of its encoded headers.
pub(crate) fn message_size(payload: usize, groups: usize, headers: usize) -> usize {
    payload + GROUP_BYTES * groups + MESSAGE_BYTES + headers
}

/// A frame that the client writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrittenFrame {
    /// Number of messages. 0: the frame only requests a response.
    pub messages: usize,
    /// Whether the frame requests a response.
    pub responds: bool,
}

/// A frame that the client has not written.
#[derive(Default)]
struct WaitingFrame {
    messages: usize,
    bytes: usize,
}

/// The messages of a sender, from `send` until they are decided.
pub(crate) struct SendWindow {
    max_messages: usize,
    max_bytes: usize,
    max_batch_bytes: usize,
    progress: SenderProgress,
    /// The sizes of the messages in flight.
    sizes: VecDeque<usize>,
    bytes: usize,
    waiting: VecDeque<WaitingFrame>,
    /// The messages 1 to this number are written.
    written: u64,
    /// The messages 1 to this number have a requested response.
    requested: u64,
    /// Size of the written messages since the last requested response.
    unrequested_bytes: usize,
    /// A flush waits for the messages 1 to this number.
    flushed: u64,
    closing: bool,
}

impl SendWindow {
    pub fn new(options: &SenderOptions) -> Self {
        Self {
            max_messages: options.max_in_flight_messages,
            max_bytes: options.max_in_flight_bytes,
            max_batch_bytes: options.max_batch_bytes,
            progress: SenderProgress::default(),
            sizes: VecDeque::new(),
            bytes: 0,
            waiting: VecDeque::new(),
            written: 0,
            requested: 0,
            unrequested_bytes: 0,
            flushed: 0,
            closing: false,
        }
    }

    pub fn progress(&self) -> SenderProgress {
        self.progress
    }

    /// Number of messages in flight.
    #[cfg(test)]
    pub fn in_flight(&self) -> usize {
        self.sizes.len()
    }

    /// S2: whether a further `send` waits.
    pub fn is_full(&self) -> bool {
        self.sizes.len() >= self.max_messages || self.bytes >= self.max_bytes
    }

    /// S3: adds a message of this size. Returns whether the message is the first one of its frame.
    pub fn send(&mut self, size: usize) -> bool {
        self.progress.sent += 1;
        self.sizes.push_back(size);
        self.bytes += size;
        let last = self.waiting.back_mut();
        let open = last.filter(|frame| frame.bytes < self.max_batch_bytes && frame.messages < BATCH_MESSAGES);
        if let Some(frame) = open {
            frame.messages += 1;
            frame.bytes += size;
            return false;
        }
        self.waiting.push_back(WaitingFrame { messages: 1, bytes: size });
        true
    }

    /// S4: the application flushes. Returns the number of messages that must be decided (S5).
    pub fn flush(&mut self) -> u64 {
        self.flushed = self.progress.sent;
        self.flushed
    }

    /// S5: the application closes the sender.
    pub fn close(&mut self) {
        self.closing = true;
    }

    pub fn is_closing(&self) -> bool {
        self.closing
    }

    /// S4: the next frame to write, if any.
    pub fn write(&mut self) -> Option<WrittenFrame> {
        let frame = match self.waiting.pop_front() {
            Some(frame) => frame,
            None if self.is_request_missing() => WaitingFrame::default(),
            None => return None,
        };
        self.written += frame.messages as u64;
        self.unrequested_bytes += frame.bytes;
        let responds = self.is_request_due() || (self.is_request_missing() && self.written >= self.flushed);
        if responds {
            self.requested = self.written;
            self.unrequested_bytes = 0;
        }
        Some(WrittenFrame { messages: frame.messages, responds })
    }

    /// S4: whether a flush waits for messages that no request covers.
    fn is_request_missing(&self) -> bool {
        self.flushed > self.requested && self.flushed > self.progress.decided
    }

    /// S4: the requests come well before the limits of messages in flight, so that the sender does
    /// not wait for a response.
    fn is_request_due(&self) -> bool {
        let messages = (self.written - self.requested) as usize;
        REQUESTS.saturating_mul(messages) >= self.max_messages
            || REQUESTS.saturating_mul(self.unrequested_bytes) >= self.max_bytes
    }

    /// A response. Returns the number of messages that it decides. Fails if the response violates the
    /// contract (S9).
    pub fn on_response(&mut self, decided: u64, accepted: u64) -> Result<usize, SpreadError> {
        let before = self.progress.decided;
        if decided > self.written || decided < before {
            let problem = format!(
                "has decided = {decided}, but must have a number from {before} (last) to {} (sent)",
                self.written
            );
            let error = SpreadError::invalid_response("MulticastStream", &problem);
            return Err(error.with(|failure| failure.outcome = Some(Outcome::Unknown)));
        }
        let count = (decided - before) as usize;
        self.bytes -= self.sizes.drain(..count).sum::<usize>();
        self.progress.decided = decided;
        self.progress.accepted = accepted;
        Ok(count)
    }

    /// S7: the outcome if the stream ends now, and the sidecar gives no outcome.
    pub fn outcome(&self) -> Outcome {
        if self.progress.decided == self.progress.sent { Outcome::NotSent } else { Outcome::Unknown }
    }

    /// S7: the error of a broken stream, with its outcome.
    pub fn on_failure(&self, error: &SpreadError) -> SpreadError {
        let is_not_sent = error.metadata().get("outcome").is_some_and(|outcome| outcome == Outcome::NotSent.as_str())
            || matches!(error.sidecar_reason(), Some(Reason::SidecarUnreachable | Reason::NotASidecar));
        let outcome = if is_not_sent { Outcome::NotSent } else { self.outcome() };
        error.with(|failure| failure.outcome = Some(outcome))
    }

    /// S8: the error if the sidecar ended the stream without an error. None after a close that has
    /// decided all messages.
    pub fn on_end(&self) -> Option<SpreadError> {
        if self.closing && self.progress.decided == self.progress.sent {
            return None;
        }
        let message = "the sidecar ended the stream before it accepted or rejected all messages";
        let mut failure = Failure::new(StatusCode::Unavailable, message);
        failure.outcome = Some(Outcome::Unknown);
        Some(failure.into())
    }
}
