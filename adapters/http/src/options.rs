//! How requests are made, from a file or from the parameters of a base URL.

use crate::base::Base;
use crate::limits;
use reqwest::dns::Resolve;
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use workyard_adapter_kit::{
    CallOptions, Error, ErrorKind, Observer, Result, RetryBudget, ServiceUrl, Tls, duration,
    redacted,
};

/// How requests are made. Each of them but `retry_budget`, `calls`, `tls` and what is code can stand in the
/// base URL by its name; parts of those three by theirs: `calls_max`, `tls_ca`, `retry_percent_max`.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Options {
    /// What paths of requests are put behind, `https://api.example.org/v1`; a user and a password in it are
    /// shown to its host alone. None: every request names a whole URL.
    pub url: Option<String>,
    /// Longest body of a response that is collected, in bytes, unpacked: 16 MiB.
    pub response_bytes_max: usize,
    /// Longest body of a request that is not streamed, in bytes: 16 MiB.
    pub request_bytes_max: usize,
    /// Most redirects that are followed: 5. With 0, a redirect is the response.
    pub redirects_max: u32,
    /// Whether a redirect may lead from `https` to `http`: no.
    pub https_to_http: bool,
    /// How long a streamed response may pause: 30 s.
    #[serde(with = "duration")]
    pub chunk_timeout: Duration,
    /// What the client calls itself: `workyard-http/VERSION`.
    pub user_agent: String,
    /// Whether cookies are kept and sent back, the newest thousand of them: no.
    pub cookies: bool,
    /// Whether responses may come packed with gzip, and are unpacked: yes.
    pub compression: bool,
    /// Through which proxy: `http://user:password@host:port`, `socks5://` (names are resolved here) or
    /// `socks5h://` (names are resolved there).
    pub proxy: Option<String>,
    /// Whether `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` count where there is no `proxy`: no.
    pub environment_proxies: bool,
    /// Most hosts whose calls are counted and bounded at the same time: 1024.
    pub hosts_max: usize,
    /// How many attempts again a host gets.
    pub retry_budget: RetryBudget,
    /// How calls to one host are made: 128 at the same time, an attempt within 30 s, a call within 60 s,
    /// connections kept idle for 15 s.
    #[serde(deserialize_with = "over_usual")]
    pub calls: CallOptions,
    /// Whom to trust, and who to be.
    pub tls: Tls,
    /// Is told what happens.
    #[serde(skip)]
    pub observer: Option<Arc<dyn Observer>>,
    /// What finds addresses of hosts instead of the system.
    #[serde(skip)]
    pub resolver: Option<Arc<dyn Resolve>>,
}

impl Options {
    /// The defaults, with a base URL.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: Some(url.into()), ..Self::default() }
    }

    /// Takes over what the base URL says, and takes that apart.
    pub(crate) fn read_base(&mut self) -> Result<Option<Base>> {
        let Some(text) = self.url.clone() else {
            self.check()?;
            return Ok(None);
        };
        let mut url = ServiceUrl::parse(&text, &["http", "https"])?;
        self.take_from(&mut url)?;
        self.calls.take_from(&mut url)?;
        self.tls.take_from(&mut url);
        url.clone().finish()?;
        self.check()?;
        Base::new(&url).map(Some)
    }

    fn take_from(&mut self, url: &mut ServiceUrl) -> Result<()> {
        let sizes = [
            ("response_bytes_max", &mut self.response_bytes_max),
            ("request_bytes_max", &mut self.request_bytes_max),
            ("hosts_max", &mut self.hosts_max),
        ];
        for (name, place) in sizes {
            url.take_into(name, "a number", place)?;
        }
        let switches = [
            ("https_to_http", &mut self.https_to_http),
            ("cookies", &mut self.cookies),
            ("compression", &mut self.compression),
            ("environment_proxies", &mut self.environment_proxies),
        ];
        for (name, place) in switches {
            url.take_into(name, "true or false", place)?;
        }
        url.take_into("redirects_max", "a number", &mut self.redirects_max)?;
        url.take_into("retry_percent_max", "a number", &mut self.retry_budget.percent_max)?;
        url.take_into("retry_reserve", "a number", &mut self.retry_budget.reserve)?;
        url.take_duration_into("chunk_timeout", &mut self.chunk_timeout)?;
        url.take_text_into("user_agent", &mut self.user_agent);
        if let Some(proxy) = url.take_text("proxy") {
            self.proxy = Some(proxy);
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        self.calls.check()?;
        let nothing =
            [("hosts_max", self.hosts_max == 0), ("chunk_timeout", self.chunk_timeout.is_zero())];
        match nothing.into_iter().find(|(_, is_zero)| *is_zero) {
            Some((name, _)) => {
                let message = format!("{name} is zero: no request could ever be made");
                Err(Error::new(ErrorKind::InvalidOptions, message))
            }
            None => Ok(()),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            url: None,
            response_bytes_max: limits::RESPONSE_BYTES_MAX,
            request_bytes_max: limits::REQUEST_BYTES_MAX,
            redirects_max: limits::REDIRECTS_MAX,
            https_to_http: false,
            chunk_timeout: Duration::from_secs(30),
            user_agent: concat!("workyard-http/", env!("CARGO_PKG_VERSION")).to_owned(),
            cookies: false,
            compression: true,
            proxy: None,
            environment_proxies: false,
            hosts_max: limits::HOSTS_MAX,
            retry_budget: RetryBudget::default(),
            calls: usual_calls(),
            tls: Tls::default(),
            observer: None,
            resolver: None,
        }
    }
}

