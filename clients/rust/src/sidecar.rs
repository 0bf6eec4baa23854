use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tokio_util::task::TaskTracker;
use tonic::transport::Endpoint;

use crate::connector::Connector;
use crate::contract;
use crate::environment::{self, ChannelOptions};
use crate::error::Failure;
use crate::info::{to_acknowledgement, to_info, to_limits, to_version};
use crate::mailbox_core::{Init, MailboxCore, fetch_info};
use crate::random::draw;
use crate::rpc::{ChannelCloser, Rpc, Stub};
use crate::rules::backoff::Backoff;
use crate::rules::failures::may_become_ready;
use crate::security::{BoxError, Security, Token, bearer};
use crate::target::Target;
use crate::unreachable::SidecarEndpoint;
use crate::{
    AcknowledgementMode, AttachOptions, Mailbox, MailboxInfo, MailboxOptions, SidecarVersion, SpreadError, StatusCode,
    Tls, request,
};

/// HTTP/2 window of a Receive stream. With HTTP/2's default of 64 KiB, a fast sidecar would wait
/// for each round trip. The sidecar's replay window (`mailbox.replayWindow`) is several times larger.
const STREAM_WINDOW: u32 = 1 << 20;
/// HTTP/2 window of the connection: the maximum, so that unread streams do not block the others.
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;

/// Builder of a [`Sidecar`].
#[must_use]
pub struct SidecarBuilder {
    options: ChannelOptions,
    headers: Vec<(String, String)>,
    call_timeout: Option<Duration>,
    keep_alive: Duration,
}

impl SidecarBuilder {
    /// Sets the TLS options. Default: no TLS. Without a target, this option replaces all
    /// `SPREAD_SIDECAR_TLS*` variables.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.options.tls = Some(tls);
        self
    }

    /// The client token, sent with every call as `authorization: Bearer …`.
    /// [`SidecarBuilder::build`] rejects a channel on which others could read the token; see
    /// [`SidecarBuilder::insecure`].
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.options.token = Some(Token::Fixed(token.into()));
        self
    }

    /// A function that returns the token. The client calls it before each call, so that the token
    /// can change. If the sidecar revokes the token of a Receive stream, the client gets a new
    /// token and attaches again, within the mailbox's lease.
    pub fn token_source<F, T>(mut self, ask: F) -> Self
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = Result<String, Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    {
        let ask = move || -> Pin<Box<dyn Future<Output = Result<String, BoxError>> + Send>> { Box::pin(ask()) };
        self.options.token = Some(Token::Asked(Arc::new(ask)));
        self
    }

    /// Whether the client may send tokens to another machine without TLS, for example because a
    /// service mesh adds TLS. Default: false.
    pub fn insecure(mut self, insecure: bool) -> Self {
        self.options.insecure = Some(insecure);
        self
    }

    /// A gRPC request header of every call.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Timeout of each call. `None` means no timeout. Default: 30 s. See also
    /// [`Mailbox::with_timeout`].
    pub fn call_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.call_timeout = timeout.into();
        self
    }

    /// Keepalive interval of a connection with active calls. After this time without data, the
    /// client sends a PING. If no response arrives within half of the interval, the client
    /// reconnects. Default: 10 s.
    pub fn connection_keep_alive(mut self, interval: Duration) -> Self {
        self.keep_alive = interval;
        self
    }

    /// Creates the channel, which connects at the first call. Fails only for invalid options, not
    /// for an unreachable sidecar. Call `build` inside a Tokio runtime. This runtime runs the
    /// channel and its mailboxes.
    ///
    /// Without a target, environment variables are the defaults of the target, `tls`, `token` and
    /// `insecure`. `docs/client-environment.md` of the project lists these variables and their
    /// rules.
    pub fn build(self) -> Result<Sidecar, SpreadError> {
        self.build_in(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    pub(crate) fn build_in(self, environment: impl Fn(&str) -> Option<String>) -> Result<Sidecar, SpreadError> {
        let runtime = Handle::try_current().map_err(|error| {
            let bound = "a running Tokio runtime with time and I/O";
            SpreadError::option("runtime", bound, format!("a channel requires {bound}: {error}"))
        })?;
        if self.keep_alive.is_zero() {
            return Err(SpreadError::field("connectionKeepAlive", "a duration, more than 0", "0"));
        }
        let has_target = !self.options.target.is_empty();
        let ChannelOptions { target, tls, token, insecure } = environment::complete(self.options, environment)?;
        let field = if has_target || target.is_empty() { "target" } else { environment::TARGET };
        let name = if target.is_empty() { crate::DEFAULT_TARGET.to_owned() } else { target };
        let target = Target::parse(&name, field)?;
        let private = tls.is_some() || insecure.unwrap_or(false) || target.is_on_this_machine();
        let security = Security { token, private, target: name.clone() };
        if security.token.is_some() {
            security.check_token_allowed("token")?;
        }
        let headers = to_headers(&self.headers)?;
        if headers.contains_key(http::header::AUTHORIZATION) {
            security.check_token_allowed("headers.authorization")?;
        }
        let scheme = if tls.is_some() { "https" } else { "http" };
        let wrong = || SpreadError::field("target", "a host and a port that are valid in HTTP/2", &name);
        let mut endpoint = Endpoint::from_shared(format!("{scheme}://{}", target.authority()))
            .map_err(|_| wrong())?
            .user_agent(concat!("spread-sidecar-rust/", env!("CARGO_PKG_VERSION")))
            .map_err(|_| wrong())?
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .http2_keep_alive_interval(self.keep_alive)
            .keep_alive_timeout(self.keep_alive / 2);
        if let Some(tls) = &tls {
            endpoint = endpoint.tls_config(tls.config(&target)?).map_err(|error| {
                let reason = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
                let bound = "certificates and keys in PEM that belong together";
                SpreadError::option("tls", bound, format!("tls has an invalid certificate or key: {reason}"))
            })?;
        }
        let tasks = TaskTracker::new();
        let executor = Tasks { tasks: tasks.clone(), runtime: runtime.clone() };
        let channel = endpoint
            .executor(executor)
            .connect_with_connector_lazy(Connector { target: target.clone(), has_tls: tls.is_some() });
        let inner =
            Inner { target: name.clone(), tasks, runtime, mailboxes: Mutex::default(), closed: OnceCell::new() };
        let rpc = Rpc::new(
            channel,
            security,
            SidecarEndpoint { name: target.in_messages(&name), target, has_tls: tls.is_some() },
            headers,
            self.call_timeout,
        );
        Ok(Sidecar { inner: Arc::new(inner), rpc })
    }
}

fn to_headers(given: &[(String, String)]) -> Result<HeaderMap, SpreadError> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let wrong = || {
            let bound = "names and values of HTTP/2 headers in ASCII";
            let message =
                format!("the name and the value of header {name:?} must be printable ASCII that HTTP/2 allows");
            SpreadError::option("headers", bound, message)
        };
        let key = HeaderName::try_from(name.as_str()).map_err(|_| wrong())?;
        headers.append(key, HeaderValue::try_from(value.as_str()).map_err(|_| wrong())?);
    }
    Ok(headers)
}

