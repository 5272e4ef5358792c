//! Whom to ask and how, from a URL or a file.

use crate::cache::Bounds;
use crate::limits;
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use workyard_adapter_kit::{CallOptions, Error, ErrorKind, Observer, Result, ServiceUrl, duration};

/// Whom to ask and how. Each of them can stand in the URL by its name, lists with commas, and what is in
/// `calls` by its own: `dns://192.0.2.1?servers=192.0.2.2,192.0.2.3:5353&request_timeout=1s`.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Options {
    /// A name server, `dns://192.0.2.1:53`. With neither this nor `servers`, those of `/etc/resolv.conf`,
    /// and what that says of `search`.
    pub url: Option<String>,
    /// Further name servers, `192.0.2.2`, `192.0.2.2:5353` or `[2001:db8::1]:53`; 16 in all.
    pub servers: Vec<String>,
    /// Domains in which names are looked for that are not whole, `shop` for `shop.example.org`.
    pub search: Vec<String>,
    /// How many servers are asked at the same time, those first that were quickest: 2.
    pub servers_at_once: usize,
    /// Whether servers are asked by TCP alone: no. Otherwise by UDP, and by TCP what was cut off.
    pub tcp: bool,
    /// Most answers that are kept: 256. With 0 none is.
    pub cache_entries_max: usize,
    /// How long an answer is kept at least: as long as it says.
    #[serde(with = "duration")]
    pub ttl_min: Duration,
    /// How long an answer is kept at most: 1 day.
    #[serde(with = "duration")]
    pub ttl_max: Duration,
    /// How long it is remembered at most that there is nothing: 5 min.
    #[serde(with = "duration")]
    pub negative_ttl_max: Duration,
    /// Whether the hosts file is asked first: yes.
    pub hosts: bool,
    /// Which file that is, read once: `/etc/hosts`.
    pub hosts_file: Option<PathBuf>,
    /// How questions are asked: 256 at the same time, 3 attempts of 5 s, 16 s in all.
    #[serde(deserialize_with = "over_usual")]
    pub calls: CallOptions,
    /// Is told what happens.
    #[serde(skip)]
    pub observer: Option<Arc<dyn Observer>>,
}

impl Options {
    /// The defaults, with a name server.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: Some(url.into()), ..Self::default() }
    }

    /// Takes over what the URL says, and puts its server before the others.
    pub(crate) fn read_url(&mut self) -> Result<()> {
        if let Some(text) = self.url.clone() {
            let mut url = ServiceUrl::parse(&text, &["dns"])?;
            self.take_from(&mut url)?;
            self.calls.take_from(&mut url)?;
            let first = url.target(53);
            if url.path()?.is_some() || url.username()?.is_some() || url.password()?.is_some() {
                return Err(invalid("the URL has more than a server; write dns://ADDRESS:PORT"));
            }
            url.finish()?;
            self.servers.insert(0, first.trim_end_matches('/').to_owned());
        }
        self.check()
    }

    pub(crate) fn bounds(&self) -> Bounds {
        let Self { ttl_min, ttl_max, negative_ttl_max, .. } = *self;
        Bounds { ttl_min, ttl_max, negative_ttl_max }
    }

    fn take_from(&mut self, url: &mut ServiceUrl) -> Result<()> {
        for (name, place) in [("servers", &mut self.servers), ("search", &mut self.search)] {
            if let Some(text) = url.take_text(name) {
                *place = text.split(',').map(str::to_owned).collect();
            }
        }
        url.take_duration_into("ttl_min", &mut self.ttl_min)?;
        url.take_duration_into("ttl_max", &mut self.ttl_max)?;
        url.take_duration_into("negative_ttl_max", &mut self.negative_ttl_max)?;
        url.take_into("servers_at_once", "a number", &mut self.servers_at_once)?;
        url.take_into("cache_entries_max", "a number", &mut self.cache_entries_max)?;
        url.take_into("tcp", "true or false", &mut self.tcp)?;
        url.take_into("hosts", "true or false", &mut self.hosts)?;
        if let Some(path) = url.take_text("hosts_file") {
            self.hosts_file = Some(path.into());
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        self.calls.check()?;
        if self.servers.len() > limits::SERVERS_MAX {
            let message = format!("there are more than {} servers", limits::SERVERS_MAX);
            return Err(invalid(&message));
        }
        if self.ttl_min > self.ttl_max {
            return Err(invalid("ttl_min is above ttl_max"));
        }
        Ok(())
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            url: None,
            servers: Vec::new(),
            search: Vec::new(),
            servers_at_once: 2,
            tcp: false,
            cache_entries_max: limits::CACHE_ENTRIES_MAX,
            ttl_min: Duration::ZERO,
            ttl_max: Duration::from_secs(24 * 60 * 60),
            negative_ttl_max: Duration::from_secs(5 * 60),
            hosts: true,
            hosts_file: None,
            calls: usual_calls(),
            observer: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("servers", &self.servers)
            .field("search", &self.search)
            .field("servers_at_once", &self.servers_at_once)
            .field("tcp", &self.tcp)
            .field("cache_entries_max", &self.cache_entries_max)
            .field("ttl_min", &self.ttl_min)
            .field("ttl_max", &self.ttl_max)
            .field("negative_ttl_max", &self.negative_ttl_max)
            .field("hosts", &self.hosts)
            .field("hosts_file", &self.hosts_file)
            .field("calls", &self.calls)
            .finish_non_exhaustive()
    }
}

