//! Where the server is, and how to deal with it.

use crate::codec::{FrameLimits, Version};
use crate::{Error, ErrorKind, Result};
use serde::Deserialize;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use workyard_adapter_kit::{CallOptions, Observer, ServiceUrl, Tls, redacted};

const SCHEMES: [&str; 4] = ["stomp", "stomps", "stomp+tls", "stomp+ssl"];
const PORT: u16 = 61613;
const TLS_PORT: u16 = 61614;

/// Where the server is, and how to deal with it. What the URL says goes before the fields.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Options {
    /// `stomp://user:password@host:port/vhost?option=value`; `stomps://`, `stomp+tls://` and
    /// `stomp+ssl://` for TLS. Ports are 61613 and 61614 unless said. The virtual host is `/` unless
    /// said; `%2F` is a slash in it.
    pub url: String,
    /// Who to be, unless the URL says: `guest`. Empty: no name and no passcode are sent.
    pub login: String,
    /// The password of `login`, unless the URL says: `guest`.
    pub passcode: String,
    /// The virtual host, unless the URL says: `/`.
    pub vhost: String,
    /// The newest version to speak: 1.2. The server chooses among it and those before.
    pub version_max: Version,
    /// How often this side gives a sign of life: 10 s. The server may want fewer. Zero: never.
    #[serde(with = "workyard_adapter_kit::duration")]
    pub heart_beat_out: Duration,
    /// How often the server shall give one: 10 s. It may give fewer; silence of twice the time agreed
    /// on is a lost connection. Zero: never.
    #[serde(with = "workyard_adapter_kit::duration")]
    pub heart_beat_in: Duration,
    /// Largest body, in both directions: 10 MiB.
    pub body_bytes_max: usize,
    /// The address of this machine to connect from.
    pub local_address: Option<IpAddr>,
    /// How calls are made: 1024 at once. Waits between attempts to connect are those of its backoff.
    pub calls: CallOptions,
    /// Whom to trust, and who to be.
    pub tls: Tls,
    /// Is told of calls and connections.
    #[serde(skip)]
    pub observer: Option<Arc<dyn Observer>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            url: String::new(),
            login: "guest".to_owned(),
            passcode: "guest".to_owned(),
            vhost: "/".to_owned(),
            version_max: Version::V1_2,
            heart_beat_out: Duration::from_secs(10),
            heart_beat_in: Duration::from_secs(10),
            body_bytes_max: FrameLimits::default().body_bytes_max,
            local_address: None,
            calls: CallOptions::default(),
            tls: Tls::default(),
            observer: None,
        }
    }
}

impl Options {
    /// The defaults for a URL.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }

    /// Takes over what the URL says, and checks all of it.
    pub(crate) fn settled(mut self) -> Result<Settled> {
        let mut url = ServiceUrl::parse(&self.url, &SCHEMES)?;
        if let Some(login) = url.username()? {
            self.login = login;
            self.passcode = url.password()?.unwrap_or_default();
        }
        if let Some(vhost) = url.path()? {
            self.vhost = vhost;
        }
        self.take_parameters(&mut url)?;
        self.check()?;
        let is_tls = url.scheme() != "stomp";
        if !is_tls {
            self.tls.refuse("stomp", "stomps")?;
        }
        let usual_port = if is_tls { TLS_PORT } else { PORT };
        let settled = Settled {
            host: url.host().to_owned(),
            port: url.port_or(usual_port),
            target: url.target(usual_port),
            is_tls,
            options: self,
        };
        url.finish()?;
        Ok(settled)
    }

    fn take_parameters(&mut self, url: &mut ServiceUrl) -> Result<()> {
        url.take_text_into("login", &mut self.login);
        url.take_text_into("passcode", &mut self.passcode);
        url.take_text_into("vhost", &mut self.vhost);
        url.take_into("version_max", "1.0, 1.1 or 1.2", &mut self.version_max)?;
        url.take_duration_into("heart_beat_out", &mut self.heart_beat_out)?;
        url.take_duration_into("heart_beat_in", &mut self.heart_beat_in)?;
        url.take_into("body_bytes_max", "a number of bytes", &mut self.body_bytes_max)?;
        if let Some(address) = url.take("local_address", "an IP address")? {
            self.local_address = Some(address);
        }
        self.calls.take_from(url)?;
        self.tls.take_from(url);
        Ok(())
    }