/// Runs the tasks of a channel, and reports when all have ended.
#[derive(Clone)]
struct Tasks {
    tasks: TaskTracker,
    runtime: Handle,
}

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.tasks.spawn_on(task, &self.runtime);
    }
}

/// A channel to a sidecar, which opens mailboxes. It connects at the first call. A clone is a
/// second handle of the same channel.
///
/// [`Sidecar::close`] disconnects the mailboxes and closes the channel. If you drop the `Sidecar`
/// instead, its connection ends with its last mailbox.
#[derive(Clone)]
pub struct Sidecar {
    inner: Arc<Inner>,
    rpc: Rpc,
}

struct Inner {
    target: String,
    tasks: TaskTracker,
    runtime: Handle,
    mailboxes: Mutex<Vec<Weak<MailboxCore>>>,
    closed: OnceCell<Result<(), SpreadError>>,
}

impl Sidecar {
    /// A builder for a sidecar at `host:port`, `unix:/path` or another form of `clients/README.md`.
    /// If it is empty: the environment variable `SPREAD_SIDECAR_TARGET`, or
    /// [`crate::DEFAULT_TARGET`] if the variable is not set.
    pub fn builder(target: impl Into<String>) -> SidecarBuilder {
        SidecarBuilder {
            options: ChannelOptions { target: target.into(), ..ChannelOptions::default() },
            headers: Vec::new(),
            call_timeout: Some(Duration::from_secs(30)),
            keep_alive: Duration::from_secs(10),
        }
    }

    /// A channel to `host:port` or `unix:/path`, such as [`crate::DEFAULT_TARGET`], without TLS and
    /// tokens. With an empty target, all settings come from environment variables; see
    /// [`SidecarBuilder::build`].
    pub fn new(target: impl Into<String>) -> Result<Self, SpreadError> {
        Self::builder(target).build()
    }

    /// The target of the channel.
    pub fn target(&self) -> &str {
        &self.inner.target
    }

    /// Timeout of each call. `None` means no timeout.
    pub fn call_timeout(&self) -> Option<Duration> {
        self.rpc.call_timeout()
    }

