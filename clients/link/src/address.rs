//! Where a server listens, as people write it.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a server listens: `tcp://host:port`, `host:port` or `unix:///path`.
///
/// ```
/// # use workyard_link::Address;
/// let address: Address = "127.0.0.1:2206".parse()?;
/// assert_eq!(address.to_string(), "tcp://127.0.0.1:2206");
/// # Ok::<(), workyard_link::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// A host name or IP address, and a port.
    Tcp {
        /// A name to resolve, or an IP address without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// The path of a unix socket.
    Unix(PathBuf),
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Neither `tcp://` nor `unix://`.
    #[error("address {0:?} has an unknown scheme: write tcp://host:port or unix:///path")]
    UnknownScheme(String),
    /// A host alone.
    #[error("address {0:?} has no port: write host:port, for instance 127.0.0.1:2206")]
    MissingPort(String),
    /// A port alone.
    #[error("address {0:?} has no host: write host:port, for instance 127.0.0.1:2206")]
    MissingHost(String),
    /// A port that is no number from 1 to 65535.
    #[error("address {0:?} has a port that is not a number from 1 to 65535")]
    BadPort(String),
    /// An IPv6 address without brackets.
    #[error("address {0:?} needs brackets around its IPv6 address: write [::1]:2206")]
    Brackets(String),
    /// A unix socket by a relative path, or by none.
    #[error("address {0:?} has no absolute path: write unix:///run/name.sock")]
    RelativePath(String),
}

impl From<Infallible> for AddressError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix("unix://") {
            return match path.starts_with('/') {
                true => Ok(Self::Unix(path.into())),
                false => Err(AddressError::RelativePath(text.to_owned())),
            };
        }
        let rest = text.strip_prefix("tcp://").unwrap_or(text);
        if rest.contains("://") {
            return Err(AddressError::UnknownScheme(text.to_owned()));
        }
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let Some((host, port)) = authority.rsplit_once(':') else {
            return Err(AddressError::MissingPort(text.to_owned()));
        };
        let host = bare_host(host, text)?;
        match port.parse() {
            Ok(port) if port > 0 => Ok(Self::Tcp { host: host.to_owned(), port }),
            _ if port.ends_with(']') => Err(AddressError::MissingPort(text.to_owned())),
            _ => Err(AddressError::BadPort(text.to_owned())),
        }
    }
}

fn bare_host<'a>(host: &'a str, text: &str) -> Result<&'a str, AddressError> {
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return Ok(inner);
    }
    match host {
        "" => Err(AddressError::MissingHost(text.to_owned())),
        host if host.starts_with('[') => Ok(host),
        host if host.contains(':') => Err(AddressError::Brackets(text.to_owned())),
        host => Ok(host),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp { host: address.ip().to_string(), port: address.port() }
    }
}

impl From<&Self> for Address {
    fn from(address: &Self) -> Self {
        address.clone()
    }
}

impl TryFrom<&str> for Address {
    type Error = AddressError;

    fn try_from(text: &str) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl TryFrom<&String> for Address {
    type Error = AddressError;

    fn try_from(text: &String) -> Result<Self, AddressError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write() {
        for (text, shown) in [
            ("127.0.0.1:2206", "tcp://127.0.0.1:2206"),
            ("tcp://channels.example:2206", "tcp://channels.example:2206"),
            ("tcp://channels.example:2206/", "tcp://channels.example:2206"),
            ("[::1]:2206", "tcp://[::1]:2206"),
            ("unix:///run/channel.sock", "unix:///run/channel.sock"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(address.to_string().parse(), Ok(address));
        }
    }

    #[test]
    fn what_is_no_address() {
        let missing_port = |text: &str| AddressError::MissingPort(text.to_owned());
        let bad_port = |text: &str| AddressError::BadPort(text.to_owned());
        for (text, error) in [
            ("localhost", missing_port("localhost")),
            ("", missing_port("")),
            ("[::1]", missing_port("[::1]")),
            ("localhost:", bad_port("localhost:")),
            ("localhost:0", bad_port("localhost:0")),
            ("localhost:65536", bad_port("localhost:65536")),
            (":2206", AddressError::MissingHost(":2206".to_owned())),
            ("::1:2206", AddressError::Brackets("::1:2206".to_owned())),
            ("http://localhost:1", AddressError::UnknownScheme("http://localhost:1".to_owned())),
            ("unix://channel.sock", AddressError::RelativePath("unix://channel.sock".to_owned())),
        ] {
            assert_eq!(text.parse::<Address>(), Err(error), "{text}");
        }
    }
}
