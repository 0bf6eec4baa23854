use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{Code, Reason, StatusCode};

/// The domain of Spread's own errors.
pub const SPREAD_DOMAIN: &str = "spread.org";
/// The domain of the sidecar's own errors.
pub const SIDECAR_DOMAIN: &str = "spread-sidecar";

/// The outcome of a failed send. This crate and the sidecar never send a message twice. The
/// application decides whether to send it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// No byte of the message reached the daemon.
    NotSent,
    /// The message may have been sent, for example because a deadline passed or a connection broke.
    Unknown,
}

impl Outcome {
    /// `not-sent` or `unknown`, as in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotSent => "not-sent",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The kind of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An error of Spread, with its code.
    Spread(Code),
    /// An error of the sidecar, with its reason.
    Sidecar(Reason),
    /// The sidecar rejected messages of a [`crate::Sender`]; see [`SpreadError::refusals`].
    Refused,
    /// All other errors, for example a failed connection: see [`SpreadError::status`].
    Other,
}

/// The error of this crate. Cloning is cheap.
#[derive(Clone)]
pub struct SpreadError(Arc<Failure>);

/// The content of a [`SpreadError`].
#[derive(Clone)]
pub(crate) struct Failure {
    pub message: String,
    pub status: StatusCode,
    pub reason: String,
    pub domain: String,
    pub metadata: BTreeMap<String, String>,
    pub retryable: bool,
    pub retry_delay: Option<Duration>,
    pub outcome: Option<Outcome>,
    /// The outcome if the call was a send.
    pub send_outcome: Outcome,
    pub refused: u64,
    pub refusals: Vec<Refusal>,
    pub cause: Option<Arc<dyn Error + Send + Sync>>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status,
            reason: String::new(),
            domain: String::new(),
            metadata: BTreeMap::new(),
            retryable: false,
            retry_delay: None,
            outcome: None,
            send_outcome: Outcome::NotSent,
            refused: 0,
            refusals: Vec::new(),
            cause: None,
        }
    }
}

impl From<Failure> for SpreadError {
    fn from(failure: Failure) -> Self {
        Self(Arc::new(failure))
    }
}