    /// Returns the same channel with a different timeout. The timeout also applies to the calls of
    /// mailboxes that you open with this handle.
    #[must_use]
    pub fn with_timeout(&self, timeout: impl Into<Option<Duration>>) -> Self {
        Self { inner: self.inner.clone(), rpc: self.rpc.with_timeout(timeout.into()) }
    }

    /// Opens a mailbox (`SP_connect`). If it fails, for example with `REJECT_NOT_UNIQUE` or
    /// `COULD_NOT_CONNECT`, no mailbox was opened.
    pub async fn connect(&self, options: MailboxOptions) -> Result<Mailbox, SpreadError> {
        self.connect_with(options, None).await
    }

    async fn connect_with(&self, options: MailboxOptions, own: Option<ChannelCloser>) -> Result<Mailbox, SpreadError> {
        let request = request::connect(&options)?;
        let answer = self.rpc.call(request, async |mut stub: Stub, request| stub.connect(request).await).await?;
        let init = Init {
            acknowledgement: to_acknowledgement(answer.acknowledgement()),
            id: answer.mailbox_id,
            private_group: answer.private_group,
            daemon: answer.daemon,
            daemon_version: to_version(answer.daemon_version),
            limits: to_limits(answer.limits),
            after_sequence: 0,
        };
        self.keep(Mailbox::new(&self.rpc, &self.inner.runtime, init, options.receiving, own)?).await
    }

    /// Attaches to a mailbox that this process or a different process opened; see
    /// [`Mailbox::detach`]. When the returned mailbox starts to receive, it replaces the receiver
    /// that is attached.
    pub async fn attach(&self, mailbox_id: &str, options: AttachOptions) -> Result<Mailbox, SpreadError> {
        let info = fetch_info(&self.rpc, mailbox_id).await?;
        let given = match info.acknowledgement {
            AcknowledgementMode::Auto => info.delivered_sequence,
            AcknowledgementMode::Explicit => info.acknowledged_sequence,
        };
        let init = Init {
            id: mailbox_id.to_owned(),
            private_group: info.private_group,
            daemon: info.daemon,
            daemon_version: info.daemon_version,
            limits: info.limits,
            acknowledgement: info.acknowledgement,
            after_sequence: options.after_sequence.unwrap_or(given),
        };
        self.keep(Mailbox::new(&self.rpc, &self.inner.runtime, init, options.receiving, None)?).await
    }

    async fn keep(&self, mailbox: Mailbox) -> Result<Mailbox, SpreadError> {
        {
            let mut mailboxes = self.inner.mailboxes.lock().unwrap();
            mailboxes.retain(|mailbox| mailbox.strong_count() > 0);
            mailboxes.push(Arc::downgrade(mailbox.core()));
        }
        if let Err(error) = self.rpc.check_open() {
            mailbox.core().detach().await;
            return Err(error);
        }
        Ok(mailbox)
    }

    /// Returns the versions of the sidecar, the contract, Spread's client protocol and the daemon
    /// (`SP_version`).
    pub async fn version(&self) -> Result<SidecarVersion, SpreadError> {
        let request = contract::GetVersionRequest {};
        let answer = self.rpc.call(request, async |mut stub: Stub, request| stub.get_version(request).await).await?;
        Ok(SidecarVersion {
            sidecar: answer.sidecar,
            contract: answer.contract,
            client_protocol: to_version(answer.client_protocol),
            daemon: answer.daemon.map(|daemon| to_version(Some(daemon))),
            daemon_address: answer.daemon_address,
            embedded_daemon: answer.embedded_daemon,
        })
    }

