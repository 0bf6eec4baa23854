use std::time::Duration;

/// B1: the first maximum of a pause.
const FIRST: Duration = Duration::from_millis(50);
/// B1: the largest maximum of a pause.
const LARGEST: Duration = Duration::from_millis(2000);
/// B3: the largest maximum of a pause of `wait_for_ready`.
const LARGEST_READY: Duration = Duration::from_millis(500);

/// The pauses between retries. They are random, so that the clients of a restarted sidecar do not
/// all retry at the same time.
pub(crate) struct Backoff {
    maximum: Duration,
    largest: Duration,
}

impl Backoff {
    /// B1: for Receive and for acknowledgements.
    pub fn of_stream() -> Self {
        Self { maximum: FIRST, largest: LARGEST }
    }

    /// B3: for `wait_for_ready`.
    pub fn of_ready() -> Self {
        Self { maximum: FIRST, largest: LARGEST_READY }
    }

    /// B1: the next pause. `draw` is a random number from 0 to 1.
    pub fn next(&mut self, draw: f64) -> Duration {
        let pause = self.maximum.mul_f64(draw);
        self.maximum = self.largest.min(2 * self.maximum);
        pause
    }

    /// B2: records a success.
    pub fn reset(&mut self) {
        self.maximum = FIRST;
    }
}
