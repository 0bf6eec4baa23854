use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// K1: the minimum time without use before the client keeps the lease.
const SHORTEST: Duration = Duration::from_millis(50);

/// The lease of a mailbox, and the time of the last call that used the mailbox.
pub(crate) struct Lease {
    renew_after: Duration,
    start: Instant,
    /// Time from `start` to the last use. Unit: ns.
    last_use: AtomicU64,
}

impl Lease {
    pub fn new(lease: Duration, now: Instant) -> Self {
        Self { renew_after: (lease / 3).max(SHORTEST), start: now, last_use: AtomicU64::new(0) }
    }

    /// K2: the interval of the checks.
    pub fn check_interval(&self) -> Duration {
        self.renew_after / 2
    }

    /// K1: records that a call uses the mailbox.
    pub fn used(&self, now: Instant) {
        self.last_use.store(self.since_start(now), Ordering::Relaxed);
    }

    /// K1, T2: a check. Returns whether the client makes a call now, which counts as a use.
    pub fn renews(&self, now: Instant, is_attached: bool) -> bool {
        let unused = self.since_start(now).saturating_sub(self.last_use.load(Ordering::Relaxed));
        let renews = !is_attached && Duration::from_nanos(unused) >= self.renew_after;
        if renews {
            self.used(now);
        }
        renews
    }

    fn since_start(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_nanos() as u64
    }
}
