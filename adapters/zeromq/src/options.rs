//! Where peers are, and what may wait for them.

use crate::SERVICE;
use crate::codec::Bounds;
use crate::limits::{ENDPOINTS_MAX, IDENTITY_BYTES_MAX, PREFIX_BYTES_MAX};
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use workyard_adapter_kit::{
    Backoff, CallOptions, Error, ErrorKind, Observer, ServiceUrl, duration,
};

/// Where peers are, and what may wait for them. What the URL says goes before what stands here.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Options {
    /// `tcp://HOST:PORT` connects, `@tcp://HOST:PORT` binds; several: `tcp://a:5555,b:5555`. A host of
    /// `*` binds every address of the machine, a port of 0 any that is free. Options follow a `?`.
    pub url: String,
    /// Further endpoints to bind: `tcp://HOST:PORT`.
    pub bind: Vec<String>,
    /// Further endpoints to connect to: `tcp://HOST:PORT`.
    pub connect: Vec<String>,
    /// What peers call this socket, where they distinguish: empty, so that each makes a name.
    pub identity: String,
    /// What a subscriber subscribes to when it is opened: prefixes of messages; `[""]` is everything.
    pub subscribe: Vec<String>,
    /// Most messages that wait to be written: 1000. Those of a publisher, a replier and a router are
    /// counted for each peer.
    pub send_queue_max: usize,
    /// Most bytes that wait to be written: 64 MiB, counted likewise. A larger message has to be alone.
    pub send_queue_bytes_max: usize,
    /// Most messages that were received and wait for the application: 1000. Peers wait then.
    pub receive_queue_max: usize,
    /// Most bytes that were received and wait for the application: 64 MiB. A larger message has to be alone.
    pub receive_queue_bytes_max: usize,
    /// Most bytes of a message, sent or received, all parts together: 16 MiB.
    pub message_bytes_max: usize,
    /// Most parts of a message: 1024.
    pub parts_max: usize,
    /// Most peers that have connected to what was bound: 1000. Others are sent away.
    pub peers_max: usize,
    /// How long `close` waits for messages to be written: 5 s.
    #[serde(with = "duration")]
    pub linger: Duration,
    /// The waits between attempts to connect.
    pub reconnect: Backoff,
    /// How calls are made: `request_timeout` is how long one waits for a place in the queue, and a request
    /// for its reply; `connect_timeout` also bounds the time in which a peer must say who it is.
    pub calls: CallOptions,
    /// Is told what happens.
    #[serde(skip)]
    pub observer: Option<Arc<dyn Observer>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            url: String::new(),
            bind: Vec::new(),
            connect: Vec::new(),
            identity: String::new(),
            subscribe: Vec::new(),
            send_queue_max: 1000,
            send_queue_bytes_max: 64 << 20,
            receive_queue_max: 1000,
            receive_queue_bytes_max: 64 << 20,
            message_bytes_max: 16 << 20,
            parts_max: 1024,
            peers_max: 1000,
            linger: Duration::from_secs(5),
            reconnect: Backoff::default(),
            calls: CallOptions::default(),
            observer: None,
        }
    }
}

impl Options {
    /// The defaults, for these peers.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }

    /// What the URL says, checked, with the options that it overrides taken over.
    pub(crate) fn read(&mut self) -> Result<Endpoints, Error> {
        let mut endpoints = Endpoints::default();
        if !self.url.is_empty() {
            let text = self.url.clone();
            let (binds, text) = match text.strip_prefix('@') {
                Some(text) => (true, text),
                None => (false, text.strip_prefix('>').unwrap_or(&text)),
            };
            let mut url = ServiceUrl::parse_several(text, &["tcp"])?;
            self.take_from(&mut url)?;
            endpoints.add(binds, url)?;
        }
        for (binds, texts) in [(true, &self.bind), (false, &self.connect)] {
            for text in texts {
                endpoints.add(binds, ServiceUrl::parse_several(text, &["tcp"])?)?;
            }
        }
        self.check(&endpoints)?;
        Ok(endpoints)
    }

