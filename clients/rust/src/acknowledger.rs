//! The sequence up to which the application has acknowledged events. The mailbox acknowledges in
//! the background, with at most one active call. Requests during a call are combined into the next
//! call.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

#[derive(Default)]
pub(crate) struct Acknowledger {
    wanted: AtomicU64,
    asked: Notify,
}

impl Acknowledger {
    /// Acknowledges every event up to and including this one.
    pub fn request(&self, up_to: u64) {
        if self.wanted.fetch_max(up_to, Ordering::AcqRel) < up_to {
            self.asked.notify_one();
        }
    }

    /// Waits until there is more to acknowledge than `done`, and returns the sequence.
    pub async fn beyond(&self, done: u64) -> u64 {
        loop {
            let wanted = self.wanted.load(Ordering::Acquire);
            if wanted > done {
                return wanted;
            }
            self.asked.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn coalesces_what_is_asked_for() {
        let acknowledger = Acknowledger::default();
        for up_to in [1, 3, 2] {
            acknowledger.request(up_to);
        }
        assert_eq!(acknowledger.beyond(0).await, 3);
        let (next, ()) = tokio::join!(acknowledger.beyond(3), async { acknowledger.request(4) });
        assert_eq!(next, 4);
    }
}
