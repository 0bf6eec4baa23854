//! Keeps a mailbox whose application neither receives nor calls: the sidecar ends one that nobody has used for its lease.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// When a mailbox was last used.
pub(crate) struct LastUse {
    begun: Instant,
    micros: AtomicU64,
}

impl LastUse {
    pub fn new() -> Self {
        Self { begun: Instant::now(), micros: AtomicU64::new(0) }
    }

    /// It was just used by a call.
    pub fn used(&self) {
        self.micros.store(self.begun.elapsed().as_micros() as u64, Ordering::Relaxed);
    }

    fn silence(&self) -> Duration {
        self.begun.elapsed().saturating_sub(Duration::from_micros(self.micros.load(Ordering::Relaxed)))
    }
}

/// Asks in thirds of the lease, and only when nothing else did. `held`: something else keeps the lease right now. `ping`
/// is any call that uses the mailbox; its failure is no news: the next real call tells it.
pub(crate) async fn keep_alive<F: Future>(
    lease: Duration,
    last_use: &LastUse,
    held: impl Fn() -> bool,
    ping: impl Fn() -> F,
) {
    let pause = (lease / 3).max(Duration::from_millis(50));
    loop {
        tokio::time::sleep(pause / 2).await;
        if !held() && last_use.silence() >= pause {
            ping().await;
            last_use.used();
        }
    }
}
