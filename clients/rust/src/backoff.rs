use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Pauses between retries. Each pause is a uniform random duration from zero to a maximum that
/// doubles, so that the clients of a restarted sidecar do not all retry at the same time.
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    bound: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::between(Duration::from_millis(100), Duration::from_secs(2))
    }
}

impl Backoff {
    pub fn between(first: Duration, most: Duration) -> Self {
        Self { first, most, bound: first }
    }

    pub fn next(&mut self) -> Duration {
        // The keys of a new hasher are sufficiently random.
        let random = RandomState::new().hash_one(()) >> 40;
        let pause = self.bound.mul_f64(random as f64 / (1u64 << 24) as f64);
        self.bound = self.most.min(2 * self.bound);
        pause
    }

    pub fn reset(&mut self) {
        self.bound = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_from_a_bound_that_doubles_up_to_the_most() {
        let mut backoff = Backoff::between(Duration::from_millis(10), Duration::from_millis(40));
        for bound in [10, 20, 40, 40] {
            assert_eq!(backoff.bound, Duration::from_millis(bound));
            assert!(backoff.next() <= Duration::from_millis(bound));
        }
        backoff.reset();
        assert_eq!(backoff.bound, Duration::from_millis(10));
    }

    #[test]
    fn draws_different_pauses() {
        let mut backoff = Backoff::between(Duration::from_secs(100), Duration::from_secs(100));
        let first = backoff.next();
        assert!((0..10).any(|_| backoff.next() != first));
    }
}
