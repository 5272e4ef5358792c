//! The handle: what requests are made with.

use crate::base::{self, Base};
use crate::clients::Clients;
use crate::error;
use crate::exchange::{Exchange, Mode};
use crate::hosts::Hosts;
use crate::options::Options;
use crate::request::{Asked, Request};
use crate::response::{Answer, Response, Streamed};
use futures_util::{StreamExt, stream};
use reqwest::header::HeaderValue;
use reqwest::{Method, StatusCode};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use url::Url;
use workyard_adapter_kit::{ErrorKind, Result, Stats};

/// Makes requests. Cheap to clone; clones share connections, cookies and limits.
#[derive(Clone)]
pub struct Http(Arc<Shared>);

struct Shared {
    options: Options,
    base: Option<Base>,
    hosts: Hosts,
    clients: Clients,
}

impl Http {
    /// With the defaults, for requests that name whole URLs.
    ///
    /// # Errors
    /// When the certificates that this machine trusts cannot be read.
    pub fn new() -> Result<Self> {
        Self::with(Options::default())
    }

    /// With a base URL, whose parameters are options:
    /// `https://user:secret@api.example.org/v1?request_timeout=2s&calls_max=20`. Nothing is connected yet.
    ///
    /// # Errors
    /// When the URL cannot be read, or an option cannot work.
    pub fn open(url: &str) -> Result<Self> {
        Self::with(Options::new(url))
    }

    /// With these options. Nothing is connected yet.
    ///
    /// # Errors
    /// When an option cannot work.
    pub fn with(mut options: Options) -> Result<Self> {
        let base = options.read_base()?;
        let hosts = Hosts::new(&options);
        let clients = Clients::new(options.clone())?;
        Ok(Self(Arc::new(Shared { options, base, hosts, clients })))
    }

    /// Asks for a whole URL, or for a path behind the base URL.
    pub fn get(&self, url: impl AsRef<str>) -> Request {
        self.request(Method::GET, url)
    }

    /// Asks for the head alone.
    pub fn head(&self, url: impl AsRef<str>) -> Request {
        self.request(Method::HEAD, url)
    }

    /// Sends something: a [`form`](Request::form), [`json`](Request::json) or any [`body`](Request::body).
    pub fn post(&self, url: impl AsRef<str>) -> Request {
        self.request(Method::POST, url)
    }

    /// Puts something in its place.
    pub fn put(&self, url: impl AsRef<str>) -> Request {
        self.request(Method::PUT, url)
    }

    /// Changes a part of something.
    pub fn patch(&self, url: impl AsRef<str>) -> Request {
        self.request(Method::PATCH, url)
    }

    /// Deletes something.
    pub fn delete(&self, url: impl AsRef<str>) -> Request {
        self.request(Method::DELETE, url)
    }

    /// A request of any method.
    pub fn request(&self, method: Method, url: impl AsRef<str>) -> Request {
        let url = base::resolve(self.0.base.as_ref(), url.as_ref());
        Request::new(self.clone(), method, url)
    }

    /// Makes many requests, `at_once` of them at the same time (1 at least). Results are in the order of
    /// the requests, and each has its own error.
    pub async fn batch(
        &self,
        requests: impl IntoIterator<Item = Request>,
        at_once: usize,
    ) -> Vec<Result<Response>> {
        let sent = requests.into_iter().enumerate().map(async |(place, request)| {
            let result = request.send().await;
            (place, result)
        });
        // Not `buffered`: one slow request at the front would hold up those behind it.
        let mut results: Vec<_> =
            stream::iter(sent).buffer_unordered(at_once.max(1)).collect().await;
        results.sort_unstable_by_key(|(place, _)| *place);
        results.into_iter().map(|(_, result)| result).collect()
    }

    /// Whether the host of the base URL answers, and lets this user in: asked by `HEAD`, within
    /// `connect_timeout`. Without a base URL there is nobody to ask.
    ///
    /// # Errors
    /// When it does not answer; [`ErrorKind::Refused`] for 401, 403 and 407; for 500 and above
    /// [`ErrorKind::Server`] with the status as code.
    pub async fn ready(&self) -> Result<()> {
        let Some(base) = &self.0.base else { return Ok(()) };
        let timeout = self.0.options.calls.connect_timeout;
        let head = self.head(base.url()).redirects_max(0).timeout(timeout);
        let sent = tokio::time::timeout(timeout, head.send()).await;
        let response = sent.unwrap_or_else(|_| {
            let message = format!("no answer within {timeout:?}");
            let guard = self.0.hosts.guard(base.url())?;
            Err(guard.error(ErrorKind::TimedOut, message))
        })?;
        match response.status() {
            status @ (StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::PROXY_AUTHENTICATION_REQUIRED) => {
                let guard = self.0.hosts.guard(base.url())?;
                let refused = guard.error(ErrorKind::Refused, error::from_status(status).message());
                Err(refused.with_code(status.as_u16()))
            }
            status if status.is_server_error() => response.error_for_status().map(drop),
            _ => Ok(()),
        }
    }

    /// What was done so far, and is being done, with all hosts together.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.hosts.stats()
    }

    /// The same for each of the hosts that were asked lately, by `http://host:port`.
    #[must_use]
    pub fn stats_by_host(&self) -> BTreeMap<String, Stats> {
        self.0.hosts.stats_by_host()
    }

    /// The driver's client, for what has no place here. Its requests are neither bounded nor counted.
    ///
    /// # Errors
    /// When it was closed.
    pub fn client(&self) -> Result<reqwest::Client> {
        self.0.clients.usual()
    }

    /// Makes no request any more, waits for those under way and for streams, `request_timeout` at most, and
    /// ends idle connections. Whether all of them ended in time.
    pub async fn close(&self) -> bool {
        let grace: Duration = self.0.options.calls.request_timeout;
        let ended = self.0.hosts.close(grace).await;
        self.0.clients.close();
        ended
    }

    pub(crate) fn user_for(&self, url: &Url) -> Option<&HeaderValue> {
        self.0.base.as_ref().and_then(|base| base.user_for(url))
    }

    pub(crate) async fn collect(&self, asked: Box<Asked>) -> Result<Response> {
        let (answer, url) = self.exchange(asked, Mode::Collect).await?;
        Ok(answer.into_response(url))
    }

    pub(crate) async fn stream(&self, asked: Box<Asked>) -> Result<Streamed> {
        let (answer, url) = self.exchange(asked, Mode::Stream).await?;
        Ok(answer.into_streamed(url, self.0.options.chunk_timeout))
    }

    async fn exchange(&self, asked: Box<Asked>, mode: Mode) -> Result<(Answer, Url)> {
        let Shared { options, hosts, clients, .. } = &*self.0;
        let client = match &asked.proxy {
            Some(proxy) => clients.through(proxy)?,
            None => clients.usual()?,
        };
        Exchange { options, hosts, client, mode, asked }.run().await
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Http").field(&self.0.options).finish()
    }
}