    /// Returns the state and the counters of all mailboxes of the sidecar. It is for operators and
    /// requires the admin token, either here or as the channel's token. The client rejects the
    /// token on a channel on which others could read it.
    pub async fn list(&self, admin_token: Option<&str>) -> Result<Vec<MailboxInfo>, SpreadError> {
        let authorization = match admin_token {
            Some(token) => {
                self.rpc.security().check_token_allowed("adminToken")?;
                Some(bearer(token)?)
            }
            None => None,
        };
        let mut mailboxes = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = contract::ListMailboxesRequest { page_size: 0, page_token: page_token.clone() };
            let method = async |mut stub: Stub, request| stub.list_mailboxes(request).await;
            let page = match &authorization {
                Some(value) => self.rpc.call_as(value.clone(), request, method).await?,
                None => self.rpc.call(request, method).await?,
            };
            mailboxes.extend(page.mailboxes.into_iter().map(to_info));
            if page.next_page_token.is_empty() {
                return Ok(mailboxes);
            }
            if page.next_page_token == page_token {
                // Otherwise a sidecar that repeats a page token would cause an endless loop.
                return Err(SpreadError::invalid_response("ListMailboxes", "repeats the page token of the request"));
            }
            page_token = page.next_page_token;
        }
    }

    /// Waits until the sidecar responds. Retries failed attempts until the channel's call timeout.
    /// To change the timeout, use [`Sidecar::with_timeout`]. If a retry cannot help, fails
    /// immediately.
    pub async fn wait_for_ready(&self) -> Result<(), SpreadError> {
        self.wait(false).await
    }

    /// Waits until the sidecar responds and is connected to its default daemon.
    pub async fn wait_for_daemon(&self) -> Result<(), SpreadError> {
        self.wait(true).await
    }

    async fn wait(&self, daemon: bool) -> Result<(), SpreadError> {
        let last = Mutex::new("no response".to_owned());
        let Some(timeout) = self.rpc.call_timeout() else { return self.ask_until_ready(daemon, &last).await };
        match tokio::time::timeout(timeout, self.ask_until_ready(daemon, &last)).await {
            Ok(result) => result,
            Err(_) => {
                let last = last.lock().unwrap();
                let target = self.target();
                let message = format!("the sidecar at {target} was not ready within {timeout:?}: {last}");
                Err(SpreadError::deadline(message))
            }
        }
    }

    async fn ask_until_ready(&self, daemon: bool, last: &Mutex<String>) -> Result<(), SpreadError> {
        let mut pauses = Backoff::of_ready();
        // The whole wait has a timeout; a single call must not end it.
        let asking = self.with_timeout(None);
        loop {
            match asking.version().await {
                Ok(version) if !daemon || version.daemon.is_some() => return Ok(()),
                Ok(_) => *last.lock().unwrap() = "the sidecar is not connected to its daemon".to_owned(),
                Err(error) if may_become_ready(&error) => {
                    *last.lock().unwrap() = error.message().to_owned();
                }
                Err(error) => return Err(error),
            }
            tokio::time::sleep(pauses.next(draw())).await;
        }
    }

    /// Disconnects the mailboxes that were opened or attached over this channel, closes the
    /// channel, and waits for the end of its tasks. Fails like [`Mailbox::disconnect`], but closes
    /// the channel in any case. A second call returns the result of the first call.
    pub async fn close(&self) -> Result<(), SpreadError> {
        self.shut_down(false).await
    }

    /// Closes the channel and detaches its mailboxes without ending them. They live until their
    /// lease expires.
    pub async fn close_keeping_mailboxes(&self) -> Result<(), SpreadError> {
        self.shut_down(true).await
    }

    async fn shut_down(&self, keep_mailboxes: bool) -> Result<(), SpreadError> {
        let closing = async {
            let mailboxes = std::mem::take(&mut *self.inner.mailboxes.lock().unwrap());
            let endings: Vec<_> = mailboxes
                .iter()
                .filter_map(Weak::upgrade)
                .map(|mailbox| {
                    let rpc = self.rpc.clone();
                    self.inner.runtime.spawn(async move {
                        if keep_mailboxes {
                            mailbox.detach().await;
                            return Ok(());
                        }
                        mailbox.disconnect(&rpc, crate::DisconnectOptions::new()).await.map(|_| ())
                    })
                })
                .collect();
            let mut result = Ok(());
            for ending in endings {
                let ended = ending.await.unwrap_or_else(|error| {
                    Err(Failure::new(StatusCode::Internal, format!("a mailbox could not be closed: {error}")).into())
                });
                result = result.and(ended);
            }
            self.channel_closer().close().await;
            result
        };
        self.inner.closed.get_or_init(|| closing).await.clone()
    }

    fn channel_closer(&self) -> ChannelCloser {
        ChannelCloser::new(self.rpc.clone(), self.inner.tasks.clone())
    }

    /// The gRPC channel, for calls with the generated code of `contract`. Not part of the stable interface.
    #[doc(hidden)]
    pub fn raw_channel(&self) -> Result<tonic::transport::Channel, SpreadError> {
        self.rpc.channel()
    }
}

impl fmt::Debug for Sidecar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sidecar").field("target", &self.inner.target).finish_non_exhaustive()
    }
}

/// Opens a mailbox over its own channel. The channel closes with the mailbox. For several mailboxes
/// over one channel, and for TLS and tokens, use [`Sidecar`].
pub async fn connect(target: impl Into<String>, options: MailboxOptions) -> Result<Mailbox, SpreadError> {
    let sidecar = Sidecar::new(target)?;
    let opened = sidecar.connect_with(options, Some(sidecar.channel_closer())).await;
    if opened.is_err() {
        sidecar.channel_closer().close().await;
    }
    opened
}
