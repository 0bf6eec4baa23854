use crate::{Refusal, SpreadError};

/// S6: maximum number of errors of rejected messages.
const MAX_ERRORS: usize = 100;

/// The rejected messages of a sender without a listener, since the last report.
#[derive(Default)]
pub(crate) struct RejectedMessages {
    count: u64,
    first: Vec<Refusal>,
}

impl RejectedMessages {
    pub fn add(&mut self, refusals: &[Refusal]) {
        self.count += refusals.len() as u64;
        let room = MAX_ERRORS.saturating_sub(self.first.len());
        self.first.extend(refusals.iter().take(room).cloned());
    }

    /// S6: the error of the next flush or close, if messages were rejected.
    pub fn take(&mut self) -> Option<SpreadError> {
        let count = std::mem::take(&mut self.count);
        let refusals = std::mem::take(&mut self.first);
        let first = refusals.first()?.error.clone();
        Some(first.with(|failure| {
            failure.message = format!("rejected messages: {count}; first error: {}", failure.message);
            failure.refused = count;
            failure.refusals = refusals;
        }))
    }
}