/// The time of a call is that of all attempts and the waits between them.
fn usual_calls() -> CallOptions {
    let call_timeout = Duration::from_secs(16);
    CallOptions { call_timeout, ..CallOptions::with_calls_max(limits::CALLS_MAX) }
}

fn over_usual<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CallOptions, D::Error> {
    usual_calls().deserialize_over(deserializer)
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::InvalidOptions, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_differs() {
        let text = "url = 'dns://192.0.2.1'\nservers = ['192.0.2.2']\nttl_max = '1h'\n[calls]\n\
                    request_timeout = '2s'\n";
        let mut options: Options = toml::from_str(text).unwrap();
        options.read_url().unwrap();
        assert_eq!(options.servers, ["192.0.2.1:53", "192.0.2.2"]);
        assert_eq!(options.ttl_max, Duration::from_secs(3600));
        assert_eq!((options.cache_entries_max, options.calls.calls_max), (256, 256));
        assert_eq!(options.calls.request_timeout, Duration::from_secs(2));
        let error = toml::from_str::<Options>("server = '192.0.2.1'").unwrap_err().to_string();
        assert!(error.contains("unknown field `server`, expected one of"), "{error}");
    }

    #[test]
    fn a_url_says_it_too() {
        let mut options = Options::new(
            "dns://[2001:db8::1]:5353?servers=192.0.2.2,192.0.2.3:54&search=a.test,b.test&\
             servers_at_once=1&tcp=true&cache_entries_max=7&ttl_min=1s&ttl_max=2s&negative_ttl_max=3s&\
             hosts=false&hosts_file=/h&calls_max=9",
        );
        options.read_url().unwrap();
        assert_eq!(options.servers, ["[2001:db8::1]:5353", "192.0.2.2", "192.0.2.3:54"]);
        assert_eq!(options.search, ["a.test", "b.test"]);
        assert_eq!((options.servers_at_once, options.tcp), (1, true));
        assert_eq!((options.cache_entries_max, options.calls.calls_max), (7, 9));
        let second = Duration::from_secs(1);
        let bounds = Bounds { ttl_min: second, ttl_max: second * 2, negative_ttl_max: second * 3 };
        assert_eq!(options.bounds(), bounds);
        assert_eq!((options.hosts, options.hosts_file), (false, Some("/h".into())));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let said = |url: &str| Options::new(url).read_url().unwrap_err().to_string();
        assert!(said("http://h").contains("it can begin with dns://"));
        assert!(said("dns://h?cache=1").contains("\"cache\" that does not exist"));
        assert_eq!(said("dns://h?tcp=1"), "tcp=1 in the URL: it is true or false");
        assert_eq!(said("dns://h?ttl_min=2s&ttl_max=1s"), "ttl_min is above ttl_max");
        let more = "the URL has more than a server; write dns://ADDRESS:PORT";
        assert_eq!((said("dns://h/x"), said("dns://u@h")), (more.to_owned(), more.to_owned()));
        let many = vec!["192.0.2.1"; 16].join(",");
        assert_eq!(said(&format!("dns://h?servers={many}")), "there are more than 16 servers");
    }
}
