use std::hash::{BuildHasher, RandomState};

/// Returns a random number from 0 to less than 1. All values are equally probable.
pub(crate) fn draw() -> f64 {
    (bits() >> 11) as f64 / (1u64 << 53) as f64
}

/// Returns random bits.
pub(crate) fn bits() -> u64 {
    // The keys of a new hasher are sufficiently random.
    RandomState::new().hash_one(())
}

#[cfg(test)]
mod tests {
    use super::draw;

    #[test]
    fn numbers_differ_and_cover_the_range() {
        let draws: Vec<_> = (0..1000).map(|_| draw()).collect();
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        for tenth in 0..10 {
            assert!(draws.iter().any(|draw| (draw * 10.0) as i32 == tenth));
        }
    }
}