    fn check(&self) -> Result<()> {
        let texts = [("login", &self.login), ("passcode", &self.passcode), ("vhost", &self.vhost)];
        for (name, text) in texts {
            // These headers are never escaped.
            if text.contains(['\n', '\r', '\0']) {
                return Err(invalid(format!("{name} has a line end or NUL in it")));
            }
        }
        for (name, period) in
            [("heart_beat_out", self.heart_beat_out), ("heart_beat_in", self.heart_beat_in)]
        {
            if !period.is_zero() && period < Duration::from_millis(1) {
                return Err(invalid(format!("{name} is below 1ms; 0s is none")));
            }
        }
        Ok(())
    }
}

/// The password is not shown.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("url", &redacted(&self.url))
            .field("login", &self.login)
            .field("vhost", &self.vhost)
            .field("version_max", &self.version_max)
            .field("heart_beat_out", &self.heart_beat_out)
            .field("heart_beat_in", &self.heart_beat_in)
            .field("body_bytes_max", &self.body_bytes_max)
            .field("local_address", &self.local_address)
            .field("calls", &self.calls)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// Options that were checked.
pub(crate) struct Settled {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) target: Arc<str>,
    pub(crate) is_tls: bool,
    pub(crate) options: Options,
}

impl Settled {
    pub(crate) fn frame_limits(&self) -> FrameLimits {
        FrameLimits { body_bytes_max: self.options.body_bytes_max, ..FrameLimits::default() }
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOptions, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_everything() {
        let url = "stomps://app:s%3Acret@mq.example/%2Fshop?version_max=1.1&heart_beat_out=0s&\
                   heart_beat_in=3s&body_bytes_max=1000&local_address=127.0.0.2&calls_max=7&tls_ca=/ca";
        let settled = Options::new(url).settled().unwrap();
        assert_eq!(
            (settled.host.as_str(), settled.port, settled.is_tls),
            ("mq.example", 61614, true)
        );
        assert_eq!(&*settled.target, "mq.example:61614/%2Fshop");
        let options = settled.options;
        assert_eq!((options.login.as_str(), options.passcode.as_str()), ("app", "s:cret"));
        assert_eq!((options.vhost.as_str(), options.version_max), ("/shop", Version::V1_1));
        assert_eq!(options.heart_beat_out, Duration::ZERO);
        assert_eq!(options.heart_beat_in, Duration::from_secs(3));
        assert_eq!((options.body_bytes_max, options.calls.calls_max), (1000, 7));
        assert_eq!(options.local_address, Some("127.0.0.2".parse().unwrap()));
        assert_eq!(options.tls.ca, Some("/ca".into()));
    }

    #[test]
    fn a_file_says_it_too() {
        let text = "url = 'stomp://localhost'\nlogin = 'ann'\npasscode = 'secret'\nvhost = 'a'\n\
                    version_max = '1.0'\nheart_beat_in = '1m'\n[calls]\nrequest_timeout = '1s'";
        let options: Options = toml::from_str(text).unwrap();
        assert!(!format!("{options:?}").contains("secret"));
        let settled = options.settled().unwrap();
        assert_eq!((settled.port, settled.options.version_max), (61613, Version::V1_0));
        assert_eq!((settled.options.login.as_str(), settled.options.vhost.as_str()), ("ann", "a"));
        assert_eq!(settled.options.heart_beat_in, Duration::from_secs(60));
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let cases = [
            ("http://h", "it can begin with stomp:// or stomps://"),
            ("stomp://h?heart_beat=1s", "there are attempts_max, body_bytes_max"),
            ("stomp://h?version_max=1.3", "it is 1.0, 1.1 or 1.2"),
            ("stomp://a%0Ab:c@h", "login has a line end"),
            ("stomp://h?heart_beat_in=1us", "heart_beat_in is below 1ms"),
        ];
        for (url, expected) in cases {
            let error = Options::new(url).settled().map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidOptions);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
