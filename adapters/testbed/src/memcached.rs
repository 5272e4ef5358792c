//! Memcached: plain or with TLS.

use crate::{Authority, Place, Process, Program, Ready, is_root};
use std::net::SocketAddr;

/// A memcached server.
#[derive(Debug)]
pub struct Memcached {
    /// The process of it.
    pub process: Process,
}

/// How a memcached server is to be.
#[derive(Clone, Debug, Default)]
pub struct MemcachedSetup {
    tls: Option<Authority>,
    login: Option<(String, String)>,
    arguments: Vec<String>,
}

impl Memcached {
    /// What to begin with: TCP only, 64 MiB of memory.
    #[must_use]
    pub fn setup() -> MemcachedSetup {
        MemcachedSetup::default()
    }

    /// Starts one as it is to begin with.
    pub async fn start() -> Self {
        Self::setup().start().await
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.process.place().address(0)
    }
}

impl MemcachedSetup {
    /// With TLS, and with nothing else on its port.
    #[must_use]
    pub fn tls(mut self, authority: &Authority) -> Self {
        self.tls = Some(authority.clone());
        self
    }

    /// For one user only.
    #[must_use]
    pub fn login(mut self, user: &str, password: &str) -> Self {
        self.login = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// With a further argument, such as `-I` and then `2m`.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Starts it.
    pub async fn start(self) -> Memcached {
        Memcached { process: Process::start(1, |place| self.program(place)).await }
    }

    fn program(&self, place: &Place) -> Program {
        let port = place.port(0).to_string();
        let mut program = Program::new("memcached")
            .arguments(["-l", "127.0.0.1", "-U", "0", "-p", &port])
            .ready(Ready::Answers(place.address(0), "version\r\n", "VERSION "));
        if is_root() {
            program = program.arguments(["-u", "root"]);
        }
        if let Some(authority) = &self.tls {
            let server = authority.server();
            let files = format!(
                "ssl_chain_cert={},ssl_key={},ssl_ca_cert={}",
                server.certificate.display(),
                server.key.display(),
                authority.certificate().display()
            );
            let ready = Ready::Listens(place.address(0));
            program = program.arguments(["--enable-ssl", "-o", &files]).ready(ready);
        }
        if let Some((user, password)) = &self.login {
            let file = place.file("users", format!("{user}:{password}\n"));
            let ready = Ready::Answers(place.address(0), "version\r\n", "CLIENT_ERROR");
            program = program.argument("-Y").argument(file).ready(ready);
        }
        program.arguments(&self.arguments)
    }
}
