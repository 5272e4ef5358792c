//! Addresses as users write them: `websocket://0.0.0.0:2346`, `unix:///run/app.sock`.

use std::fmt;
use std::path::PathBuf;
use thiserror::Error;

/// A scheme and where it is spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// What stands before `://`, in lower case.
    pub scheme: String,
    /// What carries it.
    pub transport: Transport,
    /// Where.
    pub endpoint: Endpoint,
}

/// What carries a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP: each datagram for itself.
    Udp,
    /// A stream socket of the file system.
    Unix,
    /// TLS over TCP.
    Ssl,
}

/// A host and port, or a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A name or address without brackets, and a port.
    Inet(String, u16),
    /// A socket of the file system.
    Path(PathBuf),
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// There is no `://`.
    #[error("{0:?} has no scheme; write it as tcp://127.0.0.1:2347")]
    NoScheme(String),
    /// The scheme has characters that none has.
    #[error("{0:?} is no scheme: letters and digits, beginning with a letter")]
    BadScheme(String),
    /// There is no port.
    #[error("{0:?} has no port; write it as {1}")]
    NoPort(String, String),
    /// What stands for the port is no number from 0 to 65535.
    #[error("{0:?} is no port: a number from 0 to 65535")]
    BadPort(String),
    /// There is no host.
    #[error("{0:?} has no host; 0.0.0.0 or [::] listens at every address")]
    NoHost(String),
    /// A character that would end what the address is written into.
    #[error("{0:?} has a space or a control character")]
    BadCharacter(String),
    /// A path does not begin at the root.
    #[error("{0:?} is no absolute path; write it as unix:///run/app.sock")]
    BadPath(String),
    /// The address says one protocol, the worker's type another.
    #[error(
        "{0}:// does not go with the protocol {1}; write {1}:// or a transport: tcp, ssl, udp or unix"
    )]
    OtherProtocol(String, String),
}

impl Transport {
    /// How it is written as a scheme.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Unix => "unix",
            Self::Ssl => "ssl",
        }
    }
}

impl Address {
    /// Reads an address. A scheme that is no transport is a protocol over TCP.
    ///
    /// # Errors
    /// Says what is wrong with it, and what would be right.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        check_characters(text)?;
        let (scheme, rest) =
            text.split_once("://").ok_or_else(|| AddressError::NoScheme(text.to_owned()))?;
        let mut letters = scheme.bytes();
        let is_scheme = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
            && letters.all(|letter| letter.is_ascii_alphanumeric());
        if !is_scheme {
            return Err(AddressError::BadScheme(scheme.to_owned()));
        }
        let scheme = scheme.to_ascii_lowercase();
        let transport = match scheme.as_str() {
            "udp" => Transport::Udp,
            "unix" => Transport::Unix,
            "ssl" | "tls" | "wss" | "https" => Transport::Ssl,
            _ => Transport::Tcp,
        };
        let endpoint = match transport {
            Transport::Unix => path(rest)?,
            _ => inet(&scheme, rest)?,
        };
        Ok(Self { scheme, transport, endpoint })
    }

    /// Whether the scheme names what carries a protocol, and leaves open which.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        matches!(self.scheme.as_str(), "tcp" | "udp" | "unix" | "ssl" | "tls")
    }
}

/// Hosts and paths of addresses stand in requests, one behind the other.
pub(crate) fn check_characters(text: &str) -> Result<(), AddressError> {
    let is_bad = |letter: char| letter.is_control() || (letter.is_whitespace());
    match text.starts_with("unix:") || !text.contains(is_bad) {
        true => Ok(()),
        false => Err(AddressError::BadCharacter(text.to_owned())),
    }
}

fn path(text: &str) -> Result<Endpoint, AddressError> {
    match text.starts_with('/') {
        true => Ok(Endpoint::Path(PathBuf::from(text))),
        false => Err(AddressError::BadPath(text.to_owned())),
    }
}

fn inet(scheme: &str, text: &str) -> Result<Endpoint, AddressError> {
    let text = text.trim_end_matches('/');
    let no_port = || AddressError::NoPort(text.to_owned(), format!("{scheme}://{text}:2347"));
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or_else(no_port)?;
            (host, rest.strip_prefix(':').ok_or_else(no_port)?)
        }
        None => text.rsplit_once(':').ok_or_else(no_port)?,
    };
    if host.is_empty() {
        return Err(AddressError::NoHost(text.to_owned()));
    }
    let port = port.parse().map_err(|_| AddressError::BadPort(port.to_owned()))?;
    Ok(Endpoint::Inet(host.to_owned(), port))
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.scheme, self.endpoint)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(host, port) if host.contains(':') => write!(formatter, "[{host}]:{port}"),
            Self::Inet(host, port) => write!(formatter, "{host}:{port}"),
            Self::Path(path) => write!(formatter, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        for (text, transport) in [
            ("tcp://127.0.0.1:2347", Transport::Tcp),
            ("websocket://0.0.0.0:2346", Transport::Tcp),
            ("udp://[::1]:0", Transport::Udp),
            ("ssl://localhost:443", Transport::Ssl),
            ("unix:///run/app.sock", Transport::Unix),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.to_string(), text);
            assert_eq!(address.transport, transport);
        }
        assert_eq!(Address::parse("Text://a:1/").unwrap().to_string(), "text://a:1");
    }

    #[test]
    fn what_is_no_address_is_said() {
        for (text, expected) in [
            ("127.0.0.1:2347", "has no scheme"),
            ("1a://h:1", "is no scheme"),
            ("a-b://h:1", "is no scheme"),
            ("tcp://127.0.0.1", "write it as tcp://127.0.0.1:2347"),
            ("tcp://[::1]", "has no port"),
            ("tcp://[::1", "has no port"),
            ("tcp://h:70000", "is no port"),
            ("tcp://:80", "has no host"),
            ("unix://app.sock", "is no absolute path"),
            ("tcp://a\r\nb:80", "control character"),
        ] {
            let error = Address::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
