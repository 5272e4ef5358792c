//! What a request is answered with.

use crate::body_stream::BodyStream;
use crate::error;
use crate::request::Progress;
use bytes::{Bytes, BytesMut};
use reqwest::header::HeaderMap;
use reqwest::{StatusCode, Version};
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use url::Url;
use workyard_adapter_kit::{Error, ErrorKind, Kept, Result};

/// A response whose body is there.
#[derive(Clone)]
pub struct Response {
    head: Head,
    body: Bytes,
}

/// A response whose body comes.
#[derive(Debug)]
pub struct Streamed {
    head: Head,
    body: BodyStream,
}

#[derive(Clone)]
struct Head {
    status: StatusCode,
    version: Version,
    headers: HeaderMap,
    url: Url,
    asked: Asked,
}

/// Who was asked for what: what errors say.
#[derive(Clone)]
pub(crate) struct Asked {
    target: Arc<str>,
    operation: &'static str,
    /// Whether somebody who redirected it may have carried it out.
    is_open: bool,
}

/// What both kinds of responses have.
macro_rules! head {
    () => {
        /// The status: any that servers send.
        #[must_use]
        pub fn status(&self) -> StatusCode {
            self.head.status
        }

        /// The version of HTTP.
        #[must_use]
        pub fn version(&self) -> Version {
            self.head.version
        }

        /// All headers.
        #[must_use]
        pub fn headers(&self) -> &HeaderMap {
            &self.head.headers
        }

        /// A header, the first one of that name; none when it is no text.
        #[must_use]
        pub fn header(&self, name: &str) -> Option<&str> {
            self.head.headers.get(name)?.to_str().ok()
        }

        /// Where it comes from: after redirects, the last URL.
        #[must_use]
        pub fn url(&self) -> &Url {
            &self.head.url
        }

        /// The response, or an error when its status is 400 or above: of kind
        /// [`Server`](ErrorKind::Server), with the status as its code.
        ///
        /// # Errors
        /// When the status says so.
        pub fn error_for_status(self) -> Result<Self> {
            self.head.check().map(|()| self)
        }
    };
}

impl Response {
    head!();

    /// The body.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// The body, without the rest.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.body
    }

    /// The body as a text.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn text(&self) -> Result<&str> {
        let text = std::str::from_utf8(&self.body);
        text.map_err(|error| self.head.asked.wrong("the body is not UTF-8").with_source(error))
    }

    /// The body, read as JSON.
    ///
    /// # Errors
    /// When it is not that.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let message = format!("the body is not the JSON that is wanted: {error}");
            self.head.asked.wrong(&message).with_source(error)
        })
    }
}

impl Streamed {
    head!();

    /// The body.
    #[must_use]
    pub fn into_body(self) -> BodyStream {
        self.body
    }

    /// The next piece of the body; none at its end.
    ///
    /// # Errors
    /// When the connection is lost, nothing comes for too long, or there is more than a limit.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.body.chunk().await
    }
}

impl Head {
    fn check(&self) -> Result<()> {
        if self.status.as_u16() < 400 {
            return Ok(());
        }
        let error = error::from_status(self.status).transient(error::passes(self.status));
        Err(self.asked.place(error))
    }
}

impl Asked {
    pub(crate) fn place(&self, error: Error) -> Error {
        let error = error.at("http", &self.target).during(self.operation);
        if self.is_open { error.outcome_open() } else { error }
    }

    /// The answer has come, and is not what it should be: the request was carried out.
    fn wrong(&self, message: &str) -> Error {
        self.place(Error::new(ErrorKind::Protocol, message).not_carried_out().transient(false))
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("status", &self.status)
            .field("target", &self.asked.target)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("head", &self.head)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A response on its way to the caller.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    version: Version,
    asked: Asked,
    content: Content,
    limit: Option<usize>,
    progress: Option<Progress>,
}

enum Content {
    Whole(Bytes),
    Coming(reqwest::Response, Option<Kept>),
}

impl Answer {
    pub(crate) fn new(
        mut response: reqwest::Response,
        target: &Arc<str>,
        operation: &'static str,
        limit: Option<usize>,
        progress: Option<Progress>,
    ) -> Self {
        Self {
            status: response.status(),
            version: response.version(),
            headers: std::mem::take(response.headers_mut()),
            asked: Asked { target: Arc::clone(target), operation, is_open: false },
            content: Content::Coming(response, None),
            limit,
            progress,
        }
    }

    /// With its body read to the end.
    pub(crate) async fn collected(mut self, limit: usize) -> Result<Self> {
        if let Content::Coming(response, _) = &mut self.content {
            let body = collect(response, limit, self.progress.as_ref()).await?;
            self.content = Content::Whole(body);
        }
        Ok(self)
    }

    /// With the place that it takes.
    pub(crate) fn keeping(mut self, place: Kept) -> Self {
        if let Content::Coming(_, kept) = &mut self.content {
            *kept = Some(place);
        }
        self
    }

    /// The last one after redirects, of which one may have carried the request out.
    pub(crate) fn outcome_open(mut self) -> Self {
        self.asked.is_open = true;
        self
    }

    /// An error: it is a redirect that is not followed.
    pub(crate) fn refuse(&self, why: impl fmt::Display) -> Error {
        let error = Error::new(ErrorKind::Server, why).with_code(self.status.as_u16());
        self.asked.place(error)
    }

    pub(crate) fn into_response(self, url: Url) -> Response {
        let body = match self.content {
            Content::Whole(body) => body,
            Content::Coming(..) => unreachable!("it was collected"),
        };
        let Self { status, headers, version, asked, .. } = self;
        Response { head: Head { status, version, headers, url, asked }, body }
    }

    pub(crate) fn into_streamed(self, url: Url, chunk_timeout: Duration) -> Streamed {
        let Self { status, headers, version, asked, limit, progress, content } = self;
        let body = match content {
            Content::Whole(body) => BodyStream::of(body, asked.clone()),
            Content::Coming(response, kept) => {
                BodyStream::new(response, kept, asked.clone(), chunk_timeout, limit, progress)
            }
        };
        Streamed { head: Head { status, version, headers, url, asked }, body }
    }
}

/// Most bodies come in one piece, which is not copied.
async fn collect(
    response: &mut reqwest::Response,
    limit: usize,
    progress: Option<&Progress>,
) -> Result<Bytes> {
    let total = response.content_length();
    if total.is_some_and(|total| total > limit as u64) {
        return Err(too_large(limit));
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(piece) = response.chunk().await.map_err(error::from_driver)? {
        let bytes = first.len() + rest.len() + piece.len();
        if bytes > limit {
            return Err(too_large(limit));
        }
        if let Some(progress) = progress {
            progress(bytes as u64, total);
        }
        match first.is_empty() {
            true => first = piece,
            false => rest.extend_from_slice(&piece),
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

/// The server has answered; nobody reads on.
pub(crate) fn too_large(limit: usize) -> Error {
    let message =
        format!("the response has more than {limit} bytes; stream it, or raise response_bytes_max");
    Error::new(ErrorKind::TooLarge, message)
}