/// Passwords are not shown.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("url", &self.url.as_deref().map(shown))
            .field("response_bytes_max", &self.response_bytes_max)
            .field("request_bytes_max", &self.request_bytes_max)
            .field("redirects_max", &self.redirects_max)
            .field("https_to_http", &self.https_to_http)
            .field("chunk_timeout", &self.chunk_timeout)
            .field("user_agent", &self.user_agent)
            .field("cookies", &self.cookies)
            .field("compression", &self.compression)
            .field("proxy", &self.proxy.as_deref().map(redacted))
            .field("environment_proxies", &self.environment_proxies)
            .field("hosts_max", &self.hosts_max)
            .field("retry_budget", &self.retry_budget)
            .field("calls", &self.calls)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// A proxy among the parameters may have a password, too.
fn shown(url: &str) -> String {
    match redacted(url).split_once('?') {
        Some((place, _)) => format!("{place}?..."),
        None => redacted(url),
    }
}

fn usual_calls() -> CallOptions {
    CallOptions {
        request_timeout: Duration::from_secs(30),
        call_timeout: Duration::from_secs(60),
        idle_timeout: Duration::from_secs(15),
        ..CallOptions::with_calls_max(limits::CALLS_MAX)
    }
}

fn over_usual<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CallOptions, D::Error> {
    usual_calls().deserialize_over(deserializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_differs() {
        let text = "url = 'https://h/v1'\nredirects_max = 2\nchunk_timeout = '1s'\n[calls]\n\
                    request_timeout = '2s'\n[retry_budget]\nreserve = 5\n";
        let options: Options = toml::from_str(text).unwrap();
        assert_eq!((options.redirects_max, options.chunk_timeout), (2, Duration::from_secs(1)));
        assert_eq!(
            (options.calls.calls_max, options.calls.idle_timeout),
            (128, usual_calls().idle_timeout)
        );
        assert_eq!(options.calls.request_timeout, Duration::from_secs(2));
        assert_eq!(options.retry_budget, RetryBudget { reserve: 5, ..RetryBudget::default() });
        let error = toml::from_str::<Options>("redirect_max = 2").unwrap_err().to_string();
        assert!(error.contains("unknown field `redirect_max`, expected one of"), "{error}");
    }

    #[test]
    fn a_url_says_it_too() {
        let text = "http://h:81/v1?response_bytes_max=1&request_bytes_max=2&redirects_max=3&https_to_http=true&\
                    chunk_timeout=4s&user_agent=me&cookies=true&compression=false&proxy=socks5://p:1&\
                    environment_proxies=true&hosts_max=5&retry_percent_max=6&retry_reserve=7&calls_max=8&tls_ca=/ca";
        let mut options = Options::new(text);
        options.read_base().unwrap().unwrap();
        assert_eq!((options.response_bytes_max, options.request_bytes_max), (1, 2));
        assert_eq!((options.redirects_max, options.https_to_http), (3, true));
        assert_eq!((options.chunk_timeout, &*options.user_agent), (Duration::from_secs(4), "me"));
        assert_eq!((options.cookies, options.compression), (true, false));
        assert_eq!(
            (options.proxy.as_deref(), options.environment_proxies),
            (Some("socks5://p:1"), true)
        );
        assert_eq!((options.hosts_max, options.calls.calls_max), (5, 8));
        assert_eq!(options.retry_budget, RetryBudget { percent_max: 6, reserve: 7 });
        assert_eq!(options.tls.ca, Some("/ca".into()));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let said = |url: &str| Options::new(url).read_base().unwrap_err().to_string();
        assert!(said("ftp://h").contains("it can begin with http:// or https://"));
        assert!(said("http://h?callsmax=1").contains("\"callsmax\" that does not exist"));
        assert_eq!(said("http://h?cookies=1"), "cookies=1 in the URL: it is true or false");
        assert!(said("http://h?hosts_max=0").starts_with("hosts_max is zero"));
    }

    #[test]
    fn passwords_are_not_shown() {
        let mut options = Options::new("http://me:secret@h/v1?proxy=http://me:secret@p");
        options.read_base().unwrap();
        let shown = format!("{options:?}");
        assert!(!shown.contains("secret") && shown.contains("http://me:...@h/v1?..."), "{shown}");
    }
}
