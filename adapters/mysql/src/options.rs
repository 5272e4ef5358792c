//! Where the server is, and how it is used.

use crate::session;
use mysql_async::{ClientIdentity, Opts, OptsBuilder, PoolConstraints, PoolOpts, SslOpts};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use workyard_adapter_kit::{
    CallOptions, Error, ErrorKind, Observer, Result, ServiceUrl, Tls, redacted,
};

const SCHEMES: [&str; 2] = ["mysql", "mysqls"];
const PORT: u16 = 3306;
/// What a server can be told.
const PACKET_BYTES: RangeInclusive<usize> = 1024..=1 << 30;

/// Where the server is, and how it is used. Each of them but `calls`, `tls` and what is code can stand in
/// the URL by its name, and parts of those two by theirs: `calls_max`, `tls_ca`.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Options {
    /// `mysql://USER:PASSWORD@HOST:PORT/DATABASE`, or `mysqls://…` for TLS. What it says overrides the
    /// other fields.
    pub url: String,
    /// The server's unix socket, to be used instead of host and port.
    pub socket: Option<PathBuf>,
    /// The character set of texts, both ways: `utf8mb4`.
    pub charset: String,
    /// The time zone of a session (`+00:00`, `Europe/Berlin`); none: the server's.
    pub time_zone: Option<String>,
    /// Further statements that every connection begins with, in their order.
    pub session: Vec<String>,
    /// Whether a connection forgets before its next use what was set on it (variables, temporary tables,
    /// locks, prepared statements), which costs a round trip: no. One from [`Mysql::connection`] always does.
    ///
    /// [`Mysql::connection`]: crate::Mysql::connection
    pub reset: bool,
    /// How long a transaction may take in all, since it holds a connection: 30 s.
    #[serde(with = "workyard_adapter_kit::duration")]
    pub transaction_timeout: Duration,
    /// How long a connection may be idle and still be trusted: 10 s. After that it is asked first.
    #[serde(with = "workyard_adapter_kit::duration")]
    pub check_after: Duration,
    /// Most rows that a method collects: 100 000. [`Mysql::stream`] has no such bound.
    ///
    /// [`Mysql::stream`]: crate::Mysql::stream
    pub rows_max: usize,
    /// Most bytes of rows that a method collects, as they lie in memory: 64 MiB.
    pub answer_bytes_max: usize,
    /// Most bytes of a row, and of a statement with its values: 16 MiB, as the server's own
    /// `max_allowed_packet` usually is.
    pub packet_bytes_max: usize,
    /// Most prepared statements that each connection keeps: 100. None: each is prepared for one use.
    pub statements_max: usize,
    /// How calls are made: 16 at the same time, which is the size of the pool, and 3 s for a connection.
    #[serde(deserialize_with = "calls")]
    pub calls: CallOptions,
    /// Whom to trust, and who to be, with `mysqls://`.
    pub tls: Tls,
    /// Is told of every call and connection.
    #[serde(skip)]
    pub observer: Option<Arc<dyn Observer>>,
}

impl Options {
    /// The defaults, with a URL.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }

    /// Reads the URL, checks everything, and returns what the driver and the guard need.
    pub(crate) fn parse(mut self) -> Result<Parsed> {
        let mut url = ServiceUrl::parse(&self.url, &SCHEMES)?;
        self.take_from(&mut url)?;
        url.clone().finish()?;
        self.check(&url)?;
        let target = match &self.socket {
            Some(path) => path.display().to_string().into(),
            None => url.target(PORT),
        };
        let driver = self.driver(&url)?;
        Ok(Parsed { target, driver, options: self })
    }

    fn take_from(&mut self, url: &mut ServiceUrl) -> Result<()> {
        if let Some(path) = url.take_text("socket") {
            self.socket = Some(path.into());
        }
        url.take_text_into("charset", &mut self.charset);
        self.time_zone = url.take_text("time_zone").or(self.time_zone.take());
        if let Some(statement) = url.take_text("session") {
            self.session = vec![statement];
        }
        url.take_into("reset", "true or false", &mut self.reset)?;
        url.take_duration_into("transaction_timeout", &mut self.transaction_timeout)?;
        url.take_duration_into("check_after", &mut self.check_after)?;
        let numbers = [
            ("rows_max", &mut self.rows_max),
            ("answer_bytes_max", &mut self.answer_bytes_max),
            ("packet_bytes_max", &mut self.packet_bytes_max),
            ("statements_max", &mut self.statements_max),
        ];
        for (name, place) in numbers {
            url.take_into(name, "a number", place)?;
        }
        self.calls.take_from(url)?;
        self.tls.take_from(url);
        Ok(())
    }