    pub(crate) fn bounds(&self) -> Bounds {
        Bounds { bytes_max: self.message_bytes_max, parts_max: self.parts_max }
    }

    fn take_from(&mut self, url: &mut ServiceUrl) -> Result<(), Error> {
        url.take_text_into("identity", &mut self.identity);
        if let Some(prefix) = url.take_text("subscribe") {
            self.subscribe = vec![prefix];
        }
        let numbers = [
            ("send_queue_max", &mut self.send_queue_max),
            ("send_queue_bytes_max", &mut self.send_queue_bytes_max),
            ("receive_queue_bytes_max", &mut self.receive_queue_bytes_max),
            ("receive_queue_max", &mut self.receive_queue_max),
            ("message_bytes_max", &mut self.message_bytes_max),
            ("parts_max", &mut self.parts_max),
            ("peers_max", &mut self.peers_max),
        ];
        for (name, place) in numbers {
            url.take_into(name, "a number", place)?;
        }
        url.take_duration_into("linger", &mut self.linger)?;
        self.calls.take_from(url)
    }

    fn check(&self, endpoints: &Endpoints) -> Result<(), Error> {
        let count = endpoints.bind.len() + endpoints.connect.len();
        if count == 0 {
            return Err(invalid("there is no endpoint: write tcp://HOST:PORT or @tcp://HOST:PORT"));
        }
        if count > ENDPOINTS_MAX {
            return Err(invalid(format!("more than {ENDPOINTS_MAX} endpoints")));
        }
        let identity = self.identity.as_bytes();
        if identity.len() > IDENTITY_BYTES_MAX || identity.first() == Some(&0) {
            return Err(invalid(format!(
                "the identity has at most {IDENTITY_BYTES_MAX} bytes, and does not begin with zero"
            )));
        }
        if self.subscribe.iter().any(|prefix| prefix.len() > PREFIX_BYTES_MAX) {
            return Err(invalid(format!("a subscription has at most {PREFIX_BYTES_MAX} bytes")));
        }
        let bounds = [
            ("send_queue_max", self.send_queue_max),
            ("send_queue_bytes_max", self.send_queue_bytes_max),
            ("receive_queue_bytes_max", self.receive_queue_bytes_max),
            ("receive_queue_max", self.receive_queue_max),
            ("message_bytes_max", self.message_bytes_max),
            ("parts_max", self.parts_max),
            ("peers_max", self.peers_max),
        ];
        match bounds.into_iter().find(|(_, bound)| *bound == 0 || *bound > u32::MAX as usize) {
            Some((name, _)) => Err(invalid(format!("{name} is not between 1 and 2^32"))),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("url", &self.url)
            .field("bind", &self.bind)
            .field("connect", &self.connect)
            .field("identity", &self.identity)
            .field("subscribe", &self.subscribe)
            .field("send_queue_max", &self.send_queue_max)
            .field("send_queue_bytes_max", &self.send_queue_bytes_max)
            .field("receive_queue_max", &self.receive_queue_max)
            .field("receive_queue_bytes_max", &self.receive_queue_bytes_max)
            .field("message_bytes_max", &self.message_bytes_max)
            .field("parts_max", &self.parts_max)
            .field("peers_max", &self.peers_max)
            .field("linger", &self.linger)
            .field("reconnect", &self.reconnect)
            .field("calls", &self.calls)
            .finish_non_exhaustive()
    }
}

/// Where a socket binds and connects: hosts and ports.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Endpoints {
    pub(crate) bind: Vec<(String, u16)>,
    pub(crate) connect: Vec<(String, u16)>,
}

