//! A request and its response, between hyper and the callbacks.

use super::link::Link;
use super::outgoing::Outgoing;
use crate::http::{Request, Response};
use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Incoming};
use hyper::header::{CONNECTION, HOST, HeaderValue};
use hyper::service::Service;
use hyper::{HeaderMap, Method, StatusCode, Version};
use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// What hyper's side and ours have in common.
///
/// Hyper is polled by ours alone, and whenever something here has changed: nobody has to be woken for that.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) link: Link,
    pub(super) exchange: RefCell<Exchange>,
}

#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) stage: Stage,
    /// How many requests have begun.
    pub(super) requests: u64,
    /// What was read before the current one began.
    pub(super) read_before: u64,
    /// Of the request that was asked last.
    pub(super) is_head: bool,
    /// The next response is the last.
    pub(super) is_leaving: bool,
    /// Bytes of a stream that hyper has not taken.
    pub(super) waiting: usize,
    /// Streams end with what they have.
    pub(super) is_over: bool,
}

/// How far a request is.
#[derive(Debug)]
pub(super) enum Stage {
    /// None is there, or the beginning of its head.
    Idle,
    /// So many bytes of its body are here.
    Receiving(usize),
    /// It is whole.
    Whole(Box<Request>),
    /// A callback has it.
    Asked,
    /// What is to be sent.
    Answered(Box<Response>),
    /// Its body is being sent.
    Answering,
}

impl Exchange {
    /// The request that is there for a callback.
    pub(super) fn take_request(&mut self) -> Option<Request> {
        match std::mem::replace(&mut self.stage, Stage::Asked) {
            Stage::Whole(request) => Some(*request),
            other => {
                self.stage = other;
                None
            }
        }
    }

    fn take_response(&mut self) -> Option<Box<Response>> {
        match std::mem::replace(&mut self.stage, Stage::Answering) {
            Stage::Answered(response) => Some(response),
            other => {
                self.stage = other;
                None
            }
        }
    }
}

impl Shared {
    pub(super) fn new(link: Link) -> Self {
        let exchange = Exchange {
            stage: Stage::Idle,
            requests: 0,
            read_before: 0,
            is_head: false,
            waiting: 0,
            is_leaving: false,
            is_over: false,
        };
        Self { link, exchange: RefCell::new(exchange) }
    }

    fn set(&self, stage: Stage) {
        self.exchange.borrow_mut().stage = stage;
    }

    /// A response as hyper wants it.
    fn begin(self: &Rc<Self>, response: Response) -> hyper::Response<Outgoing> {
        let mut exchange = self.exchange.borrow_mut();
        exchange.stage = Stage::Answering;
        let (status, mut headers, content) = response.into_parts(exchange.is_head);
        if exchange.is_leaving {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let mut response = hyper::Response::new(Outgoing::new(content, Rc::clone(self)));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }

    /// Answers what no callback shall see. Nothing is read after it.
    fn refuse(self: &Rc<Self>, status: StatusCode) -> hyper::Response<Outgoing> {
        tracing::debug!(%status, "request refused");
        self.exchange.borrow_mut().is_leaving = true;
        self.begin(status.into())
    }
}

/// Takes requests from hyper.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) shared: Rc<Shared>,
    pub(super) body_bytes_max: usize,
}

impl Service<hyper::Request<Incoming>> for Desk {
    type Response = hyper::Response<Outgoing>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: hyper::Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let head = hyper::Request::from_parts(head, ());
        let mut exchange = self.shared.exchange.borrow_mut();
        exchange.requests += 1;
        exchange.read_before = self.shared.link.get().read;
        exchange.is_head = head.method() == Method::HEAD;
        let refused = refusal(&head, &body, self.body_bytes_max);
        let part = match refused {
            Some(status) => Part::Refused(status),
            None if body.is_end_stream() => {
                exchange.stage = Stage::Whole(Box::new(Request::new(head, Bytes::new())));
                Part::Whole
            }
            None => {
                exchange.stage = Stage::Receiving(0);
                Part::Body(Box::new((head, body, BytesMut::new())))
            }
        };
        drop(exchange);
        let (shared, body_bytes_max) = (Rc::clone(&self.shared), self.body_bytes_max);
        Answer { shared, part, body_bytes_max }
    }
}

/// Why a request is not for callbacks.
fn refusal(
    head: &hyper::Request<()>,
    body: &Incoming,
    body_bytes_max: usize,
) -> Option<StatusCode> {
    let hosts = head.headers().get_all(HOST).iter().count();
    if hosts > 1 || (hosts == 0 && head.version() == Version::HTTP_11) {
        return Some(StatusCode::BAD_REQUEST);
    }
    if head.method() == Method::CONNECT {
        return Some(StatusCode::NOT_IMPLEMENTED);
    }
    let is_long = body.size_hint().lower() > body_bytes_max as u64;
    is_long.then_some(StatusCode::PAYLOAD_TOO_LARGE)
}

/// What hyper waits for: the body of a request, and then the response.
#[derive(Debug)]
pub(super) struct Answer {
    shared: Rc<Shared>,
    part: Part,
    body_bytes_max: usize,
}

#[derive(Debug)]
enum Part {
    Refused(StatusCode),
    Body(Box<(hyper::Request<()>, Incoming, BytesMut)>),
    Whole,
}

impl Answer {
    /// Receives the body. `Err` if it is not to be had.
    fn poll_body(&mut self, context: &mut Context<'_>) -> Poll<Result<(), StatusCode>> {
        let Part::Body(part) = &mut self.part else { return Poll::Ready(Ok(())) };
        let (_, body, received) = part.as_mut();
        while let Some(frame) = ready!(Pin::new(&mut *body).poll_frame(context)) {
            let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
            let Ok(data) = frame.into_data() else { continue };
            if received.len() + data.len() > self.body_bytes_max {
                return Poll::Ready(Err(StatusCode::PAYLOAD_TOO_LARGE));
            }
            match received.is_empty() {
                true => *received = data.into(),
                false => received.extend_from_slice(&data),
            }
            self.shared.set(Stage::Receiving(received.len()));
        }
        let Part::Body(part) = std::mem::replace(&mut self.part, Part::Whole) else {
            return Poll::Ready(Ok(()));
        };
        let (head, _, received) = *part;
        // What comes from now on is the next request's.
        self.shared.exchange.borrow_mut().read_before = self.shared.link.get().read;
        self.shared.set(Stage::Whole(Box::new(Request::new(head, received.freeze()))));
        Poll::Ready(Ok(()))
    }
}

impl Future for Answer {
    type Output = Result<hyper::Response<Outgoing>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Part::Refused(status) = self.part {
            return Poll::Ready(Ok(self.shared.refuse(status)));
        }
        if let Err(status) = ready!(self.poll_body(context)) {
            return Poll::Ready(Ok(self.shared.refuse(status)));
        }
        let response = self.shared.exchange.borrow_mut().take_response();
        match response {
            Some(response) => Poll::Ready(Ok(self.shared.begin(*response))),
            None => Poll::Pending,
        }
    }
}

/// Whether the peer wants to ask more on this connection.
pub(crate) fn is_keep_alive(version: Version, headers: &HeaderMap) -> bool {
    let mut options = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let mut has = |wanted: &str| {
        options.any(|value| value.split(',').any(|one| one.trim().eq_ignore_ascii_case(wanted)))
    };
    match version {
        Version::HTTP_11 => !has("close"),
        _ => has("keep-alive"),
    }
}