    fn check(&self, url: &ServiceUrl) -> Result<()> {
        self.calls.check()?;
        let zeros = [
            ("transaction_timeout", self.transaction_timeout.is_zero()),
            ("rows_max", self.rows_max == 0),
            ("answer_bytes_max", self.answer_bytes_max == 0),
        ];
        if let Some((name, _)) = zeros.into_iter().find(|(_, is_zero)| *is_zero) {
            return Err(invalid(format!("{name} is zero: leave it out for the default")));
        }
        if !PACKET_BYTES.contains(&self.packet_bytes_max) {
            return Err(invalid("packet_bytes_max is between 1024 and 1073741824"));
        }
        if url.scheme() == "mysql" {
            self.tls.refuse("mysql", "mysqls")?;
        }
        if url.scheme() == "mysqls" && self.socket.is_some() {
            return Err(invalid("there is no TLS on a unix socket; begin the URL with mysql://"));
        }
        Ok(())
    }

    fn driver(&self, url: &ServiceUrl) -> Result<Opts> {
        let builder = OptsBuilder::default()
            .ip_or_hostname(url.host())
            .tcp_port(url.port_or(PORT))
            .user(url.username()?)
            .pass(url.password()?)
            .db_name(url.path()?)
            .socket(self.socket.as_ref().map(|path| path.display().to_string()))
            // It would leave the host of the URL for a socket that the server names.
            .prefer_socket(false)
            .tcp_keepalive(Some(self.calls.idle_timeout.max(Duration::from_secs(1))))
            .max_allowed_packet(Some(self.packet_bytes_max))
            // The pool has its own idea of how long a connection is kept.
            .wait_timeout(Some(0))
            .stmt_cache_size(self.statements_max)
            .setup(session::statements(self)?)
            .ssl_opts(self.ssl(url)?)
            .pool_opts(self.pool());
        Ok(builder.into())
    }

    fn pool(&self) -> PoolOpts {
        let idle = self.calls.idle_timeout;
        let constraints = PoolConstraints::new(0, self.calls.calls_max);
        // Less than a second is 30 seconds for the driver.
        let interval = (idle / 2).clamp(Duration::from_secs(1), Duration::from_secs(30));
        PoolOpts::new()
            .with_constraints(constraints.expect("calls_max is not zero"))
            .with_inactive_connection_ttl(idle)
            .with_ttl_check_interval(interval)
            // What needs it is reset by the adapter, in a bounded time.
            .with_reset_connection(false)
    }

    fn ssl(&self, url: &ServiceUrl) -> Result<Option<SslOpts>> {
        if url.scheme() != "mysqls" {
            return Ok(None);
        }
        // Checks the files as every adapter does; the driver makes its own configuration of them.
        self.tls.client_config()?;
        let identity = self.tls.identity_pem()?;
        let identity = identity.map(|(chain, key)| ClientIdentity::new(chain.into(), key.into()));
        let roots = self.tls.trusted()?.into_iter().map(|root| root.to_vec().into()).collect();
        Ok(Some(
            SslOpts::default()
                .with_root_certs(roots)
                .with_disable_built_in_roots(true)
                .with_client_identity(identity),
        ))
    }
}

/// Options that were read and checked.
pub(crate) struct Parsed {
    pub(crate) target: Arc<str>,
    pub(crate) driver: Opts,
    pub(crate) options: Options,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            url: "mysql://127.0.0.1".to_owned(),
            socket: None,
            charset: "utf8mb4".to_owned(),
            time_zone: None,
            session: Vec::new(),
            reset: false,
            transaction_timeout: Duration::from_secs(30),
            check_after: Duration::from_secs(10),
            rows_max: 100_000,
            answer_bytes_max: 64 << 20,
            packet_bytes_max: 16 << 20,
            statements_max: 100,
            calls: usual_calls(),
            tls: Tls::default(),
            observer: None,
        }
    }
}

/// The password is not shown.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("url", &redacted(&self.url))
            .field("calls", &self.calls)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

fn usual_calls() -> CallOptions {
    let connect_timeout = Duration::from_secs(3);
    CallOptions { connect_timeout, ..CallOptions::with_calls_max(16) }
}

fn calls<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CallOptions, D::Error> {
    usual_calls().deserialize_over(deserializer)
}

fn invalid(message: impl fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidOptions, message)
}

#[cfg(test)]
mod tests;
