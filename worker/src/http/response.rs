//! What a client is answered.

use super::Content;
use crate::protocol::ProtocolError;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{
    CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, TRANSFER_ENCODING,
};
use serde::Serialize;
use std::borrow::Cow;

const HTML: HeaderValue = HeaderValue::from_static("text/html;charset=utf-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain;charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// One response. Text becomes one by itself, as HTML; so do bytes and a [`StatusCode`].
///
/// `Date` and what says how long the body is are added when it is sent; `HEAD` is answered without the body.
///
/// ```
/// use workyard_worker::http::{Response, StatusCode};
///
/// let hello = Response::from("<h1>hello</h1>");
/// let made = Response::new().status(StatusCode::CREATED).header("X-Id", "7").body("made");
/// let gone = Response::from((StatusCode::GONE, "no more"));
/// let moved = Response::redirect("/elsewhere");
/// # let _ = (hello, made, gone, moved);
/// ```
#[derive(Debug)]
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    content: Content,
    /// What is wrong with it: it is refused when it is to be sent.
    fault: Option<ProtocolError>,
}

impl Response {
    /// 200, without a body.
    #[must_use]
    pub fn new() -> Self {
        Self::with(Content::Bytes(Bytes::new()))
    }

    pub(crate) fn with(content: Content) -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), content, fault: None }
    }

    fn of(content_type: HeaderValue, body: Bytes) -> Self {
        Self::with(Content::Bytes(body)).set(CONTENT_TYPE, content_type)
    }

    /// 302 to a path or an address; [`Response::status`] makes it another redirection.
    #[must_use]
    pub fn redirect(location: impl AsRef<[u8]>) -> Self {
        Self::new().status(StatusCode::FOUND).header(LOCATION, location)
    }

    /// A value as JSON.
    ///
    /// # Errors
    /// The value cannot be JSON: it has a map with keys that are no text, or its own code fails.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Self> {
        Ok(Self::of(JSON, serde_json::to_vec(value)?.into()))
    }

    /// Changes the status. One of 1xx is refused when it is to be sent.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Sets a header, in place of those of the same name. One that is not possible (a line break in it, say) makes
    /// the whole response impossible: it is refused when it is to be sent, and 500 is sent instead.
    #[must_use]
    pub fn header(self, name: impl TryInto<HeaderName>, value: impl AsRef<[u8]>) -> Self {
        self.try_header(name, value.as_ref(), false)
    }

    /// Adds a header, beside those of the same name. For the rest as [`Response::header`].
    #[must_use]
    pub fn add_header(self, name: impl TryInto<HeaderName>, value: impl AsRef<[u8]>) -> Self {
        self.try_header(name, value.as_ref(), true)
    }

    fn try_header(mut self, name: impl TryInto<HeaderName>, value: &[u8], is_more: bool) -> Self {
        let value = HeaderValue::from_bytes(value);
        match (name.try_into(), value) {
            (Ok(name), Ok(value)) if is_more => {
                self.headers.append(name, value);
            }
            (Ok(name), Ok(value)) => {
                self.headers.insert(name, value);
            }
            _ => self.fault("a header has a name or a value that cannot be one"),
        }
        self
    }

    pub(super) fn set(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(super) fn fault(&mut self, text: impl Into<Cow<'static, str>>) {
        self.fault.get_or_insert_with(|| ProtocolError::new(text));
    }

    /// Sets the body, and leaves its type as it is.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.content = Content::Bytes(body.into());
        self
    }

    /// What is wrong with it, if anything is.
    pub(crate) fn check(&self) -> Result<(), ProtocolError> {
        if self.status.is_informational() {
            return Err(ProtocolError::new("1xx is not the status of a response"));
        }
        self.fault.clone().map_or(Ok(()), Err)
    }

    pub(crate) fn content_bytes(&self) -> usize {
        self.content.len()
    }

    /// Its parts. How long the body is, is not for the user to say, but for the answer to `HEAD`.
    pub(crate) fn into_parts(mut self, is_head: bool) -> (StatusCode, HeaderMap, Content) {
        if !is_head || !self.content.is_empty() {
            self.headers.remove(CONTENT_LENGTH);
        }
        self.headers.remove(TRANSFER_ENCODING);
        (self.status, self.headers, self.content)
    }
}

impl Default for Response {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Bytes> for Response {
    fn from(body: Bytes) -> Self {
        Self::of(HTML, body)
    }
}

impl From<Vec<u8>> for Response {
    fn from(body: Vec<u8>) -> Self {
        Bytes::from(body).into()
    }
}

impl From<String> for Response {
    fn from(body: String) -> Self {
        Bytes::from(body).into()
    }
}

impl From<&str> for Response {
    fn from(body: &str) -> Self {
        Bytes::copy_from_slice(body.as_bytes()).into()
    }
}

impl From<&String> for Response {
    fn from(body: &String) -> Self {
        body.as_str().into()
    }
}

impl From<StatusCode> for Response {
    /// The status, and its name as the body where there may be one.
    fn from(status: StatusCode) -> Self {
        let has_body = status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED;
        match has_body {
            true => Self::of(TEXT, status.to_string().into()).status(status),
            false => Self::new().status(status),
        }
    }
}

impl<T: Into<Self>> From<(StatusCode, T)> for Response {
    fn from((status, response): (StatusCode, T)) -> Self {
        response.into().status(status)
    }
}
