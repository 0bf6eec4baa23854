//! TLS and tokens.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::HeaderValue;
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

use crate::error::{Failure, option_name};
use crate::target::Target;
use crate::{Outcome, SpreadError, StatusCode};

/// TLS options.
#[derive(Clone, Default)]
#[must_use]
pub struct Tls {
    ca: Option<Vec<u8>>,
    identity: Option<(Vec<u8>, Vec<u8>)>,
    server_name: Option<String>,
}

impl Tls {
    /// Checks the sidecar's certificate with the machine's certificate authorities.
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks the sidecar's certificate only with these authorities, in PEM.
    pub fn ca(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.ca = Some(pem.as_ref().to_vec());
        self
    }

    /// The client certificate and its private key, both in PEM.
    pub fn identity(mut self, cert: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Self {
        self.identity = Some((cert.as_ref().to_vec(), key.as_ref().to_vec()));
        self
    }

    /// The expected name in the sidecar's certificate. Default: the target's host.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    pub(crate) fn config(&self, target: &Target) -> Result<ClientTlsConfig, SpreadError> {
        let mut config = ClientTlsConfig::new().assume_http2(true);
        match &self.ca {
            Some(pem) => {
                if !String::from_utf8_lossy(pem).contains("-----BEGIN CERTIFICATE-----") {
                    return Err(SpreadError::option(
                        "tls.ca",
                        "certificates in PEM",
                        "tls.ca contains no certificate in PEM",
                    ));
                }
                config = config.ca_certificate(Certificate::from_pem(pem));
            }
            None => config = config.with_native_roots(),
        }
        if let Some((cert, key)) = &self.identity {
            config = config.identity(Identity::from_pem(cert, key));
        }
        let name = match (&self.server_name, target) {
            (Some(name), _) => name,
            (None, Target::Tcp { host, .. }) => host,
            (None, Target::Unix(_)) => "localhost",
        };
        Ok(config.domain_name(name))
    }
}

#[cfg(test)]
impl Tls {
    /// In the format of the shared cases of all clients.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let text = |pem: &Vec<u8>| String::from_utf8_lossy(pem).into_owned();
        serde_json::json!({
            "ca": self.ca.as_ref().map(text),
            "cert": self.identity.as_ref().map(|(cert, _)| text(cert)),
            "key": self.identity.as_ref().map(|(_, key)| text(key)),
            "serverName": self.server_name,
        })
    }
}

/// Does not print keys.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;
type TokenFuture = Pin<Box<dyn Future<Output = Result<String, BoxError>> + Send>>;

#[derive(Clone)]
pub(crate) enum Token {
    Fixed(String),
    Asked(Arc<dyn Fn() -> TokenFuture + Send + Sync>),
}

/// The credentials of calls.
pub(crate) struct Security {
    pub token: Option<Token>,
    /// Whether others cannot read the traffic, or the program accepts that they can.
    pub private: bool,
    pub target: String,
}

impl Security {
    /// Rejects a token if others could read it on this channel.
    pub fn check_token_allowed(&self, field: &str) -> Result<(), SpreadError> {
        if self.private {
            return Ok(());
        }
        let bound = "sent over TLS, a Unix socket or a loopback address, or with insecure(true)";
        let message = format!(
            "{} must not be sent to {} without TLS; use TLS, a Unix socket or a loopback address, or set \
             insecure(true) to allow this",
            option_name(field),
            self.target
        );
        Err(SpreadError::option(field, bound, message))
    }

    /// Whether the token is read again before each call.
    pub fn token_may_change(&self) -> bool {
        matches!(self.token, Some(Token::Asked(_)))
    }

    /// The header of a call. None without a token.
    pub async fn authorization(&self) -> Result<Option<HeaderValue>, SpreadError> {
        match &self.token {
            None => Ok(None),
            Some(Token::Fixed(token)) => bearer(token).map(Some),
            Some(Token::Asked(ask)) => match ask().await {
                Ok(token) => bearer(&token).map(Some),
                Err(cause) => {
                    let mut failure = unauthenticated(format!("the token is not available: {cause}"));
                    failure.cause = Some(cause.into());
                    Err(failure.into())
                }
            },
        }
    }
}

pub(crate) fn bearer(token: &str) -> Result<HeaderValue, SpreadError> {
    let token = token.trim();
    let fits = !token.is_empty() && token.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    let value = if fits { HeaderValue::try_from(format!("Bearer {token}")).ok() } else { None };
    let mut value = value
        .ok_or_else(|| unauthenticated("the token must consist of 1 or more visible ASCII characters".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn unauthenticated(message: String) -> Failure {
    let mut failure = Failure::new(StatusCode::Unauthenticated, message);
    failure.outcome = Some(Outcome::NotSent);
    failure
}
