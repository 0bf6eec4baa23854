use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::options::OnEvent;
use super::outgoing::{Outgoing, Purpose};
use super::pending::ReplyStatus;
use super::reply::{IncomingRequest, Reply};
use super::service::{Added, Service};
use super::state::State;
use crate::header::{CORRELATION_ID, REPLY_TO};
use crate::{Event, Mailbox, Outcome, OutgoingMessage, RegularMessage, SpreadError, random};

/// The header with the status of a reply that is not the result of a handler.
const REPLY_STATUS: &str = "reply-status";
/// Largest message of a failed handler. Unit: bytes.
const MAX_ERROR_BYTES: usize = 1000;
/// Maximum number of events that are processed at a time.
const MAX_EVENTS: usize = 1000;

/// The part that all handles and tasks of a [`super::RequestReply`] share.
pub(super) struct Shared {
    pub mailbox: Mailbox,
    /// The first part of the IDs of requests.
    pub prefix: String,
    pub state: Mutex<State>,
    pub outgoing: Outgoing,
    on_event: Option<OnEvent>,
    pub runtime: Handle,
    pub tasks: TaskTracker,
    /// Ends the tasks.
    stop: CancellationToken,
}

impl Shared {
    pub fn start(mailbox: Mailbox, on_event: Option<OnEvent>) -> Arc<Self> {
        let runtime = mailbox.core().runtime.clone();
        let shared = Arc::new_cyclic(|shared: &Weak<Self>| {
            let shared = shared.clone();
            let on_failure = move |purpose, error| {
                if let Some(shared) = shared.upgrade() {
                    shared.on_failure(purpose, error);
                }
            };
            Self {
                mailbox,
                prefix: format!("{:016x}-", random::bits()),
                state: Mutex::default(),
                outgoing: Outgoing::new(Arc::new(on_failure)),
                on_event,
                runtime,
                tasks: TaskTracker::new(),
                stop: CancellationToken::new(),
            }
        });
        shared.spawn(shared.clone().receive());
        shared
    }

    /// Runs a task until the object ends.
    fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<Option<T>> {
        let stop = self.stop.clone();
        self.tasks.spawn_on(async move { stop.run_until_cancelled(task).await }, &self.runtime)
    }

    /// Ends the requests, the services and the tasks.
    pub fn end_with(&self, error: &SpreadError) {
        let services = {
            let mut state = self.state.lock().unwrap();
            let end = state.end.get_or_insert_with(|| error.clone()).clone();
            // The messages of open requests may have been sent (Q9).
            state.fail_all(&end.with(|failure| failure.outcome = Some(Outcome::Unknown)));
            std::mem::take(&mut state.services)
        };
        for service in &services {
            service.queue.lock().unwrap().stop();
        }
        self.stop.cancel();
    }

    /// Makes the mailbox a member of the group, and waits for the view.
    pub async fn become_member(&self, mailbox: &Mailbox, group: &str) -> Result<(), SpreadError> {
        {
            let state = self.state.lock().unwrap();
            state.check_open()?;
            if state.is_member(group) {
                return Ok(());
            }
        }
        mailbox.join_and_await_view(group).await.map(|_| ())
    }

    /// Sends a request.
    pub async fn send(&self, id: &str, message: OutgoingMessage) -> Result<(), SpreadError> {
        let message = message.header(CORRELATION_ID, id).header(REPLY_TO, self.mailbox.private_group());
        let sent = self.outgoing.send(&self.mailbox, Purpose::Request(id.to_owned()), &message).await;
        sent.map_err(SpreadError::for_send)
    }

    /// Stops a service and leaves its group.
    pub async fn stop_service(self: &Arc<Self>, service: &Arc<Service>) -> Result<(), SpreadError> {
        if !self.remove_service(service) {
            return Ok(());
        }
        let waiting = service.queue.lock().unwrap().stop();
        for message in waiting {
            self.answer_without_result(&message, ReplyStatus::NotServing).await;
        }
        self.outgoing.flush().await;
        let group = &service.group;
        self.state.lock().unwrap().leaving.insert(group.clone());
        let left = self.mailbox.leave_and_await_view(group).await;
        if !matches!(left, Ok(Some(_))) {
            // No self-leave follows.
            self.state.lock().unwrap().leaving.remove(group);
        }
        left.map(|_| ())
    }

    /// Returns whether the service was open.
    pub fn remove_service(&self, service: &Arc<Service>) -> bool {
        let mut state = self.state.lock().unwrap();
        let before = state.services.len();
        state.services.retain(|other| !Arc::ptr_eq(other, service));
        state.services.len() < before
    }

    async fn receive(self: Arc<Self>) {
        // Also ends the object if the listener for events panics.
        let _end = EndOnDrop(self.clone());
        loop {
            match self.mailbox.receive_many(MAX_EVENTS).await {
                Ok(events) => {
                    for event in events {
                        self.on_received(event).await;
                    }
                }
                Err(error) => return self.end_with(&error),
            }
        }
    }

    async fn on_received(self: &Arc<Self>, event: Event) {
        if let Event::Regular(message) = &event
            && self.is_call(message).await
        {
            return;
        }
        match &event {
            Event::View(view) => self.state.lock().unwrap().on_view(view),
            Event::SelfLeave(left) => self.state.lock().unwrap().on_self_leave(&left.group),
            Event::ConnectionLost(_) => self.state.lock().unwrap().on_connection_lost(),
            _ => {}
        }
        if let Some(listener) = &self.on_event {
            listener(event);
        }
    }

