//! What a client asks.

use crate::wire::is_keep_alive;
use bytes::Bytes;
use hyper::header::{COOKIE, HOST, HeaderMap};
use hyper::{Method, Version};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use thiserror::Error;

/// One request, whole.
#[derive(Debug)]
pub struct Request {
    head: hyper::Request<()>,
    body: Bytes,
}

/// Why a body is not what it was taken for.
#[derive(Debug, Error)]
pub enum BodyError {
    /// It is no text in UTF-8.
    #[error("the body is not UTF-8")]
    Text(#[from] std::str::Utf8Error),
    /// It is no JSON, or not of this shape.
    #[error("the body is not the JSON that is wanted: {0}")]
    Json(#[from] serde_json::Error),
    /// Its type is not one that forms have.
    #[error("the body is no form, its type is {0:?}")]
    NoForm(String),
    /// It is not the multipart form that it says it is.
    #[error("the body is no form: {0}")]
    Multipart(#[from] multer::Error),
    /// A form with more fields and uploads than this.
    #[error("a form of more than {0} fields and uploads")]
    TooManyParts(usize),
}

impl Request {
    pub(crate) fn new(head: hyper::Request<()>, body: Bytes) -> Self {
        Self { head, body }
    }

    /// `GET`, `POST` and so on; any name is possible.
    #[must_use]
    pub fn method(&self) -> &Method {
        self.head.method()
    }

    /// The path as it was sent: it begins with `/`, or is `*` with `OPTIONS`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.head.uri().path()
    }

    /// The path with its `%XX` decoded; what is not UTF-8 then has become U+FFFD. This is no safe name of a file:
    /// see [`static_files`](super::static_files()).
    #[must_use]
    pub fn path_decoded(&self) -> Cow<'_, str> {
        percent_decode_str(self.path()).decode_utf8_lossy()
    }

    /// What comes after `?`, as it was sent; empty if nothing does.
    #[must_use]
    pub fn query_string(&self) -> &str {
        self.head.uri().query().unwrap_or_default()
    }

    /// Names and values after `?`, decoded, in their order.
    pub fn query_pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        form_urlencoded::parse(self.query_string().as_bytes())
    }

    /// The first value of this name after `?`.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        self.query_pairs().find(|(one, _)| one == name).map(|(_, value)| value)
    }

    /// All headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.head.headers()
    }

    /// The first header of this name, in whatever case, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.headers().get(name)?.as_bytes()).ok()
    }

    /// All headers of this name that are text, in order.
    pub fn header_values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers().get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// The host that was asked, with its port if it was named; HTTP/1.0 need not say it.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        let authority = self.head.uri().authority().map(|authority| authority.as_str());
        authority.or_else(|| self.header(HOST.as_str()))
    }

    /// Names and values of the cookies, in their order.
    pub fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.headers().get_all(COOKIE).iter();
        let lines = lines.filter_map(|line| std::str::from_utf8(line.as_bytes()).ok());
        lines.flat_map(|line| line.split(';')).filter_map(|cookie| {
            let (name, value) = cookie.split_once('=')?;
            let (name, value) = (name.trim(), value.trim());
            let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            Some((name, quoted.unwrap_or(value)))
        })
    }

    /// The first cookie of this name.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies().find(|(one, _)| *one == name).map(|(_, value)| value)
    }

    /// The body; empty if there is none.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body as text.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub fn text(&self) -> Result<&str, BodyError> {
        Ok(std::str::from_utf8(&self.body)?)
    }

    /// The body as JSON, whatever type it says it has.
    ///
    /// # Errors
    /// It is no JSON, or not of this shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, BodyError> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// HTTP/1.1 or HTTP/1.0.
    #[must_use]
    pub fn version(&self) -> Version {
        self.head.version()
    }

    /// Whether the client wants to ask more on this connection. The connection obeys by itself.
    #[must_use]
    pub fn is_keep_alive(&self) -> bool {
        is_keep_alive(self.version(), self.headers())
    }
}
