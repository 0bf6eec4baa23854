use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use super::reply::{HandlerReply, IncomingRequest};
use crate::RegularMessage;

pub(super) type Handling = Pin<Box<dyn Future<Output = Result<HandlerReply, String>> + Send>>;
pub(super) type Handler = Arc<dyn Fn(IncomingRequest) -> Handling + Send + Sync>;

/// A served group.
pub(super) struct Service {
    pub group: String,
    pub handler: Handler,
    pub queue: Mutex<ServiceQueue<RegularMessage>>,
}

/// What to do with a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Added<R> {
    /// Run its handler now.
    Run(R),
    Queued,
    /// Too many requests wait.
    Full(R),
}

/// The requests of one service in the order of their delivery, at most `concurrency` at a time
/// (Q8). Without I/O.
pub(super) struct ServiceQueue<R> {
    waiting: VecDeque<R>,
    running: usize,
    concurrency: usize,
    max_queued: usize,
    is_stopped: bool,
}

impl<R> ServiceQueue<R> {
    pub fn new(concurrency: usize, max_queued: usize) -> Self {
        Self { waiting: VecDeque::new(), running: 0, concurrency, max_queued, is_stopped: false }
    }

    pub fn add(&mut self, request: R) -> Added<R> {
        if self.running < self.concurrency && !self.is_stopped {
            self.running += 1;
            return Added::Run(request);
        }
        if self.waiting.len() >= self.max_queued || self.is_stopped {
            return Added::Full(request);
        }
        self.waiting.push_back(request);
        Added::Queued
    }

    /// A handler has finished. Returns the request whose handler runs next.
    pub fn finish(&mut self) -> Option<R> {
        let next = self.waiting.pop_front();
        if next.is_none() {
            self.running -= 1;
        }
        next
    }

    /// Starts no further handler. Returns the requests that wait.
    pub fn stop(&mut self) -> VecDeque<R> {
        self.is_stopped = true;
        std::mem::take(&mut self.waiting)
    }
}