impl Endpoints {
    fn add(&mut self, binds: bool, url: ServiceUrl) -> Result<(), Error> {
        if url.path()?.is_some() || url.username()?.is_some() || url.password()?.is_some() {
            return Err(invalid("an endpoint is tcp://HOST:PORT: without user, password and path"));
        }
        let hosts = url.hosts(0);
        url.finish()?;
        for (host, port) in hosts {
            match (binds, port) {
                (true, _) if host == "*" => self.bind.push(("0.0.0.0".to_owned(), port)),
                (true, _) => self.bind.push((host, port)),
                (false, 0) => {
                    return Err(invalid(format!(
                        "there is no port to connect to: tcp://{host}:PORT"
                    )));
                }
                (false, _) => self.connect.push((host, port)),
            }
        }
        Ok(())
    }

    /// Where that is, for people and metrics.
    pub(crate) fn target(&self) -> Arc<str> {
        let name = |sign: &str, (host, port): &(String, u16)| format!("{sign}{host}:{port}");
        let bind = self.bind.iter().map(|endpoint| name("@", endpoint));
        let all: Vec<String> =
            bind.chain(self.connect.iter().map(|endpoint| name("", endpoint))).collect();
        all.join(",").into()
    }
}

fn invalid(message: impl fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidOptions, message).at(SERVICE, &"".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<(Options, Endpoints), Error> {
        let mut options = Options::new(url);
        options.read().map(|endpoints| (options, endpoints))
    }

    #[test]
    fn endpoints_connect_or_bind() {
        let cases = [
            ("tcp://a:1,b:2", "a:1,b:2"),
            (">tcp://a:1", "a:1"),
            ("@tcp://127.0.0.1:0", "@127.0.0.1:0"),
            ("@tcp://*:5555,[::1]:7", "@0.0.0.0:5555,@::1:7"),
        ];
        for (url, target) in cases {
            assert_eq!(&*read(url).unwrap().1.target(), target);
        }
        let mut options = Options::new("tcp://a:1");
        options.bind.push("tcp://*:2".to_owned());
        options.connect.push("tcp://b:3".to_owned());
        assert_eq!(&*options.read().unwrap().target(), "@0.0.0.0:2,a:1,b:3");
    }

    #[test]
    fn every_option_can_stand_in_the_url_or_in_a_file() {
        let (options, _) = read(
            "tcp://a:1?identity=ann&subscribe=news&send_queue_max=1&receive_queue_max=2&\
             message_bytes_max=3&parts_max=4&peers_max=5&linger=6s&request_timeout=7s&\
             send_queue_bytes_max=8&receive_queue_bytes_max=9",
        )
        .unwrap();
        assert_eq!((&*options.identity, &*options.subscribe[0]), ("ann", "news"));
        assert_eq!((options.send_queue_max, options.receive_queue_max), (1, 2));
        assert_eq!((options.message_bytes_max, options.parts_max, options.peers_max), (3, 4, 5));
        assert_eq!((options.send_queue_bytes_max, options.receive_queue_bytes_max), (8, 9));
        let seconds = |seconds| Duration::from_secs(seconds);
        assert_eq!((options.linger, options.calls.request_timeout), (seconds(6), seconds(7)));
        let text = "bind = ['tcp://*:1']\nlinger = '1s'\n[reconnect]\nfirst = '1ms'";
        let mut options: Options = toml::from_str(text).unwrap();
        options.read().unwrap();
        assert_eq!((options.linger, options.reconnect.first), (seconds(1), seconds(1) / 1000));
        assert!(toml::from_str::<Options>("bnd = []").is_err());
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let cases = [
            ("", "there is no endpoint"),
            ("ipc:///tmp/x", "it can begin with tcp://"),
            ("tcp://a", "there is no port to connect to: tcp://a:PORT"),
            ("tcp://a:1/path", "an endpoint is tcp://HOST:PORT"),
            ("tcp://user@a:1", "an endpoint is tcp://HOST:PORT"),
            ("tcp://a:1?hwm=1", "a parameter \"hwm\" that does not exist"),
            ("tcp://a:1?send_queue_max=0", "send_queue_max is not between 1 and 2^32"),
            ("tcp://a:1?identity=%00a", "does not begin with zero"),
        ];
        for (url, expected) in cases {
            let error = read(url).map(drop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidOptions);
            assert!(error.to_string().contains(expected), "{url}: {error}");
        }
    }
}
