//! Acknowledges events in the background.

use std::future::Future;
use std::sync::Mutex;

use tokio::sync::Notify;

use crate::SpreadError;
use crate::random::draw;
use crate::rules::acknowledgement::{Acknowledgement, AfterFailure};

pub(crate) struct Acknowledger {
    rules: Mutex<Acknowledgement>,
    /// Notifies the background task of a call that starts.
    started: Notify,
}

impl Acknowledger {
    pub fn new(token_may_change: bool) -> Self {
        Self { rules: Mutex::new(Acknowledgement::new(token_may_change)), started: Notify::new() }
    }

    /// Acknowledges every event up to and including this one.
    pub fn request(&self, up_to: u64) {
        if self.rules.lock().unwrap().request(up_to) {
            self.started.notify_one();
        }
    }

    /// The mailbox makes no further call.
    pub fn close(&self) {
        self.rules.lock().unwrap().close();
    }

    /// Makes the calls. Returns the error that ends receiving, if any.
    pub async fn run<F: Future<Output = Result<u64, SpreadError>>>(
        &self,
        acknowledge: impl Fn(u64) -> F,
    ) -> Option<SpreadError> {
        let mut next = None;
        loop {
            let Some(up_to) = next.take() else {
                self.started.notified().await;
                next = self.rules.lock().unwrap().open_call();
                continue;
            };
            let result = acknowledge(up_to).await;
            next = match result {
                Ok(_) => self.rules.lock().unwrap().on_success(),
                Err(error) => {
                    let after = self.rules.lock().unwrap().on_failure(error, draw());
                    match after {
                        AfterFailure::Repeat(pause) => tokio::time::sleep(pause).await,
                        AfterFailure::Stop => return None,
                        AfterFailure::Fail(error) => return Some(error),
                    }
                    self.rules.lock().unwrap().on_pause_end()
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StatusCode;
    use crate::error::Failure;

    #[tokio::test]
    async fn requests_during_a_call_share_the_next_call() {
        let acknowledger = Acknowledger::new(false);
        let calls = Mutex::new(Vec::new());
        acknowledger.request(1);
        let end = acknowledger
            .run(async |up_to| {
                calls.lock().unwrap().push(up_to);
                if up_to == 3 {
                    let mut failure = Failure::new(StatusCode::Internal, "a defect");
                    failure.reason = "INTERNAL".to_owned();
                    return Err(failure.into());
                }
                for further in [2, 3, 1] {
                    acknowledger.request(further);
                }
                Ok(up_to)
            })
            .await;
        assert_eq!(*calls.lock().unwrap(), [1, 3]);
        assert_eq!(end.unwrap().message(), "a defect");
    }
}