    /// Processes a request or a reply. Returns false for other messages.
    async fn is_call(self: &Arc<Self>, message: &RegularMessage) -> bool {
        let Some(id) = message.headers.get(CORRELATION_ID) else { return false };
        if message.headers.contains_key(REPLY_TO) {
            self.on_request(id, message).await;
            return true;
        }
        if !id.starts_with(&self.prefix) {
            return false;
        }
        let status = ReplyStatus::from_header(message.headers.get(REPLY_STATUS).map(String::as_str));
        let error = (status == ReplyStatus::Error).then(|| message.text());
        let payload = if error.is_some() { Bytes::new() } else { message.payload.clone() };
        let reply = Reply { sender: message.sender.clone(), payload, headers: message.headers.clone(), error };
        self.state.lock().unwrap().on_reply(id, status, reply);
        true
    }

    /// Never waits for a handler (Q8).
    async fn on_request(self: &Arc<Self>, id: &str, message: &RegularMessage) {
        let private_group = self.mailbox.private_group();
        let is_own = message.sender == private_group;
        let service = {
            let mut state = self.state.lock().unwrap();
            if is_own {
                state.on_own_request(id, &private_group);
            }
            state.service_of(&message.groups, &private_group)
        };
        let Some(service) = service else {
            if !is_own {
                self.answer_without_result(message, ReplyStatus::NotServing).await;
            }
            return;
        };
        let added = service.queue.lock().unwrap().add(message.clone());
        match added {
            Added::Run(message) => {
                self.spawn(self.clone().run(service, message));
            }
            Added::Queued => {}
            Added::Full(message) => self.answer_without_result(&message, ReplyStatus::Overloaded).await,
        }
    }

    /// Runs the handler of a request, and then those of the requests that wait.
    async fn run(self: Arc<Self>, service: Arc<Service>, message: RegularMessage) {
        let mut next = Some(message);
        while let Some(message) = next {
            self.handle(&service, message).await;
            next = service.queue.lock().unwrap().finish();
        }
    }

    async fn handle(&self, service: &Service, message: RegularMessage) {
        let to_service = message.groups.contains(&service.group);
        let request = IncomingRequest {
            payload: message.payload,
            sender: message.sender,
            group: if to_service { service.group.clone() } else { self.mailbox.private_group() },
            message_type: message.message_type,
            headers: message.headers.clone(),
        };
        let handler = service.handler.clone();
        // In a task of its own, because it may panic.
        let result = match self.spawn(async move { handler(request).await }).await {
            Ok(Some(result)) => result,
            Ok(None) => return,
            Err(_) => Err("the handler panicked".to_owned()),
        };
        let Some((to, id)) = origin(&message.headers) else { return };
        match result {
            Ok(reply) => {
                let purpose = Purpose::Reply { to: to.clone(), id: id.clone() };
                let outgoing = OutgoingMessage::new(crate::Service::AGREED_MESS, [to], reply.payload)
                    .headers(reply.headers)
                    .header(CORRELATION_ID, id);
                self.outgoing.send(&self.mailbox, purpose, &outgoing).await.ok();
            }
            Err(error) => self.answer(to, id, ReplyStatus::Error, cut(&error).to_owned()).await,
        }
    }

    async fn answer_without_result(&self, request: &RegularMessage, status: ReplyStatus) {
        if let Some((to, id)) = origin(&request.headers) {
            self.answer(to, id, status, String::new()).await;
        }
    }

    /// The requester learns of a failure to send by its timeout.
    async fn answer(&self, to: String, id: String, status: ReplyStatus, payload: String) {
        let mut message = OutgoingMessage::new(crate::Service::AGREED_MESS, [to], payload).header(CORRELATION_ID, id);
        if let Some(status) = status.header() {
            message = message.header(REPLY_STATUS, status);
        }
        self.outgoing.send(&self.mailbox, Purpose::Other, &message).await.ok();
    }

    /// A message was not sent, or its outcome is unknown.
    fn on_failure(self: &Arc<Self>, purpose: Purpose, error: SpreadError) {
        match purpose {
            Purpose::Request(id) => self.state.lock().unwrap().fail(&id, error),
            // For example, the payload is too long. An error reply is short.
            Purpose::Reply { to, id } if error.outcome() == Some(Outcome::NotSent) => {
                let shared = self.clone();
                self.spawn(async move {
                    shared.answer(to, id, ReplyStatus::Error, cut(error.message()).to_owned()).await;
                });
            }
            Purpose::Reply { .. } | Purpose::Other => {}
        }
    }
}

struct EndOnDrop(Arc<Shared>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.end_with(&SpreadError::disconnected());
    }
}

/// Where the reply to a request goes, and the ID of the request.
fn origin(headers: &BTreeMap<String, String>) -> Option<(String, String)> {
    Some((headers.get(REPLY_TO)?.clone(), headers.get(CORRELATION_ID)?.clone()))
}

/// The message of an error, cut to a length that fits in a reply.
fn cut(error: &str) -> &str {
    let mut length = error.len().min(MAX_ERROR_BYTES);
    while !error.is_char_boundary(length) {
        length -= 1;
    }
    &error[..length]
}
