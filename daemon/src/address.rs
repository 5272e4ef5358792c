//! Where a daemon listens: `tcp://host:port`, `host:port` or `unix:///path`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ListenAddress {
    /// A TCP port; 0 lets the system choose.
    Tcp(SocketAddr),
    /// A unix socket, made at start and removed at the end.
    Unix(PathBuf),
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no address to listen on: expected tcp://127.0.0.1:2206, 127.0.0.1:2206, [::1]:2206 or \
     unix:///run/workyard.sock"
)]
pub struct AddressError(String);

impl FromStr for ListenAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError(text.to_owned());
        if let Some(path) = text.strip_prefix("unix://") {
            let path = PathBuf::from(path);
            return if path.is_absolute() { Ok(Self::Unix(path)) } else { Err(wrong()) };
        }
        let address = text.strip_prefix("tcp://").unwrap_or(text);
        let address = address.replace("localhost:", "127.0.0.1:");
        address.parse().map(Self::Tcp).map_err(|_| wrong())
    }
}

impl TryFrom<String> for ListenAddress {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<ListenAddress> for String {
    fn from(address: ListenAddress) -> Self {
        address.to_string()
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_an_address() {
        for (text, expected) in [
            ("127.0.0.1:2206", Some("tcp://127.0.0.1:2206")),
            ("tcp://[::1]:0", Some("tcp://[::1]:0")),
            ("localhost:80", Some("tcp://127.0.0.1:80")),
            ("unix:///tmp/a.sock", Some("unix:///tmp/a.sock")),
            ("unix://relative", None),
            ("2206", None),
            ("http://127.0.0.1:80", None),
            ("", None),
        ] {
            let parsed = text.parse::<ListenAddress>().ok().map(|address| address.to_string());
            assert_eq!(parsed.as_deref(), expected, "{text}");
        }
    }
}
