//! Where the servers are, and how they are talked to.

use crate::SERVICE;
use crate::limits::{CREDENTIAL_BYTES_MAX, SERVERS_MAX};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::sync::Arc;
use workyard_adapter_kit::{CallOptions, Error, ErrorKind, Observer, ServiceUrl, Tls, redacted};

const PLAIN: &str = "memcached";
const SECURE: &str = "memcacheds";
const USUAL_PORT: u16 = 11211;
const WEIGHT_MAX: u32 = 100_000;

/// Where the servers are, and how they are talked to. What the URL says goes before what stands here.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Options {
    /// `memcached://HOST:PORT`, or several servers: `memcached://a,b:11212,c`; `memcacheds://` with TLS. A
    /// user and a password before an `@` are for servers with an `--auth-file`.
    pub url: String,
    /// How many keys the servers get in proportion, one number per server. Empty: all as many.
    pub weights: Vec<u32>,
    /// Whether the keys of a server that cannot be reached are moved to the next: no. Without it, calls for
    /// them fail.
    pub failover: bool,
    /// Most bytes of a value, sent or received: 1 MiB, as servers have it unless told otherwise.
    pub value_bytes_max: usize,
    /// Most bytes of the values that one `get_many` returns: 64 MiB.
    pub answer_bytes_max: usize,
    /// How calls are made, of each server; `calls_max`, which is 32, is also its number of connections.
    #[serde(deserialize_with = "calls")]
    pub calls: CallOptions,
    /// Whom to trust with `memcacheds://`.
    pub tls: Tls,
    /// Is told what happens.
    #[serde(skip)]
    pub observer: Option<Arc<dyn Observer>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            url: format!("{PLAIN}://127.0.0.1"),
            weights: Vec::new(),
            failover: false,
            value_bytes_max: 1 << 20,
            answer_bytes_max: 64 << 20,
            calls: usual_calls(),
            tls: Tls::default(),
            observer: None,
        }
    }
}

impl Options {
    /// The defaults, for these servers.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }

    /// What the URL says, checked, with the options that it overrides taken over.
    pub(crate) fn read(&mut self) -> Result<Servers, Error> {
        let mut url = ServiceUrl::parse_several(&self.url, &[PLAIN, SECURE])?;
        self.take_from(&mut url)?;
        let hosts = url.hosts(USUAL_PORT).into_iter();
        let addresses = hosts.map(|(host, port)| Address { host, port, weight: 1 }).collect();
        let servers = Servers {
            secure: url.scheme() == SECURE,
            login: login(&url)?,
            addresses: self.weighted(addresses)?,
        };
        if !servers.secure {
            self.tls.refuse(PLAIN, SECURE)?;
        }
        if url.path()?.is_some() {
            return Err(invalid("the URL has a path; memcached has nothing that it could name"));
        }
        url.finish()?;
        if self.value_bytes_max == 0 {
            return Err(invalid("value_bytes_max is zero: nothing could ever be stored"));
        }
        Ok(servers)
    }

    fn take_from(&mut self, url: &mut ServiceUrl) -> Result<(), Error> {
        if let Some(text) = url.take_text("weights") {
            let weights: Result<_, _> = text.split(',').map(str::parse).collect();
            let wrong = |_| invalid(format!("weights={text} in the URL: it is numbers: 1,1,2"));
            self.weights = weights.map_err(wrong)?;
        }
        url.take_into("failover", "true or false", &mut self.failover)?;
        url.take_into("value_bytes_max", "a number of bytes", &mut self.value_bytes_max)?;
        url.take_into("answer_bytes_max", "a number of bytes", &mut self.answer_bytes_max)?;
        self.calls.take_from(url)?;
        self.tls.take_from(url);
        Ok(())
    }

    fn weighted(&self, mut addresses: Vec<Address>) -> Result<Vec<Address>, Error> {
        if addresses.len() > SERVERS_MAX {
            return Err(invalid(format!("more than {SERVERS_MAX} servers")));
        }
        for place in 1..addresses.len() {
            let Address { host, port, .. } = &addresses[place];
            if addresses[..place].iter().any(|other| other.host == *host && other.port == *port) {
                return Err(invalid(format!("the server {host}:{port} is named twice")));
            }
        }
        if self.weights.is_empty() {
            return Ok(addresses);
        }
        if self.weights.len() != addresses.len() {
            let (weights, servers) = (self.weights.len(), addresses.len());
            return Err(invalid(format!("{weights} weights for {servers} servers; give each one")));
        }
        for (address, weight) in addresses.iter_mut().zip(&self.weights) {
            if !(1..=WEIGHT_MAX).contains(weight) {
                return Err(invalid(format!("a weight of {weight}; it is 1 to {WEIGHT_MAX}")));
            }
            address.weight = *weight;
        }
        Ok(addresses)
    }
}

/// The password is not shown.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("url", &redacted(&self.url))
            .field("weights", &self.weights)
            .field("failover", &self.failover)
            .field("value_bytes_max", &self.value_bytes_max)
            .field("answer_bytes_max", &self.answer_bytes_max)
            .field("calls", &self.calls)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// What the URL and the options say of the servers.
pub(crate) struct Servers {
    pub(crate) addresses: Vec<Address>,
    pub(crate) secure: bool,
    pub(crate) login: Option<Login>,
}

/// Where a server is, and how many keys it gets in proportion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) weight: u32,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Who the client is.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// They are sent with a blank in between, and servers know no other blank there.
fn login(url: &ServiceUrl) -> Result<Option<Login>, Error> {
    let (user, password) = match (url.username()?, url.password()?) {
        (None, None) => return Ok(None),
        (user, password) => (user.unwrap_or_default(), password.unwrap_or_default()),
    };
    let sound = |text: &str, also: &[char]| {
        (1..=CREDENTIAL_BYTES_MAX).contains(&text.len())
            && !text.contains(|letter: char| letter.is_control() || also.contains(&letter))
    };
    if !sound(&user, &[' ', ':']) || !sound(&password, &[' ']) {
        return Err(invalid(format!(
            "the URL needs both a user and a password, without blanks and control characters, the \
             user without colons, of at most {CREDENTIAL_BYTES_MAX} bytes"
        )));
    }
    Ok(Some(Login { user, password }))
}

fn usual_calls() -> CallOptions {
    CallOptions::with_calls_max(32)
}

fn calls<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CallOptions, D::Error> {
    usual_calls().deserialize_over(deserializer)
}

fn invalid(message: impl fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidOptions, message).at(SERVICE, &"".into())
}

#[cfg(test)]
mod tests;
