//! Where Redis is, and how it is talked to: a URL, or a part of a configuration file.

use crate::endpoint::Endpoint;
use crate::limits::HOSTS_MAX;
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use workyard_adapter_kit::{CallOptions, Error, ErrorKind, Observer, ServiceUrl, Tls, redacted};

/// Where Redis is, and how it is talked to. All but `url` has defaults; all but the observer can stand in
/// the URL, which then counts.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Options {
    /// `redis://user:password@host:6379/database`, `rediss://` with TLS, `redis+unix:///path`,
    /// `redis+sentinel://a,b,c/name/database`, `redis+cluster://a,b,c`; the last two also with `rediss+`.
    pub url: String,
    /// The database: 0, or what the URL's path says.
    pub database: u32,
    /// What the connections are called in `CLIENT LIST`: nothing.
    pub client_name: Option<String>,
    /// Most bytes of one answer: 64 MiB. One that is larger costs its connection.
    pub response_bytes_max: usize,
    /// Most bytes of one request, which may be a pipeline: 64 MiB.
    pub request_bytes_max: usize,
    /// Most connections for commands that block and for transactions with `WATCH`: 8.
    pub blocking_max: usize,
    /// Most subscriptions, each of which is a connection: 64.
    pub subscriptions_max: usize,
    /// Most messages that wait in one subscription: 1024.
    pub subscription_messages_max: usize,
    /// Most bytes of messages that wait in one subscription: 16 MiB.
    pub subscription_bytes_max: usize,
    /// Whether sentinels want the same user and password as the servers: no.
    pub sentinel_auth: bool,
    /// Whether reads may go to replicas of a cluster, which may be behind: no.
    pub read_from_replicas: bool,
    /// How calls are made.
    pub calls: CallOptions,
    /// Whom to trust with TLS, and who to be.
    pub tls: Tls,
    /// Is told what happens.
    #[serde(skip)]
    pub observer: Option<Arc<dyn Observer>>,
}

impl Default for Options {
    fn default() -> Self {
        Self::new("redis://127.0.0.1")
    }
}

impl Options {
    /// The defaults, for the Redis at this URL.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            database: 0,
            client_name: None,
            response_bytes_max: 64 << 20,
            request_bytes_max: 64 << 20,
            blocking_max: 8,
            subscriptions_max: 64,
            subscription_messages_max: 1024,
            subscription_bytes_max: 16 << 20,
            sentinel_auth: false,
            read_from_replicas: false,
            calls: CallOptions::default(),
            tls: Tls::default(),
            observer: None,
        }
    }

    /// Reads the URL, and has it override the rest.
    pub(crate) fn settle(mut self) -> Result<Settings, Error> {
        let mut url = ServiceUrl::parse_several(&self.url, &SCHEMES)?;
        self.take_from(&mut url)?;
        let (encrypted, kind) = kind(url.scheme());
        let path = url.path()?;
        let hosts = endpoints(&url, kind)?;
        let (topology, database) = match kind {
            Kind::Unix => {
                let path = path.ok_or_else(|| invalid("redis+unix:// needs a path"))?;
                (Topology::Server(Endpoint::Unix(format!("/{path}").into())), None)
            }
            Kind::Server => {
                let server = hosts.into_iter().next().ok_or_else(|| invalid("there is no host"))?;
                (Topology::Server(server), path)
            }
            Kind::Sentinel => {
                let path = path.unwrap_or_default();
                let (name, database) = path.split_once('/').unwrap_or((&path, ""));
                if name.is_empty() {
                    return Err(invalid("a sentinel's URL needs the name of a master as its path"));
                }
                let database = Some(database.to_owned()).filter(|database| !database.is_empty());
                (Topology::Sentinel { sentinels: hosts, name: name.to_owned() }, database)
            }
            Kind::Cluster => (Topology::Cluster(hosts), path),
        };
        if let Some(database) = database {
            self.database = database.parse().map_err(|_| {
                invalid(format!("the path of the URL, {database:?}, is no database: a number"))
            })?;
        }
        if kind == Kind::Cluster && self.database != 0 {
            return Err(invalid("a cluster has the database 0 only"));
        }
        let target = match &topology {
            Topology::Server(Endpoint::Unix(path)) => path.display().to_string().into(),
            _ => url.target(usual_port(kind)),
        };
        let (user, password) = (url.username()?, url.password()?);
        if user.is_some() && password.is_none() {
            return Err(invalid("there is a user in the URL, and no password"));
        }
        if !encrypted {
            self.tls.refuse(url.scheme(), "rediss")?;
        }
        url.finish()?;
        self.check()?;
        Ok(Settings { topology, target, user, password, encrypted, options: self })
    }

    fn take_from(&mut self, url: &mut ServiceUrl) -> Result<(), Error> {
        let numbers = [
            ("response_bytes_max", &mut self.response_bytes_max),
            ("request_bytes_max", &mut self.request_bytes_max),
            ("blocking_max", &mut self.blocking_max),
            ("subscriptions_max", &mut self.subscriptions_max),
            ("subscription_messages_max", &mut self.subscription_messages_max),
            ("subscription_bytes_max", &mut self.subscription_bytes_max),
        ];
        for (name, place) in numbers {
            url.take_into(name, "a number", place)?;
        }
        url.take_into("sentinel_auth", "true or false", &mut self.sentinel_auth)?;
        url.take_into("read_from_replicas", "true or false", &mut self.read_from_replicas)?;
        url.take_into("database", "a number", &mut self.database)?;
        self.client_name = url.take_text("client_name").or(self.client_name.take());
        self.calls.take_from(url)?;
        self.tls.take_from(url);
        Ok(())
    }

    fn check(&self) -> Result<(), Error> {
        let nothing = [
            ("response_bytes_max", self.response_bytes_max == 0),
            ("request_bytes_max", self.request_bytes_max == 0),
            ("blocking_max", self.blocking_max == 0),
            ("subscription_messages_max", self.subscription_messages_max == 0),
            ("subscription_bytes_max", self.subscription_bytes_max == 0),
        ];
        match nothing.into_iter().find(|(_, is_zero)| *is_zero) {
            Some((name, _)) => {
                Err(invalid(format!("{name} is zero; leave it out for the default")))
            }
            None => Ok(()),
        }
    }
}

