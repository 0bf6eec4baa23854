//! Up to which event the application is done. The mailbox tells it to the sidecar in the background, one call at a time;
//! what is asked for meanwhile goes with the next one.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

#[derive(Default)]
pub(crate) struct Acknowledger {
    wanted: AtomicU64,
    asked: Notify,
}

impl Acknowledger {
    /// Every event up to and including this one is to be acknowledged.
    pub fn request(&self, up_to: u64) {
        if self.wanted.fetch_max(up_to, Ordering::AcqRel) < up_to {
            self.asked.notify_one();
        }
    }

    /// Waits until there is more to acknowledge than this, and gives up to where.
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
