//! What an MQTT client is opened with.

mod check;
mod parameters;

use crate::qos::Qos;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use workyard_adapter_kit::{
    Backoff, CallOptions, Error, Observer, ServiceUrl, Tls, duration, redacted,
};

pub(crate) const SCHEMES: [&str; 4] = ["mqtt", "mqtts", "ws", "wss"];

/// The version of the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Version {
    /// MQTT 3.1.1, which calls itself 4 on the wire.
    #[default]
    #[serde(rename = "3.1.1", alias = "4")]
    V3,
    /// MQTT 5.
    #[serde(rename = "5")]
    V5,
}

/// What the broker publishes when the client is gone without a word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Will {
    /// Where to.
    pub topic: String,
    /// What.
    pub payload: String,
    /// How surely.
    pub qos: Qos,
    /// Whether the broker keeps it for those who subscribe later.
    pub retain: bool,
}

/// How an MQTT client is to be. All but the URL has a default, and nearly all of it can stand in the URL.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Options {
    /// `mqtt://user:password@host:1883`; also `mqtts` (8883), `ws` (80) and `wss` (443). What it says
    /// counts more than the fields below.
    pub url: String,
    /// 3.1.1, unless 5 is asked for.
    pub version: Version,
    /// What the broker knows the client by: its own one for each client. At random by default.
    pub client_id: Option<String>,
    /// Whether the session ends with the connection: true. Otherwise the broker keeps subscriptions and
    /// messages, and messages of QoS 2 come once even if the connection breaks; that needs a `client_id`.
    pub clean_session: bool,
    /// How long the broker keeps a session that is not clean, with MQTT 5: 1 h. With 3.1.1 that is the
    /// broker's choice.
    #[serde(with = "duration")]
    pub session_expiry: Duration,
    /// How long the connection may be silent before it is probed: 50 s. Zero: it never is.
    #[serde(with = "duration")]
    pub keepalive: Duration,
    /// Who to be.
    pub username: Option<String>,
    /// The proof of that.
    pub password: Option<String>,
    /// The path of the WebSocket: `/mqtt`. The one of the URL, where it has one.
    pub path: String,
    /// What the broker publishes when the client is gone without a word.
    pub will: Option<Will>,
    /// Whether subscriptions are made again where the broker has not kept the session: true. Otherwise
    /// they end then.
    pub resubscribe: bool,
    /// The waits before it is tried again to connect: 50 ms, doubling up to 5 s.
    pub reconnect: Backoff,
    /// Most messages of QoS 1 and 2 that are under way at the same time: 100. The broker may want fewer.
    pub inflight_max: u16,
    /// Most messages of QoS 1 and 2 that the broker may have under way to this client, with MQTT 5: 100.
    pub receive_max: u16,
    /// Most messages that wait to be sent or acknowledged: 1024. One more fails at once.
    pub queue_max: usize,
    /// Most bytes of such messages: 16 MiB.
    pub queue_bytes_max: usize,
    /// Largest packet that is sent or accepted: 1 MiB.
    pub packet_bytes_max: usize,
    /// Whether the broker, with 3.1.1, sends a message once for each filter of this client that matches it:
    /// false, as Mosquitto by default sends it once. It matters only where filters overlap.
    pub overlapping_copies: bool,
    /// What is said about the connection, with MQTT 5.
    pub user_properties: Vec<(String, String)>,
    /// How long `close` waits for what is under way: 5 s.
    #[serde(with = "duration")]
    pub close_grace: Duration,
    /// How calls are made.
    pub calls: CallOptions,
    /// Whom to trust, and who to be, with `mqtts` and `wss`.
    pub tls: Tls,
    /// Is told what happens.
    #[serde(skip)]
    pub observer: Option<Arc<dyn Observer>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            url: "mqtt://127.0.0.1".to_owned(),
            version: Version::default(),
            client_id: None,
            clean_session: true,
            session_expiry: Duration::from_secs(3600),
            keepalive: Duration::from_secs(50),
            username: None,
            password: None,
            path: "/mqtt".to_owned(),
            will: None,
            resubscribe: true,
            reconnect: Backoff::default(),
            inflight_max: 100,
            receive_max: 100,
            queue_max: 1024,
            queue_bytes_max: 16 << 20,
            packet_bytes_max: 1 << 20,
            overlapping_copies: false,
            user_properties: Vec::new(),
            close_grace: Duration::from_secs(5),
            calls: CallOptions::default(),
            tls: Tls::default(),
            observer: None,
        }
    }
}

impl Options {
    /// The defaults, for the broker at this URL.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }

    /// Reads the URL into the other fields, and refuses what cannot work.
    pub(crate) fn resolve(mut self) -> Result<(Self, Place), Error> {
        let mut url = ServiceUrl::parse(&self.url, &SCHEMES)?;
        self.take_from(&mut url)?;
        let place = Place::of(&url, &self.path)?;
        if !place.secure {
            let secure = if place.path.is_some() { "wss" } else { "mqtts" };
            self.tls.refuse(url.scheme(), secure)?;
        }
        url.finish()?;
        self.check_session()?;
        self.client_id.get_or_insert_with(random_id);
        self.check()?;
        Ok((self, place))
    }

    /// As the protocol has it: no less than the client takes.
    pub(crate) fn keepalive_seconds(&self) -> u16 {
        let begun = u64::from(self.keepalive.subsec_nanos() > 0);
        u16::try_from(self.keepalive.as_secs() + begun).unwrap_or(u16::MAX)
    }
}

/// The password is not shown.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("url", &redacted(&self.url))
            .field("version", &self.version)
            .field("client_id", &self.client_id)
            .field("clean_session", &self.clean_session)
            .field("keepalive", &self.keepalive)
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "..."))
            .field("calls", &self.calls)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// Where the broker is, and how it is spoken to.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) secure: bool,
    /// Of a WebSocket.
    pub(crate) path: Option<String>,
    pub(crate) target: Arc<str>,
}

impl Place {
    fn of(url: &ServiceUrl, path: &str) -> Result<Self, Error> {
        let (port, secure, web_socket) = match url.scheme() {
            "mqtts" => (8883, true, false),
            "ws" => (80, false, true),
            "wss" => (443, true, true),
            _ => (1883, false, false),
        };
        let own_path = url.path()?;
        if let (false, Some(path)) = (web_socket, &own_path) {
            let scheme = url.scheme();
            return Err(check::invalid(format!(
                "the URL has the path /{path}, but {scheme}:// has none; ws:// and wss:// have"
            )));
        }
        let path = own_path.map_or_else(|| path.to_owned(), |_| url.url().path().to_owned());
        Ok(Self {
            host: url.host().to_owned(),
            port: url.port_or(port),
            secure,
            path: web_socket.then_some(path),
            target: url.target(port),
        })
    }
}

/// Short enough for every broker, and nobody else's.
fn random_id() -> String {
    format!("workyard-{:012x}", fastrand::u64(..) >> 16)
}

#[cfg(test)]
mod tests;
