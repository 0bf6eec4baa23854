use std::time::Duration;

use crate::SpreadError;
use crate::rules::backoff::Backoff;
use crate::rules::failures::{has_mailbox_ended, may_pass};

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    /// A call is open for this sequence.
    Open(u64),
    Pausing,
    Stopped,
}

/// What follows a failed Acknowledge call.
pub(crate) enum AfterFailure {
    /// A3: the client repeats the call after a pause.
    Repeat(Duration),
    /// A2: the client stops to acknowledge. The stream reports the end of the mailbox, with the
    /// cause and the number of lost events.
    Stop,
    /// A4: the client stops to acknowledge, and receiving ends with the error.
    Fail(SpreadError),
}

/// The automatic acknowledgement of a mailbox.
pub(crate) struct Acknowledgement {
    token_may_change: bool,
    state: State,
    requested: u64,
    acknowledged: u64,
    backoff: Backoff,
}

impl Acknowledgement {
    pub fn new(token_may_change: bool) -> Self {
        Self { token_may_change, state: State::Idle, requested: 0, acknowledged: 0, backoff: Backoff::of_stream() }
    }

    /// The application acknowledges all events up to a sequence. Returns whether a call starts now.
    pub fn request(&mut self, up_to: u64) -> bool {
        self.requested = self.requested.max(up_to);
        self.state == State::Idle && self.open().is_some()
    }

    /// The sequence of the open call.
    pub fn open_call(&self) -> Option<u64> {
        if let State::Open(up_to) = self.state { Some(up_to) } else { None }
    }

    /// A1: the open call succeeded. Returns the sequence of the next call, which starts now.
    pub fn on_success(&mut self) -> Option<u64> {
        if let State::Open(up_to) = self.state {
            self.acknowledged = up_to;
            self.backoff.reset(); // B2
            self.state = State::Idle;
        }
        self.open()
    }

    /// The open call failed. `draw` is a random number from 0 to 1.
    pub fn on_failure(&mut self, error: SpreadError, draw: f64) -> AfterFailure {
        let ended = has_mailbox_ended(&error);
        let repeats = may_pass(&error, self.token_may_change) || error.is_retryable() || error.reason().is_empty();
        if !ended && repeats && self.state != State::Stopped {
            self.state = State::Pausing;
            return AfterFailure::Repeat(self.backoff.next(draw));
        }
        let is_silent = ended || self.state == State::Stopped;
        self.state = State::Stopped;
        if is_silent { AfterFailure::Stop } else { AfterFailure::Fail(error) }
    }

    /// A3: the pause ended. Returns the sequence of the next call, which starts now.
    pub fn on_pause_end(&mut self) -> Option<u64> {
        if self.state == State::Pausing {
            self.state = State::Idle;
        }
        self.open()
    }

    /// C4: the mailbox is closed. The client makes no further call.
    pub fn close(&mut self) {
        self.state = State::Stopped;
    }

    /// A1: opens a call with the highest requested sequence.
    fn open(&mut self) -> Option<u64> {
        if self.state != State::Idle || self.requested <= self.acknowledged {
            return None;
        }
        self.state = State::Open(self.requested);
        Some(self.requested)
    }
}
