//! Where the server is, and how to deal with it.

use crate::{Error, ErrorKind, Result};
use lapin::tcp::{OwnedIdentity, OwnedTLSConfig};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use workyard_adapter_kit::{CallOptions, Observer, ServiceUrl, Tls, redacted};

/// Where the server is, and how to deal with it. What the URL says goes before the fields.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Options {
    /// `amqp://user:password@host:port/vhost?option=value`, `amqps://` for TLS. Ports are 5672 and 5671
    /// unless said, the user and the password `guest`, the virtual host `/`; `%2F` is a slash in it.
    pub url: String,
    /// How often both sides give a sign of life, in whole seconds: 10 s. Zero: never.
    #[serde(with = "workyard_adapter_kit::duration")]
    pub heartbeat: Duration,
    /// Largest body that is published: 16 MiB.
    pub body_bytes_max: usize,
    /// What the server shows the connection as.
    pub name: String,
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
            heartbeat: Duration::from_secs(10),
            body_bytes_max: 16 << 20,
            name: "workyard".to_owned(),
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
        let mut url = ServiceUrl::parse(&self.url, &["amqp", "amqps"])?;
        url.take_duration_into("heartbeat", &mut self.heartbeat)?;
        url.take_into("body_bytes_max", "a number of bytes", &mut self.body_bytes_max)?;
        url.take_text_into("name", &mut self.name);
        self.calls.take_from(&mut url)?;
        self.tls.take_from(&mut url);
        let is_tls = url.scheme() == "amqps";
        let (uri, target) = (self.uri(&url, is_tls)?, url.target(usual_port(is_tls)));
        let tls = if is_tls {
            tls(&self.tls)?
        } else {
            self.tls.refuse("amqp", "amqps")?;
            OwnedTLSConfig::default()
        };
        url.finish()?;
        Ok(Settled { uri, target, tls, options: self })
    }

    fn uri(&self, url: &ServiceUrl, is_tls: bool) -> Result<AMQPUri> {
        let or_guest = |text: Option<String>| text.unwrap_or_else(|| "guest".to_owned());
        Ok(AMQPUri {
            scheme: if is_tls { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
            authority: AMQPAuthority {
                userinfo: AMQPUserInfo {
                    username: or_guest(url.username()?),
                    password: or_guest(url.password()?),
                },
                host: url.host().to_owned(),
                port: url.port_or(usual_port(is_tls)),
            },
            vhost: url.path()?.unwrap_or_else(|| "/".to_owned()),
            query: AMQPQueryString {
                heartbeat: Some(self.heartbeat_seconds()?),
                ..Default::default()
            },
        })
    }

    fn heartbeat_seconds(&self) -> Result<u16> {
        let is_whole = self.heartbeat.subsec_nanos() == 0;
        u16::try_from(self.heartbeat.as_secs()).ok().filter(|_| is_whole).ok_or_else(|| {
            Error::new(ErrorKind::InvalidOptions, "heartbeat: whole seconds, 65535 at most")
        })
    }
}

const fn usual_port(is_tls: bool) -> u16 {
    if is_tls { 5671 } else { 5672 }
}

/// The texts that the driver reads itself.
fn tls(tls: &Tls) -> Result<OwnedTLSConfig> {
    // Has the process's provider installed, and says what is wrong with the files.
    tls.client_config()?;
    let text = |pem: Vec<u8>| {
        String::from_utf8(pem).map_err(|error| {
            let message = "tls: a PEM file is no text";
            Error::new(ErrorKind::InvalidOptions, message).with_source(error)
        })
    };
    let identity = tls.identity_pem()?.map(|(pem, key)| OwnedIdentity::PKCS8 { pem, key });
    let cert_chain = match tls.ca_pem()? {
        Some(pem) => text(pem)?,
        None => tls.trusted()?.iter().map(|certificate| pem_of(certificate)).collect(),
    };
    Ok(OwnedTLSConfig { identity, cert_chain: Some(cert_chain) })
}

/// A certificate as the driver reads it.
fn pem_of(certificate: &[u8]) -> String {
    let text = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, certificate);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

/// The password is not shown.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("url", &redacted(&self.url))
            .field("heartbeat", &self.heartbeat)
            .field("body_bytes_max", &self.body_bytes_max)
            .field("name", &self.name)
            .field("calls", &self.calls)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// Options that were checked.
pub(crate) struct Settled {
    pub(crate) uri: AMQPUri,
    pub(crate) target: Arc<str>,
    pub(crate) tls: OwnedTLSConfig,
    pub(crate) options: Options,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_everything() {
        let url = "amqps://app:s%3Acret@mq.example/%2Fshop?heartbeat=3s&body_bytes_max=10&name=desk&\
                   calls_max=7";
        let Settled { uri, target, options, .. } = Options::new(url).settled().unwrap();
        assert_eq!((uri.authority.host.as_str(), uri.authority.port), ("mq.example", 5671));
        assert_eq!((uri.vhost.as_str(), uri.query.heartbeat), ("/shop", Some(3)));
        assert_eq!(uri.authority.userinfo.password, "s:cret");
        assert_eq!(&*target, "mq.example:5671/%2Fshop");
        assert_eq!((options.body_bytes_max, options.calls.calls_max), (10, 7));
        assert_eq!(options.name, "desk");
        assert!(!format!("{options:?}").contains("cret"));
    }

    #[test]
    fn a_file_says_it_too() {
        let text = "url = 'amqp://h'\nheartbeat = '1m'\n[calls]\nrequest_timeout = '1s'";
        let settled = toml::from_str::<Options>(text).unwrap().settled().unwrap();
        assert_eq!((settled.uri.authority.port, settled.uri.vhost.as_str()), (5672, "/"));
        assert_eq!(settled.uri.authority.userinfo.username, "guest");
        assert_eq!(settled.uri.query.heartbeat, Some(60));
    }

    #[test]
    fn certificates_of_the_machine_are_read_by_the_driver() {
        use rustls::pki_types::{CertificateDer, pem::PemObject};
        let bytes: Vec<u8> = (0..=255).cycle().take(1500).collect();
        let text = pem_of(&bytes) + &pem_of(&bytes);
        let read: Vec<_> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
        assert_eq!(read.len(), 2);
        assert!(read.into_iter().all(|certificate| certificate.unwrap()[..] == bytes));
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for (url, expected) in [
            ("http://h", "it can begin with amqp:// or amqps://"),
            ("amqp://h?heartbeats=1s", "there are attempts_max, body_bytes_max"),
            ("amqp://h?heartbeat=100ms", "whole seconds"),
            ("amqps://h?tls_ca=/none.pem", "none.pem"),
            ("amqp://h?tls_ca=/none.pem", "tls files are of no use with amqp://; write amqps://"),
        ] {
            let error = Options::new(url).settled().map(drop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidOptions);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
