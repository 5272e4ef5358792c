//! RabbitMQ: AMQP and STOMP, each plain and with TLS.

mod management;

use crate::{Authority, Place, Process, Program, Ready};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::OnceCell;

/// The ports, in this order.
const AMQP: usize = 0;
const STOMP: usize = 1;
const AMQP_TLS: usize = 2;
const STOMP_TLS: usize = 3;
const MANAGEMENT: usize = 4;
/// Where other nodes would connect.
const DISTRIBUTION: usize = 5;
const PORTS: usize = 6;

/// Beside the one in the search path, which changes the user.
const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/// Who may do everything.
const USER: &str = "worker";
const PASSWORD: &str = "secret";

/// A RabbitMQ broker.
#[derive(Debug)]
pub struct RabbitMq {
    /// The process of it.
    pub process: Process,
    vhosts: AtomicU32,
    /// Knows the port of the node: Erlang starts none without it. It is the last to go.
    _port_mapper: Process,
}

/// How a RabbitMQ broker is to be.
#[derive(Clone, Debug, Default)]
pub struct RabbitMqSetup {
    tls: Option<Authority>,
    asks_for_certificates: bool,
    lines: Vec<String>,
}

impl RabbitMq {
    /// What to begin with: a user `worker` with the password `secret` who may do everything.
    #[must_use]
    pub fn setup() -> RabbitMqSetup {
        RabbitMqSetup::default()
    }

    /// Starts one as it is to begin with. It takes some seconds.
    pub async fn start() -> Self {
        Self::setup().start().await
    }

    /// The one of this process, as it is to begin with, for tests that leave it alone but for a
    /// virtual host of their own.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<RabbitMq> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// Where it listens for AMQP.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.process.place().address(AMQP)
    }

    /// Where it listens for STOMP.
    #[must_use]
    pub fn stomp_address(&self) -> SocketAddr {
        self.process.place().address(STOMP)
    }

    /// Where it listens for AMQP with TLS, if that was asked for.
    #[must_use]
    pub fn tls_address(&self) -> SocketAddr {
        self.process.place().address(AMQP_TLS)
    }

    /// Where it listens for STOMP with TLS, if that was asked for.
    #[must_use]
    pub fn stomp_tls_address(&self) -> SocketAddr {
        self.process.place().address(STOMP_TLS)
    }

    /// Makes a new, empty virtual host and returns its name.
    ///
    /// # Panics
    /// When the server is down.
    pub async fn vhost(&self) -> String {
        let name = format!("test_{}", self.vhosts.fetch_add(1, Ordering::Relaxed));
        self.manage("PUT", &format!("/api/vhosts/{name}"), "").await;
        name
    }

    /// The URL of a virtual host for the user, over AMQP.
    #[must_use]
    pub fn url(&self, vhost: &str) -> String {
        self.url_at(self.address(), vhost)
    }

    /// The same for a relay at this address.
    #[must_use]
    pub fn url_at(&self, address: SocketAddr, vhost: &str) -> String {
        format!("amqp://{USER}:{PASSWORD}@{address}/{vhost}")
    }

    /// The URL of a virtual host for the user, over AMQP with TLS.
    #[must_use]
    pub fn tls_url(&self, vhost: &str) -> String {
        format!("amqps://{USER}:{PASSWORD}@{}/{vhost}", self.tls_address())
    }

    /// Makes a request to its management plugin, past every relay, and returns the answer's body:
    /// `GET /api/queues/test_1/name`, `GET /api/connections`, `DELETE /api/connections/name`. What
    /// it counts is two seconds old at most.
    ///
    /// # Panics
    /// When it refuses, or the server is down.
    pub async fn manage(&self, method: &str, path: &str, body: &str) -> String {
        let address = self.process.place().address(MANAGEMENT);
        management::request(address, method, path, body).await
    }
}

impl RabbitMqSetup {
    /// With ports of TLS beside the others.
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

    /// With a further line in its configuration file.
    #[must_use]
    pub fn line(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }

    /// Starts it.
    pub async fn start(self) -> RabbitMq {
        let port_mapper = Process::start(1, port_mapper).await;
        let mapper_port = port_mapper.place().port(0);
        let process = Process::start(PORTS, |place| self.program(place, mapper_port)).await;
        RabbitMq { process, vhosts: AtomicU32::new(1), _port_mapper: port_mapper }
    }

    fn program(&self, place: &Place, mapper_port: u16) -> Program {
        let plugins = "[rabbitmq_management,rabbitmq_stomp].";
        Program::new(SERVER)
            .variable("ERL_EPMD_PORT", mapper_port.to_string())
            .variable("RABBITMQ_NODENAME", format!("node{}@localhost", place.port(AMQP)))
            .variable("RABBITMQ_DIST_PORT", place.port(DISTRIBUTION).to_string())
            .variable(
                "RABBITMQ_CONFIG_FILE",
                place.file("rabbitmq.conf", self.configuration(place)),
            )
            // In the place of the one of the machine.
            .variable("RABBITMQ_CONF_ENV_FILE", place.file("rabbitmq-env.conf", ""))
            .variable("RABBITMQ_ENABLED_PLUGINS_FILE", place.file("plugins", plugins))
            .variable("RABBITMQ_MNESIA_BASE", place.path("data"))
            .variable("RABBITMQ_LOG_BASE", place.path("log"))
            .variable(
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
            )
            // The script becomes the server then, instead of waiting for it.
            .variable("RUNNING_UNDER_SYSTEMD", "true")
            .ready(Ready::Prints("Server startup complete"))
    }

    fn configuration(&self, place: &Place) -> String {
        let mut lines = vec![
            format!("listeners.tcp.1 = {}", place.address(AMQP)),
            format!("stomp.listeners.tcp.1 = {}", place.address(STOMP)),
            "management.tcp.ip = 127.0.0.1".to_owned(),
            format!("management.tcp.port = {}", place.port(MANAGEMENT)),
            // Seconds between what the management plugin counts.
            "collect_statistics_interval = 1000".to_owned(),
            "management.sample_retention_policies.global.minute = 1".to_owned(),
            "management.sample_retention_policies.basic.minute = 1".to_owned(),
            "management.sample_retention_policies.detailed.10 = 1".to_owned(),
            format!("default_user = {USER}"),
            format!("default_pass = {PASSWORD}"),
            "log.console = true".to_owned(),
            "log.file = false".to_owned(),
        ];
        if let Some(authority) = &self.tls {
            let server = authority.server();
            lines.extend([
                format!("listeners.ssl.1 = {}", place.address(AMQP_TLS)),
                format!("stomp.listeners.ssl.1 = {}", place.address(STOMP_TLS)),
                format!("ssl_options.cacertfile = {}", authority.certificate().display()),
                format!("ssl_options.certfile = {}", server.certificate.display()),
                format!("ssl_options.keyfile = {}", server.key.display()),
                format!("ssl_options.verify = {}", self.verification()),
                format!("ssl_options.fail_if_no_peer_cert = {}", self.asks_for_certificates),
            ]);
        }
        lines.extend_from_slice(&self.lines);
        lines.join("\n") + "\n"
    }

    fn verification(&self) -> &'static str {
        if self.asks_for_certificates { "verify_peer" } else { "verify_none" }
    }
}

/// One of its own, so that the one of the machine is neither needed nor told.
fn port_mapper(place: &Place) -> Program {
    Program::new("epmd")
        .arguments(["-address", "127.0.0.1", "-port"])
        .argument(place.port(0).to_string())
        .ready(Ready::Listens(place.address(0)))
}
