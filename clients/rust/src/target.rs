//! Where a sidecar is.

use std::net::IpAddr;

use crate::SpreadError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Tcp { host: String, port: u16 },
    Unix(String),
}

impl Target {
    pub fn parse(text: &str) -> Result<Self, SpreadError> {
        let wrong = || SpreadError::field("target", "host:port or unix:/path", text);
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err(wrong()) } else { Ok(Self::Unix(path.to_owned())) };
        }
        let name = text.strip_prefix("dns:").map(|name| name.trim_start_matches('/')).unwrap_or(text);
        let (host, port) = name.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let fits = match bare {
            Some(host) => host.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv6()),
            None => !host.is_empty() && !host.contains([':', '/', '@', '[', ']', ' ']),
        };
        if !fits {
            return Err(wrong());
        }
        Ok(Self::Tcp { host: bare.unwrap_or(host).to_owned(), port })
    }

    /// What HTTP/2 calls the sidecar. A path of the file system is no name of a host.
    pub fn authority(&self) -> String {
        match self {
            Self::Unix(_) => "localhost".to_owned(),
            Self::Tcp { host, port } if host.contains(':') => format!("[{host}]:{port}"),
            Self::Tcp { host, port } => format!("{host}:{port}"),
        }
    }

    /// Whether no other machine sees what goes there. A name is taken for another machine, but localhost.
    pub fn is_on_this_machine(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp { host, .. } => {
                host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
        }
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
            ("[::1]:4813", tcp("::1", 4813), "[::1]:4813"),
            ("unix:/run/s.sock", Target::Unix("/run/s.sock".to_owned()), "localhost"),
            ("unix:///run/s.sock", Target::Unix("/run/s.sock".to_owned()), "localhost"),
            ("unix:s.sock", Target::Unix("s.sock".to_owned()), "localhost"),
        ] {
            let parsed = Target::parse(text).unwrap();
            assert_eq!((parsed.authority().as_str(), parsed), (authority, target), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_target() {
        for text in ["", "host", "host:", "host:70000", ":1", "::1:4813", "http://host:1", "[host]:1", "unix:"] {
            let error = Target::parse(text).unwrap_err();
            assert_eq!(error.reason(), "FIELD_INVALID", "{text}");
        }
    }

    #[test]
    fn knows_this_machine() {
        for text in ["127.9.9.9:1", "localhost:1", "LOCALHOST:1", "[::1]:1", "unix:/x"] {
            assert!(Target::parse(text).unwrap().is_on_this_machine(), "{text}");
        }
        for text in ["10.0.0.1:1", "localhost.example:1", "[::2]:1", "sidecar:1"] {
            assert!(!Target::parse(text).unwrap().is_on_this_machine(), "{text}");
        }
    }
}
