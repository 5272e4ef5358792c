//! The request that opens a WebSocket, as `on_websocket_connect` sees and answers it.

use super::request::Request;
use super::response::{Refusal, accepted};
use crate::ProtocolError;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// What a peer asks for when it opens a WebSocket, and what it is answered. Clones are the same.
///
/// It is accepted, unless it is refused ([`Handshake::refuse`]) or the callback fails, which refuses it with the
/// status 403.
#[derive(Clone)]
pub struct Handshake(Rc<Inner>);

struct Inner {
    request: Request,
    answer: RefCell<Answer>,
}

#[derive(Default)]
struct Answer {
    headers: Vec<(String, String)>,
    protocol: Option<String>,
    refusal: Option<(u16, String)>,
}

impl Handshake {
    pub(crate) fn new(request: Request) -> Self {
        Self(Rc::new(Inner { request, answer: RefCell::default() }))
    }

    /// The path as it was sent: `/chat`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.request.path
    }

    /// What stands behind the `?`, as it was sent; empty if nothing does.
    #[must_use]
    pub fn query_string(&self) -> &str {
        &self.0.request.query
    }

    /// The first parameter of this name in the query, decoded.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.query_string().as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The first header of this name, in whichever case it is written.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.request.headers(name).next()
    }

    /// All headers of this name, in order.
    pub fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.request.headers(name)
    }

    /// The cookie of this name.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let pairs = self.0.request.headers("cookie").flat_map(|header| header.split(';'));
        let mut cookies = pairs.filter_map(|pair| pair.trim().split_once('='));
        cookies.find(|(key, _)| *key == name).map(|(_, value)| value.trim_matches('"'))
    }

    /// Which site's page wants to connect; browsers always say.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.header("origin")
    }

    /// The sub-protocols that the peer offers, the preferred first.
    pub fn protocols(&self) -> impl Iterator<Item = &str> {
        self.0.request.list("sec-websocket-protocol")
    }

    /// Chooses the first of these sub-protocols that the peer offers. If it offers none of them, it is told of none,
    /// and most peers then give up.
    pub fn choose_protocol(&self, ours: &[&str]) -> Option<String> {
        let chosen = ours.iter().find(|ours| self.protocols().any(|theirs| theirs == **ours));
        let chosen = chosen.map(|chosen| (*chosen).to_owned());
        self.0.answer.borrow_mut().protocol.clone_from(&chosen);
        chosen
    }

    /// Adds a header to the answer, whatever that will be.
    ///
    /// # Errors
    /// The name or value has characters that it must not have, or the header is one that the handshake itself is
    /// made of.
    pub fn add_header(&self, name: &str, value: &str) -> Result<(), ProtocolError> {
        check_header(name, value)?;
        self.0.answer.borrow_mut().headers.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    /// Answers that it will not be: with an HTTP status and a text.
    ///
    /// # Panics
    /// If the status is not one of 300 to 599.
    pub fn refuse(&self, status: u16, text: impl Into<String>) {
        assert!((300..600).contains(&status), "{status} is no status that refuses something");
        self.0.answer.borrow_mut().refusal = Some((status, text.into()));
    }

    /// What is answered, and whether that opens it.
    pub(crate) fn answer(&self, accepted_by_callback: bool) -> (String, bool) {
        let mut answer = self.0.answer.borrow_mut();
        let refused = || (403, "This connection is refused.".to_owned());
        let mut headers = std::mem::take(&mut answer.headers);
        match answer.refusal.take().or_else(|| (!accepted_by_callback).then(refused)) {
            Some((status, text)) => (Refusal { status, text, headers }.response(), false),
            None => {
                let protocol = answer.protocol.take();
                let protocol = protocol.map(|name| ("Sec-WebSocket-Protocol".to_owned(), name));
                headers.extend(protocol);
                (accepted(&self.0.request.accept, &headers), true)
            }
        }
    }
}

/// Whether a program may add this header.
pub(crate) fn check_header(name: &str, value: &str) -> Result<(), ProtocolError> {
    let wrong = |text: &str| Err(ProtocolError::new(format!("the header {name:?} {text}")));
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return wrong("has a name that none has");
    }
    if value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
        return wrong("has control characters");
    }
    let lower = name.to_ascii_lowercase();
    let is_ours = lower.starts_with("sec-websocket-") || OURS.contains(&lower.as_str());
    if is_ours {
        return wrong("is set by the handshake itself");
    }
    Ok(())
}

/// Headers that a program cannot add.
const OURS: [&str; 6] =
    ["connection", "content-length", "content-type", "host", "transfer-encoding", "upgrade"];

impl fmt::Debug for Handshake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Handshake").field("path", &self.path()).finish_non_exhaustive()
    }
}
