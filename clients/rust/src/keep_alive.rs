//! Renews the lease of a mailbox whose application neither receives nor calls. The sidecar ends a
//! mailbox that is unused for its lease.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The time of the last use of a mailbox.
pub(crate) struct LastUse {
    begun: Instant,
    micros: AtomicU64,
}

impl LastUse {
    pub fn new() -> Self {
        Self { begun: Instant::now(), micros: AtomicU64::new(0) }
    }

    /// Records that a call used the mailbox.
    pub fn used(&self) {
        self.micros.store(self.begun.elapsed().as_micros() as u64, Ordering::Relaxed);
    }

    fn silence(&self) -> Duration {
        self.begun.elapsed().saturating_sub(Duration::from_micros(self.micros.load(Ordering::Relaxed)))
    }
}

/// Calls after each third of the lease without other use. `held` reports whether a stream keeps the
/// lease now. `ping` is a call that uses the mailbox. Its failure is ignored: the next call of the
/// application reports it.
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