/// The password is not shown.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("url", &redacted(&self.url))
            .field("database", &self.database)
            .field("calls", &self.calls)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// Options that were read and found to make sense.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) topology: Topology,
    pub(crate) target: Arc<str>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) encrypted: bool,
    pub(crate) options: Options,
}

impl Settings {
    /// How long connecting may take: a little less than a request, so that it is known that nothing was sent.
    pub(crate) fn connect_within(&self) -> Duration {
        let calls = &self.options.calls;
        calls.connect_timeout.min(calls.request_timeout * 9 / 10)
    }
}

/// How servers belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Topology {
    Server(Endpoint),
    Sentinel { sentinels: Vec<Endpoint>, name: String },
    Cluster(Vec<Endpoint>),
}

const SCHEMES: [&str; 7] = [
    "redis",
    "rediss",
    "redis+unix",
    "redis+sentinel",
    "rediss+sentinel",
    "redis+cluster",
    "rediss+cluster",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Server,
    Unix,
    Sentinel,
    Cluster,
}

/// Whether there is TLS, and what there is.
fn kind(scheme: &str) -> (bool, Kind) {
    let (carrier, kind) = match scheme.split_once('+') {
        Some((carrier, "unix")) => (carrier, Kind::Unix),
        Some((carrier, "sentinel")) => (carrier, Kind::Sentinel),
        Some((carrier, _)) => (carrier, Kind::Cluster),
        None => (scheme, Kind::Server),
    };
    (carrier == "rediss", kind)
}

fn usual_port(kind: Kind) -> u16 {
    if kind == Kind::Sentinel { 26379 } else { 6379 }
}

fn endpoints(url: &ServiceUrl, kind: Kind) -> Result<Vec<Endpoint>, Error> {
    let hosts = url.hosts(usual_port(kind));
    let max = if matches!(kind, Kind::Sentinel | Kind::Cluster) { HOSTS_MAX } else { 1 };
    if hosts.len() > max {
        return Err(invalid(format!("the URL names {} hosts; {max} at most", hosts.len())));
    }
    Ok(hosts.into_iter().map(|(host, port)| Endpoint::Tcp { host, port }).collect())
}

fn invalid(message: impl fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidOptions, message)
}

#[cfg(test)]
mod tests;
