//! A request that is being made up.

use crate::base::{basic, take_user};
use crate::body::Body;
use crate::error::BodyFailed;
use crate::http::Http;
use crate::response::{Response, Streamed};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Version};
use serde::Serialize;
use std::error::Error as StdError;
use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;
use url::Url;
use workyard_adapter_kit::{Error, ErrorKind, Result};

/// Is told how many bytes of a body have come, and how many there will be, where that is known.
pub(crate) type Progress = Arc<dyn Fn(u64, Option<u64>) + Send + Sync>;

/// A request that is being made up, and sent with [`send`](Request::send) or [`stream`](Request::stream).
///
/// What is wrong with a part of it is said when it is sent.
#[must_use = "a request is made by `send` or `stream`"]
pub struct Request {
    http: Http,
    /// Boxed, because it is passed on often.
    asked: Result<Box<Asked>>,
}

/// What is asked for.
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) version: Option<Version>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) response_bytes_max: Option<usize>,
    pub(crate) redirects_max: Option<u32>,
    pub(crate) idempotent: bool,
    pub(crate) proxy: Option<String>,
    pub(crate) progress: Option<Progress>,
}

impl Request {
    pub(crate) fn new(http: Http, method: Method, url: Result<Url>) -> Self {
        let asked = url.and_then(|url| Asked::new(&http, method, url).map(Box::new));
        Self { http, asked }
    }

    /// With a header, in place of those of that name. Redirects take it along to other hosts, unless it is
    /// `Authorization`, `Cookie`, `Proxy-Authorization` or `WWW-Authenticate`: give a key of an interface by
    /// [`headers`](Self::headers), marked.
    pub fn header(self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        self.with(|asked| {
            let name = name.as_ref();
            let name: HeaderName = name.parse().map_err(|error| invalid("header name", &error))?;
            let value = HeaderValue::from_bytes(value.as_ref());
            let value = value.map_err(|error| invalid(&format!("value of {name}"), &error))?;
            asked.headers.insert(name, value);
            Ok(())
        })
    }

    /// With these headers, in place of those of their names. Values that are
    /// [marked](HeaderValue::set_sensitive) as sensitive are not taken to other hosts by redirects.
    pub fn headers(self, headers: HeaderMap) -> Self {
        self.with(|asked| {
            for name in headers.keys() {
                asked.headers.remove(name);
            }
            asked.headers.extend(headers);
            Ok(())
        })
    }

    /// With further parameters in the URL.
    pub fn query<K: AsRef<str>, V: AsRef<str>>(
        self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.with(|asked| {
            asked.url.query_pairs_mut().extend_pairs(pairs);
            Ok(())
        })
    }

    /// As this user.
    pub fn basic(self, user: &str, password: &str) -> Self {
        self.with(|asked| {
            asked.headers.insert(AUTHORIZATION, basic(user, password));
            Ok(())
        })
    }

    /// With a token that says who asks.
    pub fn bearer(self, token: &str) -> Self {
        self.with(|asked| {
            let value = HeaderValue::from_str(&format!("Bearer {token}"));
            let mut value = value.map_err(|error| invalid("token", &error))?;
            value.set_sensitive(true);
            asked.headers.insert(AUTHORIZATION, value);
            Ok(())
        })
    }

