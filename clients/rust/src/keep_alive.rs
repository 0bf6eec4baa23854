//! Keeps the lease of a mailbox whose application neither receives nor calls. The sidecar ends a
//! mailbox that is unused for its lease.

use std::future::Future;
use std::time::Instant;

use crate::rules::lease::Lease;

/// Makes the calls that keep the lease. `is_attached` reports whether a stream keeps the lease now.
/// `ping` is a call that uses the mailbox. K3: the next call of the application reports a failure.
pub(crate) async fn keep_alive<F: Future>(lease: &Lease, is_attached: impl Fn() -> bool, ping: impl Fn() -> F) {
    loop {
        tokio::time::sleep(lease.check_interval()).await;
        if lease.renews(Instant::now(), is_attached()) {
            ping().await;
        }
    }
}
