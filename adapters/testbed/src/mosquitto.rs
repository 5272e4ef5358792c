//! Mosquitto: MQTT over TCP and over WebSocket, with passwords, with TLS.

use crate::{Authority, Place, Process, Program, Ready, is_root};
use std::net::SocketAddr;

/// The ports: MQTT, and MQTT over WebSocket.
const TCP: usize = 0;
const WEB_SOCKET: usize = 1;

/// A Mosquitto broker.
#[derive(Debug)]
pub struct Mosquitto {
    /// The process of it.
    pub process: Process,
    setup: MosquittoSetup,
}

/// How a Mosquitto broker is to be.
#[derive(Clone, Debug, Default)]
pub struct MosquittoSetup {
    user: Option<(String, String)>,
    tls: Option<Authority>,
    asks_for_certificates: bool,
    lines: Vec<String>,
}

impl Mosquitto {
    /// What to begin with: everybody may do everything. Sessions, retained messages and what is
    /// queued are on disk after every change, so that they survive a restart.
    #[must_use]
    pub fn setup() -> MosquittoSetup {
        MosquittoSetup::default()
    }

    /// Starts one as it is to begin with.
    pub async fn start() -> Self {
        Self::setup().start().await
    }

    /// Where it listens, with TLS if that was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.process.place().address(TCP)
    }

    /// Where it listens for WebSocket, with TLS if that was asked for.
    #[must_use]
    pub fn web_socket_address(&self) -> SocketAddr {
        self.process.place().address(WEB_SOCKET)
    }

    /// Its URL, `mqtt` or `mqtts`, with the credentials of the user.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_at(self.address())
    }

    /// The same for a relay at this address.
    #[must_use]
    pub fn url_at(&self, address: SocketAddr) -> String {
        self.url_of("mqtt", address)
    }

    /// Its URL for WebSocket, `ws` or `wss`, with the credentials of the user.
    #[must_use]
    pub fn web_socket_url(&self) -> String {
        self.url_of("ws", self.web_socket_address())
    }

    fn url_of(&self, scheme: &str, address: SocketAddr) -> String {
        let secure = if self.setup.tls.is_some() { "s" } else { "" };
        let user = self.setup.user.as_ref();
        let credentials = user.map(|(name, password)| format!("{name}:{password}@"));
        format!("{scheme}{secure}://{}{address}", credentials.unwrap_or_default())
    }
}

impl MosquittoSetup {
    /// With a user; nobody else is let in.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.user = Some((name.to_owned(), password.to_owned()));
        self
    }

    /// With TLS, and with nothing else on its ports.
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

    /// With a further line in its configuration file, for all listeners.
    #[must_use]
    pub fn line(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }

    /// Starts it.
    pub async fn start(self) -> Mosquitto {
        let process = Process::start(2, |place| self.program(place)).await;
        Mosquitto { process, setup: self }
    }

    fn program(&self, place: &Place) -> Program {
        let configuration = place.file("mosquitto.conf", self.configuration(place));
        Program::new("mosquitto")
            .argument("-c")
            .argument(configuration)
            // It opens them in the order of the file.
            .ready(Ready::Listens(place.address(WEB_SOCKET)))
    }

    fn configuration(&self, place: &Place) -> String {
        let mut lines = vec![
            "log_dest stderr".to_owned(),
            "log_type all".to_owned(),
            "persistence true".to_owned(),
            format!("persistence_location {}/", place.folder().display()),
            "autosave_on_changes true".to_owned(),
            "autosave_interval 1".to_owned(),
        ];
        if is_root() {
            lines.push("user root".to_owned());
        }
        match &self.user {
            None => lines.push("allow_anonymous true".to_owned()),
            Some((name, password)) => {
                let file = place.path("passwords");
                let made = Program::new("mosquitto_passwd").arguments(["-c", "-b"]);
                let _ = made.argument(&file).arguments([name, password]).output();
                lines.push("allow_anonymous false".to_owned());
                lines.push(format!("password_file {}", file.display()));
            }
        }
        lines.extend_from_slice(&self.lines);
        lines.extend(self.listener(place.port(TCP), "mqtt"));
        lines.extend(self.listener(place.port(WEB_SOCKET), "websockets"));
        lines.join("\n") + "\n"
    }

    fn listener(&self, port: u16, protocol: &str) -> Vec<String> {
        let mut lines = vec![format!("listener {port} 127.0.0.1"), format!("protocol {protocol}")];
        if let Some(authority) = &self.tls {
            lines.extend([
                format!("cafile {}", authority.certificate().display()),
                format!("certfile {}", authority.server().certificate.display()),
                format!("keyfile {}", authority.server().key.display()),
                format!("require_certificate {}", self.asks_for_certificates),
            ]);
        }
        lines
    }
}
