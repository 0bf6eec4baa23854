//! The generated stub with a deadline for each call and [`SpreadError`] for failures.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::Channel;

use crate::contract::mailbox_service_client::MailboxServiceClient;
use crate::error::Failure;
use crate::security::Security;
use crate::unreachable::SidecarEndpoint;
use crate::{Outcome, SpreadError, StatusCode};

pub(crate) type Stub = MailboxServiceClient<Channel>;

#[derive(Clone)]
pub(crate) struct Rpc {
    shared: Arc<Shared>,
    call_timeout: Option<Duration>,
}

/// Maximum time to wait for the end of a connection.
const CLOSE_TIME: Duration = Duration::from_secs(2);

struct Shared {
    /// None after the channel was closed. The connection ends when the last clone is dropped.
    channel: Mutex<Option<Channel>>,
    closed: CancellationToken,
    security: Security,
    endpoint: SidecarEndpoint,
    headers: HeaderMap,
}

impl Rpc {
    pub fn new(
        channel: Channel,
        security: Security,
        endpoint: SidecarEndpoint,
        headers: HeaderMap,
        call_timeout: Option<Duration>,
    ) -> Self {
        let channel = Mutex::new(Some(channel));
        let shared = Shared { channel, closed: CancellationToken::new(), security, endpoint, headers };
        Self { shared: Arc::new(shared), call_timeout }
    }

    pub fn with_timeout(&self, timeout: Option<Duration>) -> Self {
        Self { shared: self.shared.clone(), call_timeout: timeout }
    }

    pub fn call_timeout(&self) -> Option<Duration> {
        self.call_timeout
    }

    /// The endpoint of the calls.
    pub fn endpoint(&self) -> &SidecarEndpoint {
        &self.shared.endpoint
    }

    pub fn security(&self) -> &Security {
        &self.shared.security
    }

    /// Cancels the active calls and rejects further ones.
    pub fn close(&self) {
        self.shared.channel.lock().unwrap().take();
        self.shared.closed.cancel();
    }

    pub fn check_open(&self) -> Result<(), SpreadError> {
        self.channel().map(|_| ())
    }

    pub fn channel(&self) -> Result<Channel, SpreadError> {
        self.shared.channel.lock().unwrap().clone().ok_or_else(closed)
    }

    pub fn stub(&self) -> Result<Stub, SpreadError> {
        Ok(MailboxServiceClient::new(self.channel()?).max_decoding_message_size(usize::MAX))
    }

    /// A request with the headers of a call.
    pub async fn request<M>(&self, message: M) -> Result<tonic::Request<M>, SpreadError> {
        let authorization = self.shared.security.authorization().await?;
        Ok(self.request_with(message, authorization))
    }

    pub fn request_with<M>(&self, message: M, authorization: Option<HeaderValue>) -> tonic::Request<M> {
        let mut headers = self.shared.headers.clone();
        if let Some(value) = authorization {
            headers.insert(http::header::AUTHORIZATION, value);
        }
        tonic::Request::from_parts(tonic::metadata::MetadataMap::from_headers(headers), Default::default(), message)
    }

    /// Makes one unary call.
    pub async fn call<Q, A, F>(
        &self,
        message: Q,
        method: impl FnOnce(Stub, tonic::Request<Q>) -> F,
    ) -> Result<A, SpreadError>
    where
        F: Future<Output = Result<tonic::Response<A>, tonic::Status>>,
    {
        self.bounded(async {
            let request = self.request(message).await?;
            self.begin(request, method).await
        })
        .await
    }

    /// The same with a different token.
    pub async fn call_as<Q, A, F>(
        &self,
        authorization: HeaderValue,
        message: Q,
        method: impl FnOnce(Stub, tonic::Request<Q>) -> F,
    ) -> Result<A, SpreadError>
    where
        F: Future<Output = Result<tonic::Response<A>, tonic::Status>>,
    {
        self.bounded(self.begin(self.request_with(message, Some(authorization)), method)).await
    }

    async fn begin<Q, A, F>(
        &self,
        mut request: tonic::Request<Q>,
        method: impl FnOnce(Stub, tonic::Request<Q>) -> F,
    ) -> Result<A, SpreadError>
    where
        F: Future<Output = Result<tonic::Response<A>, tonic::Status>>,
    {
        if let Some(timeout) = self.call_timeout {
            request.set_timeout(timeout);
        }
        match method(self.stub()?, request).await {
            Ok(answer) => Ok(answer.into_inner()),
            Err(status) => Err(self.endpoint().explain(status)),
        }
    }

    /// Ends a call at its deadline and when the channel is closed.
    pub async fn bounded<A>(&self, call: impl Future<Output = Result<A, SpreadError>>) -> Result<A, SpreadError> {
        let begun = tokio::time::Instant::now();
        let call = async {
            tokio::select! {
                biased;
                result = call => result,
                () = self.shared.closed.cancelled() => Err(SpreadError::cancelled("the channel is closed", Outcome::Unknown)),
            }
        };
        let Some(timeout) = self.call_timeout else { return call.await };
        let late = || -> SpreadError {
            let message = format!("the call got no response within {timeout:?}");
            let mut failure = Failure::new(StatusCode::DeadlineExceeded, message);
            failure.send_outcome = Outcome::Unknown;
            failure.into()
        };
        match tokio::time::timeout(timeout, call).await {
            Err(_) => Err(late()),
            // The channel also applies the deadline, and may be slightly earlier.
            Ok(Err(error)) if error.reason().is_empty() && begun.elapsed() >= timeout => Err(late()),
            Ok(result) => result,
        }
    }
}

fn closed() -> SpreadError {
    SpreadError::cancelled("the channel is closed", Outcome::NotSent)
}

/// Closes the connection of an [`Rpc`].
pub(crate) struct ChannelCloser {
    rpc: Rpc,
    /// The tasks of the connection.
    tasks: TaskTracker,
}

impl ChannelCloser {
    pub fn new(rpc: Rpc, tasks: TaskTracker) -> Self {
        Self { rpc, tasks }
    }

    /// Closes the connection. Waits until its tasks have ended, for at most [`CLOSE_TIME`].
    pub async fn close(&self) {
        self.rpc.close();
        self.tasks.close();
        tokio::time::timeout(CLOSE_TIME, self.tasks.wait()).await.ok();
    }
}