    /// With a body.
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        self.with(|asked| {
            asked.body = Body::Whole(body.into());
            Ok(())
        })
    }

    /// With fields of a form as the body.
    pub fn form<K: AsRef<str>, V: AsRef<str>>(
        self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.with(|asked| {
            let mut text = form_urlencoded::Serializer::new(String::new());
            asked.body = Body::Whole(text.extend_pairs(pairs).finish().into());
            asked.describe_body("application/x-www-form-urlencoded");
            Ok(())
        })
    }

    /// With JSON as the body.
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Self {
        self.with(|asked| {
            let text = serde_json::to_vec(value).map_err(|error| invalid("JSON", &error))?;
            asked.body = Body::Whole(text.into());
            asked.describe_body("application/json");
            Ok(())
        })
    }

    /// With a body that is sent as it comes. Such a request is made once: it is not tried again, and not
    /// sent elsewhere by a redirect that keeps the body.
    pub fn stream_body<S, B, E>(self, body: S) -> Self
    where
        S: Stream<Item = Result<B, E>> + Send + 'static,
        B: Into<Bytes> + 'static,
        E: Into<Box<dyn StdError + Send + Sync>> + 'static,
    {
        self.with(|asked| {
            let body = body.map_ok(Into::<Bytes>::into).map_err(|error| BodyFailed(error.into()));
            asked.body = Body::streamed(reqwest::Body::wrap_stream(body));
            Ok(())
        })
    }

    /// In this version of HTTP: 1.0, 1.1 or 2, which needs TLS. By default the newest that the server
    /// offers.
    pub fn version(self, version: Version) -> Self {
        self.with(|asked| {
            asked.version = Some(version);
            Ok(())
        })
    }

    /// With as much time for each attempt as this, instead of `request_timeout`; for the call as a whole
    /// there is as much more or less. Of a streamed response, it is the time until its head.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|asked| {
            asked.timeout = Some(timeout);
            Ok(())
        })
    }

    /// With another limit on the body of the response, unpacked. A streamed one has none otherwise.
    pub fn response_bytes_max(self, bytes: usize) -> Self {
        self.with(|asked| {
            asked.response_bytes_max = Some(bytes);
            Ok(())
        })
    }

    /// With another limit on redirects; 0 makes a redirect the response.
    pub fn redirects_max(self, count: u32) -> Self {
        self.with(|asked| {
            asked.redirects_max = Some(count);
            Ok(())
        })
    }

    /// It may be made again when it is not known whether it was carried out, although its method does not
    /// say so. A request with an `Idempotency-Key` may anyhow.
    pub fn idempotent(self) -> Self {
        self.with(|asked| {
            asked.idempotent = true;
            Ok(())
        })
    }

    /// Through this proxy: `http://HOST:PORT`, `socks5://HOST:PORT`.
    pub fn proxy(self, proxy: impl Into<String>) -> Self {
        self.with(|asked| {
            asked.proxy = Some(proxy.into());
            Ok(())
        })
    }

    /// Tells how many bytes of the response have come, unpacked, and how many there will be, where that is
    /// known: with each piece, and from the start again with each attempt.
    pub fn progress(self, progress: impl Fn(u64, Option<u64>) + Send + Sync + 'static) -> Self {
        self.with(|asked| {
            asked.progress = Some(Arc::new(progress));
            Ok(())
        })
    }

    /// Makes the request, and collects the response. Any status is a response:
    /// [`Response::error_for_status`] makes errors of 400 and above.
    ///
    /// # Errors
    /// When there is no response, or one above a limit.
    pub async fn send(self) -> Result<Response> {
        self.http.collect(self.asked?).await
    }

    /// Makes the request; the body of the response comes as a stream. The place among the calls to that
    /// host is taken until the stream ends or is dropped.
    ///
    /// # Errors
    /// When there is no response.
    pub async fn stream(self) -> Result<Streamed> {
        self.http.stream(self.asked?).await
    }

    fn with(mut self, change: impl FnOnce(&mut Asked) -> Result<()>) -> Self {
        if let Ok(asked) = &mut self.asked
            && let Err(error) = change(asked)
        {
            self.asked = Err(error);
        }
        self
    }
}

impl Asked {
    fn new(http: &Http, method: Method, mut url: Url) -> Result<Self> {
        let mut headers = HeaderMap::new();
        let user = take_user(&mut url)?;
        if let Some(user) = user.as_ref().or_else(|| http.user_for(&url)) {
            headers.insert(AUTHORIZATION, user.clone());
        }
        Ok(Self {
            method,
            url,
            headers,
            body: Body::Whole(Bytes::new()),
            version: None,
            timeout: None,
            response_bytes_max: None,
            redirects_max: None,
            idempotent: false,
            proxy: None,
            progress: None,
        })
    }

    fn describe_body(&mut self, content_type: &'static str) {
        let entry = self.headers.entry(CONTENT_TYPE);
        entry.or_insert(HeaderValue::from_static(content_type));
    }
}

/// Secrets in headers and parameters are not shown.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.asked {
            Ok(asked) => {
                let mut url = asked.url.clone();
                url.set_query(None);
                f.debug_struct("Request")
                    .field("method", &asked.method)
                    .field("url", &url.as_str())
                    .finish_non_exhaustive()
            }
            Err(error) => f.debug_tuple("Request").field(error).finish(),
        }
    }
}

fn invalid(what: &str, why: &dyn Display) -> Error {
    Error::new(ErrorKind::InvalidRequest, format!("the {what} cannot be sent: {why}"))
}