impl SpreadError {
    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        if self.0.refused > 0 {
            return ErrorKind::Refused;
        }
        if let Some(code) = self.code() {
            return ErrorKind::Spread(code);
        }
        match self.sidecar_reason() {
            Some(reason) => ErrorKind::Sidecar(reason),
            None => ErrorKind::Other,
        }
    }

    /// A description for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The gRPC status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Spread's name of the error, or a reason of the sidecar (see [`Reason`]). Empty for failures
    /// of the transport.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// [`SPREAD_DOMAIN`], [`SIDECAR_DOMAIN`] or empty.
    pub fn domain(&self) -> &str {
        &self.0.domain
    }

    /// Spread's code of the error. `None` for failures that Spread does not define, such as an
    /// expired lease.
    pub fn code(&self) -> Option<Code> {
        if self.0.domain == SPREAD_DOMAIN { Code::from_name(&self.0.reason) } else { None }
    }

    /// Spread's number for the error, such as -14.
    pub fn number(&self) -> Option<i32> {
        self.code().map(Code::number)
    }

    /// The sidecar's reason. `None` for other errors, and for reasons that this release does not
    /// know.
    pub fn sidecar_reason(&self) -> Option<Reason> {
        if self.0.domain == SIDECAR_DOMAIN { Reason::from_name(&self.0.reason) } else { None }
    }

    /// Further details, such as `field` and `bound`.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.0.metadata
    }

    /// Whether the same call may succeed later. For a send, check [`SpreadError::outcome`] first.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Time to wait before a retry. `None` if the sidecar gave no delay.
    pub fn retry_delay(&self) -> Option<Duration> {
        self.0.retry_delay
    }

    /// For a failed send: whether the message may have been sent. None for other calls.
    pub fn outcome(&self) -> Option<Outcome> {
        self.0.outcome
    }

    /// The number of rejected messages of a sender. 0 for all other errors.
    pub fn refused(&self) -> u64 {
        self.0.refused
    }

    /// The first 100 rejected messages.
    pub fn refusals(&self) -> &[Refusal] {
        &self.0.refusals
    }

    pub(crate) fn with(&self, change: impl FnOnce(&mut Failure)) -> Self {
        let mut failure = Failure::clone(&self.0);
        change(&mut failure);
        failure.into()
    }

    /// The same error with the outcome of a send.
    pub(crate) fn for_send(self) -> Self {
        if self.0.outcome.is_some() {
            return self;
        }
        self.with(|failure| failure.outcome = Some(failure.send_outcome))
    }

    /// An error of Spread that the client finds before it sends anything.
    pub(crate) fn local(code: Code, message: &str, metadata: &[(&str, &str)]) -> Self {
        let status = if code == Code::IllegalSession { StatusCode::NotFound } else { StatusCode::InvalidArgument };
        let mut failure = Failure::new(status, message);
        failure.reason = code.as_str().to_owned();
        failure.domain = SPREAD_DOMAIN.to_owned();
        failure.metadata.insert("spread_code".to_owned(), code.number().to_string());
        for (key, value) in metadata {
            failure.metadata.insert((*key).to_owned(), (*value).to_owned());
        }
        failure.outcome = Some(Outcome::NotSent);
        failure.into()
    }

    pub(crate) fn disconnected() -> Self {
        Self::local(Code::IllegalSession, "the mailbox is disconnected", &[])
    }

    /// The error of a field that the contract cannot represent.
    pub(crate) fn field(field: &str, bound: &str, value: impl fmt::Display) -> Self {
        Self::option(field, bound, format!("{} must be {bound}; got {value}", option_name(field)))
    }

    /// The error of an option, or of options that exclude each other.
    pub(crate) fn option(field: &str, bound: &str, message: impl Into<String>) -> Self {
        let mut failure = Failure::new(StatusCode::InvalidArgument, message);
        failure.reason = Reason::FieldInvalid.as_str().to_owned();
        failure.domain = SIDECAR_DOMAIN.to_owned();
        failure.metadata.insert("field".to_owned(), field.to_owned());
        failure.metadata.insert("bound".to_owned(), bound.to_owned());
        failure.outcome = Some(Outcome::NotSent);
        failure.into()
    }

    /// The error of a response that breaks a rule of the contract. `problem` continues "the response
    /// of GetView".
    pub(crate) fn invalid_response(call: &str, problem: &str) -> Self {
        Failure::new(StatusCode::Internal, format!("the response of {call} {problem}")).into()
    }

    pub(crate) fn cancelled(message: &str, outcome: Outcome) -> Self {
        let mut failure = Failure::new(StatusCode::Cancelled, message);
        failure.outcome = Some(outcome);
        failure.into()
    }

    /// The error of a wait in this client that exceeded its deadline.
    pub(crate) fn deadline(message: String) -> Self {
        let mut failure = Failure::new(StatusCode::DeadlineExceeded, message);
        failure.reason = Reason::DeadlineExceeded.as_str().to_owned();
        failure.domain = SIDECAR_DOMAIN.to_owned();
        failure.retryable = true;
        failure.send_outcome = Outcome::Unknown;
        failure.into()
    }
}

/// The name of an option in messages. The metadata of errors has the same names in all clients.
pub(crate) fn option_name(field: &str) -> String {
    let mut name = String::with_capacity(field.len() + 4);
    for letter in field.chars() {
        if letter.is_ascii_uppercase() && name.ends_with(|before: char| before.is_ascii_lowercase()) {
            name.push('_');
            name.push(letter.to_ascii_lowercase());
        } else {
            name.push(letter);
        }
    }
    name
}

impl fmt::Display for SpreadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failure = &self.0;
        match self.code() {
            _ if failure.refused > 0 => f.write_str(&failure.message),
            Some(code) => write!(f, "{code} ({}): {}", code.number(), failure.message),
            None if failure.reason.is_empty() => write!(f, "{}: {}", failure.status, failure.message),
            None => write!(f, "{}: {}", failure.reason, failure.message),
        }
    }
}

impl fmt::Debug for SpreadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpreadError")
            .field("message", &self.0.message)
            .field("status", &self.0.status)
            .field("reason", &self.0.reason)
            .field("metadata", &self.0.metadata)
            .field("outcome", &self.0.outcome)
            .finish_non_exhaustive()
    }
}

impl Error for SpreadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

/// A rejected message of a [`crate::Sender`]. It was not sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refusal {
    /// The position of the message among the sender's messages, starting at 1.
    pub index: u64,
    /// The error with which a multicast would have failed.
    pub error: SpreadError,
}
