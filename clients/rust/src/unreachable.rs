//! Errors of calls without a connection to a sidecar.

use std::error::Error;
use std::sync::Arc;

use tonic::ConnectError;

use crate::connector::{CLOSED_AT_ONCE, NOT_HTTP2};
use crate::error::Failure;
use crate::rich_status::{from_status, sentence};
use crate::target::Target;
use crate::{Outcome, Reason, SIDECAR_DOMAIN, SpreadError, StatusCode};

const PORTS: &str = "check that the port is the gRPC port (4813 by default), not the admin port (4814 by default)";
const CHECK: &str = "check that a sidecar listens there";

/// The properties of a channel that its errors depend on.
#[derive(Debug)]
pub(crate) struct SidecarEndpoint {
    /// The target in error messages.
    pub name: String,
    pub target: Target,
    pub has_tls: bool,
}

impl SidecarEndpoint {
    /// Converts an error of gRPC to a [`SpreadError`].
    pub fn explain(&self, status: tonic::Status) -> SpreadError {
        let text = sentence(&status);
        let has_connect_error = has_source::<ConnectError>(&status);
        let error = from_status(status);
        if !error.reason().is_empty() {
            return error;
        }
        if error.status() == StatusCode::Unimplemented {
            return self.unknown_call(&error);
        }
        if has_connect_error || text.contains(NOT_HTTP2) {
            return self.unreachable(&text, Some(Outcome::NotSent)); // F6
        }
        // The request may have been sent when the connection ended, so that the outcome of a send
        // is unknown.
        if text.contains(CLOSED_AT_ONCE) { self.unreachable(&text, None) } else { error }
    }

    /// Adds the target to an error that says that the sidecar is unreachable.
    pub fn with_target(&self, error: &SpreadError) -> SpreadError {
        error.with(|failure| {
            failure.metadata.insert("target".to_owned(), self.name.clone());
        })
    }

    /// The error of a call that the server does not implement.
    fn unknown_call(&self, cause: &SpreadError) -> SpreadError {
        let message = format!(
            "the server at {} does not support this call; {PORTS}; update the sidecar if it is older than this client",
            self.name
        );
        let mut failure = self.failure(StatusCode::Unimplemented, Reason::NotASidecar, message);
        failure.outcome = Some(Outcome::NotSent); // F6
        failure.cause = Some(Arc::new(cause.clone()));
        failure.into()
    }

    fn unreachable(&self, text: &str, outcome: Option<Outcome>) -> SpreadError {
        let (cause, why) = self.why(text);
        let message = format!("the sidecar at {} cannot be reached: {why}", self.name);
        let mut failure = self.failure(StatusCode::Unavailable, Reason::SidecarUnreachable, message);
        failure.metadata.insert("cause".to_owned(), cause.to_owned());
        failure.retryable = true;
        failure.outcome = outcome;
        failure.send_outcome = Outcome::Unknown;
        failure.into()
    }

    fn failure(&self, status: StatusCode, reason: Reason, message: String) -> Failure {
        let mut failure = Failure::new(status, message);
        failure.reason = reason.as_str().to_owned();
        failure.domain = SIDECAR_DOMAIN.to_owned();
        failure.metadata.insert("target".to_owned(), self.name.clone());
        failure
    }

    fn why(&self, text: &str) -> (&'static str, String) {
        let has = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
        let detail = text.rsplit(": ").next().unwrap_or(text);
        if has(&["failed to lookup address information", "failed to resolve"]) {
            let host = match &self.target {
                Target::Tcp { host, .. } => host,
                Target::Unix(path) => path,
            };
            return ("name-resolution", format!("the host name \"{host}\" cannot be resolved"));
        }
        if has(&["Connection refused"]) {
            return ("connection-refused", format!("connection refused; {CHECK}"));
        }
        if has(&["No such file or directory"]) {
            return ("no-socket", format!("no such socket file; {CHECK}"));
        }
        if has(&["Permission denied"]) {
            return ("permission-denied", "permission denied".to_owned());
        }
        if has(&["No route to host", "Network is unreachable", "no connection within"]) {
            return ("no-route", format!("{detail}; {CHECK}"));
        }
        if !self.has_tls && has(&[NOT_HTTP2, CLOSED_AT_ONCE]) {
            let why = "the port does not accept gRPC without TLS; set the option tls if the sidecar uses TLS, and";
            return ("not-grpc", format!("{why} {PORTS}"));
        }
        if has(&["InvalidContentType", "corrupt message"]) {
            let why = "the port does not accept TLS; set the option tls only if the sidecar uses TLS, and";
            return ("tls-not-offered", format!("{why} {PORTS}"));
        }
        if let Some((_, certificate)) = text.split_once("invalid peer certificate: ") {
            let hint = "set the expected certificate authority or server name with the option tls";
            return (
                "tls-certificate",
                format!("the client rejects the sidecar's certificate ({certificate}); {hint}"),
            );
        }
        ("other", text.to_owned())
    }
}

fn has_source<E: Error + 'static>(error: &dyn Error) -> bool {
    let mut at = error.source();
    while let Some(error) = at {
        if error.is::<E>() {
            return true;
        }
        at = error.source();
    }
    false
}
