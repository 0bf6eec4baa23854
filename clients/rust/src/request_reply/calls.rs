use std::fmt;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::options::{RequestOptions, RequestReplyOptions, ServeOptions};
use super::pending::{Wanted, is_private_group};
use super::reply::{IncomingRequest, IntoReply, Replies};
use super::service::{Service, ServiceQueue};
use super::shared::Shared;
use super::state::RequestStatistics;
use crate::{OutgoingMessage, Sidecar, SpreadError};

/// The longest timeout. Longer timeouts have the same effect.
const MAX_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 3600);

impl Sidecar {
    /// Opens a mailbox for requests and replies. By default, the mailbox ends with its connection,
    /// so that requesters learn within a second that this process has died.
    pub async fn open_request_reply(&self, options: RequestReplyOptions) -> Result<RequestReply, SpreadError> {
        let RequestReplyOptions { mailbox, end_with_connection, on_event } = options;
        let receiving = mailbox.receiving.clone().manual_acknowledgement(false);
        let mailbox = mailbox.membership(true).end_with_connection(end_with_connection).receiving(receiving);
        let shared = Shared::start(self.connect(mailbox).await?, on_event);
        Ok(RequestReply { owned: Arc::new(Owned(shared)) })
    }
}

/// Makes and handles requests over a mailbox of its own. `docs/request-reply.md` has the rules.
///
/// A clone is a second handle of the same object. [`RequestReply::close`] ends the mailbox and
/// waits for its end. If you drop the last handle instead, the mailbox ends in the background. A
/// handler that owns a handle keeps the object open until its service stops.
#[derive(Clone)]
pub struct RequestReply {
    owned: Arc<Owned>,
}

/// Ends the object when its last handle is dropped.
struct Owned(Arc<Shared>);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.end_with(&SpreadError::disconnected());
    }
}

impl RequestReply {
    fn shared(&self) -> &Arc<Shared> {
        &self.owned.0
    }

    /// The private group, to which requests can go too.
    pub fn private_group(&self) -> String {
        self.shared().mailbox.private_group()
    }

    /// Open requests, and the replies that came too late or a second time.
    pub fn statistics(&self) -> RequestStatistics {
        self.shared().state.lock().unwrap().statistics()
    }

    /// Sends a request to a group or a private group, and waits for the replies. With
    /// [`RequestOptions::all_replies`], joins the group first, because only members know the view.
    ///
    /// Returns the replies, also if some are missing. Fails if the request was not sent, or if the
    /// mailbox ended. To cancel the request, drop its future.
    pub async fn request(
        &self,
        target: &str,
        payload: impl Into<Bytes>,
        options: RequestOptions,
    ) -> Result<Replies, SpreadError> {
        options.check()?;
        let shared = self.shared();
        let timeout = options.timeout.min(MAX_TIMEOUT);
        let deadline = Instant::now() + timeout;
        if options.wanted == Wanted::All && !is_private_group(target) {
            shared.become_member(&shared.mailbox.with_timeout(timeout), target).await?;
        }
        let (id, mut done) = shared.state.lock().unwrap().open(&shared.prefix, target, options.wanted)?;
        let open = ForgetOnDrop { shared, id };
        let message = OutgoingMessage::new(options.service_type, [target], payload)
            .message_type(options.message_type)
            .headers(options.headers);
        let result = async {
            shared.send(&open.id, message).await?;
            (&mut done).await.unwrap_or_else(|_| Err(SpreadError::disconnected()))
        };
        match tokio::time::timeout_at(deadline, result).await {
            Ok(result) => result,
            Err(_) => {
                let result = shared.state.lock().unwrap().time_out(&open.id);
                // Without an open request, the result arrived at the same time.
                result.map_or_else(|| done.try_recv().unwrap_or_else(|_| Err(SpreadError::disconnected())), Ok)
            }
        }
    }

    /// Joins a group, and calls a handler for each request. The reply is the result of the handler:
    /// see [`IntoReply`]. A request to the private group goes to the service that has been open for
    /// the longest time.
    ///
    /// The handler's future runs as a task. When the object ends, the object drops the futures of
    /// running handlers. The service stays open if you drop the returned value.
    pub async fn serve<F, R>(
        &self,
        group: &str,
        handler: impl Fn(IncomingRequest) -> F + Send + Sync + 'static,
        options: ServeOptions,
    ) -> Result<RequestService, SpreadError>
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoReply,
    {
        options.check()?;
        let handler = Arc::new(handler);
        let service = Arc::new(Service {
            group: group.to_owned(),
            handler: Arc::new(move |request| {
                let handler = handler.clone();
                Box::pin(async move { handler(request).await.into_reply() })
            }),
            queue: Mutex::new(ServiceQueue::new(options.concurrency, options.max_queued)),
        });
        let shared = self.shared();
        {
            let mut state = shared.state.lock().unwrap();
            state.check_open()?;
            if state.services.iter().any(|other| other.group == group) {
                return Err(SpreadError::field("group", "a group that this object does not serve", group));
            }
            state.services.push(service.clone());
        }
        let mut joining = RemoveOnDrop { shared, service: Some(service) };
        shared.become_member(&shared.mailbox, group).await?;
        let service = joining.service.take().expect("nothing has taken it");
        Ok(RequestService { shared: Arc::downgrade(shared), service })
    }

    /// Ends the mailbox and all tasks. Open requests fail with `ILLEGAL_SESSION` and outcome `Unknown`. Drops the futures
    /// of running handlers. Fails like [`crate::Mailbox::disconnect`].
    pub async fn close(&self) -> Result<(), SpreadError> {
        let shared = self.shared().clone();
        // In a task of its own, because a handler that calls this method ends here.
        let closing = self.shared().runtime.spawn(async move {
            shared.end_with(&SpreadError::disconnected());
            shared.tasks.close();
            shared.tasks.wait().await;
            shared.outgoing.flush().await;
            shared.mailbox.disconnect().await.map(|_| ())
        });
        closing.await.unwrap_or_else(|_| Err(SpreadError::disconnected()))
    }
}

impl fmt::Debug for RequestReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestReply").field("private_group", &self.private_group()).finish_non_exhaustive()
    }
}

/// A group whose requests are handled.
pub struct RequestService {
    shared: Weak<Shared>,
    service: Arc<Service>,
}

impl RequestService {
    /// The group.
    pub fn group(&self) -> &str {
        &self.service.group
    }

    /// Stops to handle requests and leaves the group. Requests that wait are rejected. Running
    /// handlers finish.
    pub async fn stop(&self) -> Result<(), SpreadError> {
        match self.shared.upgrade() {
            Some(shared) => shared.stop_service(&self.service).await,
            None => Ok(()),
        }
    }
}

impl fmt::Debug for RequestService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestService").field("group", &self.group()).finish_non_exhaustive()
    }
}

/// Removes a request that has ended, or whose future was dropped.
struct ForgetOnDrop<'a> {
    shared: &'a Shared,
    id: String,
}

impl Drop for ForgetOnDrop<'_> {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap().forget(&self.id);
    }
}

/// Removes a service whose group could not be joined.
struct RemoveOnDrop<'a> {
    shared: &'a Shared,
    service: Option<Arc<Service>>,
}

impl Drop for RemoveOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(service) = self.service.take() {
            self.shared.remove_service(&service);
        }
    }
}
