//! Redis: plain, with passwords, with TLS, always also at a unix socket.

mod cluster;
mod sentinel;

pub use cluster::RedisCluster;
pub use sentinel::RedisSentinel;

use crate::{Authority, Place, Process, Program, Ready};
use std::net::SocketAddr;
use std::path::PathBuf;

/// A Redis server.
#[derive(Debug)]
pub struct Redis {
    /// The process of it.
    pub process: Process,
    setup: RedisSetup,
}

/// How a Redis server is to be.
#[derive(Clone, Debug, Default)]
pub struct RedisSetup {
    password: Option<String>,
    users: Vec<(String, String)>,
    tls: Option<Authority>,
    asks_for_certificates: bool,
    is_of_cluster: bool,
    lines: Vec<String>,
}

impl Redis {
    /// What to begin with: nothing is stored on disk, everybody may do everything.
    #[must_use]
    pub fn setup() -> RedisSetup {
        RedisSetup::default()
    }

    /// Starts one as it is to begin with.
    pub async fn start() -> Self {
        Self::setup().start().await
    }

    /// Starts a cluster of so many masters.
    pub async fn cluster(masters: u16) -> RedisCluster {
        Self::setup().cluster(masters).await
    }

    /// Starts a master and a replica of it, and so many that watch over them.
    pub async fn sentinel(sentinels: usize) -> RedisSentinel {
        Self::setup().sentinel(sentinels).await
    }

    /// Where it listens, with TLS if that was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.process.place().address(0)
    }

    /// Its unix socket, without TLS.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        socket(self.process.place())
    }

    /// Its URL, with the credentials of the first user, or with the password.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_at(self.address())
    }

    /// The same for a relay at this address.
    #[must_use]
    pub fn url_at(&self, address: SocketAddr) -> String {
        let scheme = if self.setup.tls.is_some() { "rediss" } else { "redis" };
        let credentials = match (self.setup.users.first(), &self.setup.password) {
            (Some((user, password)), _) => format!("{user}:{password}@"),
            (None, Some(password)) => format!(":{password}@"),
            (None, None) => String::new(),
        };
        format!("{scheme}://{credentials}{address}")
    }

    /// Has it carry out a command by `redis-cli`, past every relay, and returns what that prints.
    ///
    /// # Panics
    /// When the command fails.
    #[must_use]
    pub fn command<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> String {
        let mut client = Program::new("redis-cli").arguments(["-e", "-s"]).argument(self.socket());
        if let Some((user, password)) = self.setup.users.first() {
            client = client.arguments(["--no-auth-warning", "--user", user, "--pass", password]);
        } else if let Some(password) = &self.setup.password {
            client = client.arguments(["--no-auth-warning", "--pass", password]);
        }
        client.arguments(words).output().trim_end().to_owned()
    }
}

impl RedisSetup {
    /// With a password that everybody must know (`requirepass`).
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// With a user that may do everything; nobody else may do anything.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.users.push((name.to_owned(), password.to_owned()));
        self
    }

    /// With TLS, and with nothing else on its port.
    #[must_use]
    pub fn tls(mut self, authority: &Authority) -> Self {
        self.tls = Some(authority.clone());
        self
    }

    /// With TLS only for clients that show a certificate of the authority.
    #[must_use]
    pub fn client_certificates(mut self) -> Self {
        self.asks_for_certificates = true;
        self
    }

    /// With everything on disk before it is answered for, so that it survives a kill.
    #[must_use]
    pub fn durable(self) -> Self {
        self.line("appendonly yes").line("appendfsync always")
    }

    /// With a further line in its configuration file.
    #[must_use]
    pub fn line(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }

    /// Starts it.
    pub async fn start(self) -> Redis {
        let process =
            Process::start(if self.is_of_cluster { 2 } else { 1 }, |place| self.program(place))
                .await;
        Redis { process, setup: self }
    }

    fn program(&self, place: &Place) -> Program {
        let configuration = place.file("redis.conf", self.configuration(place));
        let closed = self.password.is_some() || !self.users.is_empty();
        let answer = if closed { "-NOAUTH" } else { "+PONG" };
        Program::new("redis-server").argument(configuration).ready(Ready::AnswersAt(
            socket(place),
            "PING\r\n",
            answer,
        ))
    }

    fn configuration(&self, place: &Place) -> String {
        let mut lines = vec![
            "bind 127.0.0.1".to_owned(),
            "save \"\"".to_owned(),
            format!("dir {}", place.folder().display()),
            format!("unixsocket {}", socket(place).display()),
        ];
        let port = place.port(0);
        match &self.tls {
            None => lines.push(format!("port {port}")),
            Some(authority) => lines.extend([
                "port 0".to_owned(),
                format!("tls-port {port}"),
                format!("tls-ca-cert-file {}", authority.certificate().display()),
                format!("tls-cert-file {}", authority.server().certificate.display()),
                format!("tls-key-file {}", authority.server().key.display()),
                let_in(self.asks_for_certificates),
            ]),
        }
        lines.extend(self.password.iter().map(|password| format!("requirepass {password}")));
        if self.is_of_cluster {
            lines.extend(cluster::lines(place.port(1), self.tls.is_some()));
        }
        let users = self.users.iter();
        lines.extend(
            users.map(|(name, password)| format!("user {name} on >{password} ~* &* +@all")),
        );
        if !self.users.is_empty() {
            lines.push("user default off".to_owned());
        }
        lines.extend_from_slice(&self.lines);
        lines.join("\n") + "\n"
    }
}

fn let_in(asks_for_certificates: bool) -> String {
    format!("tls-auth-clients {}", if asks_for_certificates { "yes" } else { "no" })
}

fn socket(place: &Place) -> PathBuf {
    place.path("redis.sock")
}
