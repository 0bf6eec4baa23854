//! The address of a sidecar.

use std::net::IpAddr;

use crate::error::Failure;
use crate::{Outcome, Reason, SIDECAR_DOMAIN, SpreadError, StatusCode};

/// The target forms of all clients. `clients/README.md` describes them.
const FORMS: &str =
    "host:port, [ipv6-address]:port, dns:host:port, ipv4:address:port, ipv6:[address]:port or unix:path";
/// Maximum length of the path in a Unix socket address. Unit: bytes.
const MAX_PATH: usize = 107;
const MAX_HOST: usize = 253;
const DEFAULT_PORT: u16 = 4813;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Tcp { host: String, port: u16 },
    Unix(String),
}

/// The reason why a target is invalid, and a hint.
struct InvalidTarget(String, &'static str);

impl From<String> for InvalidTarget {
    fn from(why: String) -> Self {
        Self(why, "")
    }
}

impl From<&str> for InvalidTarget {
    fn from(why: &str) -> Self {
        Self(why.to_owned(), "")
    }
}

impl Target {
    /// Parses a target. `field` is the option or environment variable with the target, for error
    /// messages.
    pub fn parse(text: &str, field: &str) -> Result<Self, SpreadError> {
        read(text).map_err(|InvalidTarget(why, hint)| {
            let mut failure =
                Failure::new(StatusCode::InvalidArgument, format!("{field} \"{text}\" {why}; expected {FORMS}{hint}"));
            failure.reason = Reason::FieldInvalid.as_str().to_owned();
            failure.domain = SIDECAR_DOMAIN.to_owned();
            failure.metadata.insert("field".to_owned(), field.to_owned());
            failure.metadata.insert("bound".to_owned(), FORMS.to_owned());
            failure.outcome = Some(Outcome::NotSent);
            failure.into()
        })
    }

    /// The authority in HTTP/2. A file path is not a host name.
    pub fn authority(&self) -> String {
        match self {
            Self::Unix(_) => "localhost".to_owned(),
            Self::Tcp { host, port } if host.contains(':') => format!("[{host}]:{port}"),
            Self::Tcp { host, port } => format!("{host}:{port}"),
        }
    }

    /// The target for error messages: always with the port. `text` is the target as the application
    /// gave it.
    pub fn in_messages(&self, text: &str) -> String {
        match self {
            Self::Unix(_) => text.to_owned(),
            Self::Tcp { .. } => self.authority(),
        }
    }

    /// Whether the target is on this machine, so that no other machine can read the traffic. A host
    /// name other than localhost counts as another machine.
    pub fn is_on_this_machine(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp { host, .. } => {
                host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
        }
    }
}

fn read(text: &str) -> Result<Target, InvalidTarget> {
    if let Some(rest) = text.strip_prefix("unix:") {
        return read_path(rest);
    }
    if let Some(rest) = text.strip_prefix("dns:") {
        return match (rest.strip_prefix("///"), rest.starts_with("//")) {
            (Some(address), _) => read_address(address),
            (None, true) => Err("names a DNS server, which is not supported".into()),
            (None, false) => read_address(rest),
        };
    }
    for (scheme, family) in [("ipv4:", "IPv4"), ("ipv6:", "IPv6")] {
        if let Some(rest) = text.strip_prefix(scheme) {
            let target = read_address(rest)?;
            let Target::Tcp { host, .. } = &target else { return Ok(target) };
            let fits = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv4() == (family == "IPv4"));
            return if fits { Ok(target) } else { Err(format!("has an invalid {family} address \"{host}\"").into()) };
        }
    }
    if let Some((scheme, _)) = text.split_once("://") {
        let is_http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
        let hint = if is_http { "; set the option tls to use TLS" } else { "" };
        return Err(InvalidTarget(format!("has the unsupported scheme \"{scheme}\""), hint));
    }
    read_address(text)
}

fn read_path(rest: &str) -> Result<Target, InvalidTarget> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() {
        return Err("has no path".into());
    }
    if path.len() != rest.len() && !path.starts_with('/') {
        return Err("has a host before the path".into());
    }
    if path.len() > MAX_PATH {
        return Err(format!("has a path of {} bytes (must be at most {MAX_PATH})", path.len()).into());
    }
    Ok(Target::Unix(path.to_owned()))
}

fn read_address(text: &str) -> Result<Target, InvalidTarget> {
    let bracketed = text.strip_prefix('[').and_then(|inner| inner.split_once(']'));
    if let Some((host, after)) = bracketed
        && (after.is_empty() || after.starts_with(':'))
    {
        if !host.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv6()) {
            return Err(format!("has an invalid IPv6 address \"{host}\"").into());
        }
        return Ok(Target::Tcp { host: host.to_owned(), port: to_port(after.strip_prefix(':'))? });
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    if port.is_some_and(|port| port.contains(':')) {
        let is_address = text.chars().all(|c| c.is_ascii_hexdigit() || c == ':' || c == '.');
        let wrong = format!("has an invalid host \"{text}\"");
        return Err(if is_address { "has an IPv6 address without brackets".into() } else { wrong.into() });
    }
    if host.is_empty() {
        return Err("has no host".into());
    }
    if host.len() > MAX_HOST || !host.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c)) {
        return Err(format!("has an invalid host \"{host}\"").into());
    }
    Ok(Target::Tcp { host: host.to_owned(), port: to_port(port)? })
}

fn to_port(text: Option<&str>) -> Result<u16, InvalidTarget> {
    let Some(text) = text else { return Ok(DEFAULT_PORT) };
    let is_number = (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if is_number && port > 0 => Ok(port),
        _ => Err(format!("has an invalid port \"{text}\" (must be from 1 to {})", u16::MAX).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16) -> Target {
        Target::Tcp { host: host.to_owned(), port }
    }

    #[test]
    fn reads_hosts_and_paths() {
        for (text, target, authority) in [
            ("127.0.0.1:4813", tcp("127.0.0.1", 4813), "127.0.0.1:4813"),
            ("dns:///sidecar.local:1", tcp("sidecar.local", 1), "sidecar.local:1"),
            ("sidecar.local", tcp("sidecar.local", 4813), "sidecar.local:4813"),
            ("[::1]:4813", tcp("::1", 4813), "[::1]:4813"),
            ("unix:/run/s.sock", Target::Unix("/run/s.sock".to_owned()), "localhost"),
            ("unix:///run/s.sock", Target::Unix("/run/s.sock".to_owned()), "localhost"),
            ("unix:s.sock", Target::Unix("s.sock".to_owned()), "localhost"),
        ] {
            let parsed = Target::parse(text, "target").unwrap();
            assert_eq!((parsed.authority().as_str(), parsed), (authority, target), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_target() {
        for text in ["", "host:", "host:70000", ":1", "::1:4813", "http://host:1", "[host]:1", "unix:"] {
            let error = Target::parse(text, "target").unwrap_err();
            assert_eq!(error.reason(), "FIELD_INVALID", "{text}");
        }
    }

    #[test]
    fn knows_this_machine() {
        for text in ["127.9.9.9:1", "localhost:1", "LOCALHOST:1", "[::1]:1", "unix:/x"] {
            assert!(Target::parse(text, "target").unwrap().is_on_this_machine(), "{text}");
        }
        for text in ["10.0.0.1:1", "localhost.example:1", "[::2]:1", "sidecar:1"] {
            assert!(!Target::parse(text, "target").unwrap().is_on_this_machine(), "{text}");
        }
    }
}
