//! HTTP on a connection: hyper reads and writes, and hands over one request after the other.

mod exchange;
mod link;
mod outgoing;
mod patience;

pub(crate) use exchange::is_keep_alive;

use crate::http::Response;
use crate::protocol::ProtocolError;
use crate::protocols::Http;
use crate::scheme::{Incoming, Traffic, Wire, WireError, WireLimits};
use crate::stream::Stream;
use exchange::{Desk, Exchange, Shared, Stage};
use hyper::StatusCode;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use link::Link;
use patience::{Patience, Waits};
use std::cell::RefMut;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

/// The longest head of a request, and of the trailers behind a body.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// How much hyper reads or keeps to be written at once.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

type Hyper = http1::Connection<TokioIo<Link>, Desk>;

/// HTTP/1.1 and 1.0, from the server's side.
pub struct HttpWire {
    shared: Rc<Shared>,
    /// None when it has come to its end.
    hyper: Option<Hyper>,
    patience: Patience,
    /// Of the task that serves the connection. Hyper is always polled for this one, whoever polls it: it has one
    /// place only for whom to wake.
    task: Waker,
}

impl HttpWire {
    fn exchange(&self) -> RefMut<'_, Exchange> {
        self.shared.exchange.borrow_mut()
    }

    /// Lets hyper read and write. `Ready` when it has come to its end.
    fn poll_hyper(&mut self) -> Poll<Result<(), WireError>> {
        let Some(hyper) = &mut self.hyper else { return Poll::Ready(Ok(())) };
        let ended = ready!(Pin::new(hyper).poll(&mut Context::from_waker(&self.task)));
        self.hyper = None;
        let Err(error) = ended else { return Poll::Ready(Ok(())) };
        let is_io =
            std::error::Error::source(&error).is_some_and(|source| source.is::<io::Error>());
        if is_io && !error.is_user() && !error.is_parse() {
            return Poll::Ready(Err(io::Error::other(error).into()));
        }
        // It has said what there was to say; what is left is to end in order.
        tracing::debug!(%error, "HTTP ends");
        Poll::Ready(Ok(()))
    }

    /// The next request, when everything before it is written.
    fn take_request(&self) -> Option<Incoming<Http>> {
        if self.shared.link.get().is_blocked {
            return None;
        }
        self.exchange().take_request().map(Incoming::Message)
    }

    fn waits(&self) -> Waits {
        let (exchange, socket) = (self.exchange(), self.shared.link.get());
        let requests = exchange.requests;
        match exchange.stage {
            _ if socket.is_blocked => Waits::Peer { written: socket.written },
            Stage::Idle if socket.read != exchange.read_before => Waits::Head { requests },
            Stage::Idle if exchange.is_leaving => Waits::LastRequest { requests },
            Stage::Idle => Waits::Request { requests },
            Stage::Receiving(_) => Waits::Body { read: socket.read },
            Stage::Asked if socket.has_ended => Waits::LastAnswer,
            _ => Waits::Us,
        }
    }

    /// The same, and looks whether the peer has gone while a callback or a stream takes its time.
    fn poll_both(&mut self) -> Poll<Result<(), WireError>> {
        let ended = self.poll_hyper();
        let is_long = matches!(self.exchange().stage, Stage::Asked | Stage::Answering);
        if ended.is_ready() || !is_long || self.shared.link.get().has_ended {
            return ended;
        }
        ready!(self.shared.link.poll_end(&mut Context::from_waker(&self.task)))?;
        // Streams end now; whoever has asked for something else may still read it.
        self.poll_hyper()
    }

    fn is_flushed(&self) -> bool {
        let is_answering = matches!(self.exchange().stage, Stage::Answered(_) | Stage::Answering);
        self.hyper.is_none() || !(is_answering || self.shared.link.get().is_blocked)
    }
}

impl Wire<Http> for HttpWire {
    fn new(stream: Stream, limits: WireLimits) -> Self {
        let link = Link::new(stream);
        let shared = Rc::new(Shared::new(link.clone()));
        let desk = Desk { shared: Rc::clone(&shared), body_bytes_max: limits.package_bytes_max };
        let hyper = http1::Builder::new()
            .half_close(true)
            .max_header_size(HEAD_BYTES_MAX)
            .max_buf_size(BUFFER_BYTES_MAX)
            .serve_connection(TokioIo::new(link), desk);
        let task = Waker::noop().clone();
        Self { shared, hyper: Some(hyper), patience: Patience::new(), task }
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.shared.link.receive(bytes);
    }

    fn poll_incoming(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Incoming<Http>>, WireError>> {
        self.task.clone_from(context.waker());
        if let Some(incoming) = self.take_request() {
            return Poll::Ready(Ok(Some(incoming)));
        }
        let ended = self.poll_both();
        if let Some(incoming) = self.take_request() {
            return Poll::Ready(Ok(Some(incoming)));
        }
        if let Poll::Ready(ended) = ended {
            return Poll::Ready(ended.map(|()| None));
        }
        let waits = self.waits();
        ready!(self.patience.poll(waits, context));
        tracing::debug!(?waits, "the peer takes too long");
        match waits {
            // It will read what is left no more than what was before.
            Waits::Peer { .. } => Poll::Ready(Err(io::Error::from(io::ErrorKind::TimedOut).into())),
            _ => Poll::Ready(Ok(None)),
        }
    }

    fn proceed(&mut self, _: bool) {}

    fn queue(&mut self, response: Response) -> Result<(), ProtocolError> {
        let mut exchange = self.exchange();
        if !matches!(exchange.stage, Stage::Asked) {
            return Err(ProtocolError::new("no request waits for a response"));
        }
        let checked = response.check();
        let response = match checked {
            Ok(()) => response,
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into(),
        };
        exchange.stage = Stage::Answered(Box::new(response));
        checked
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_flushed() {
            return Poll::Ready(Ok(()));
        }
        let ended = self.poll_both();
        if ended.is_ready() || matches!(self.exchange().stage, Stage::Whole(_)) {
            // There is something to be taken.
            self.task.wake_by_ref();
        }
        match ended {
            Poll::Ready(Err(WireError::Io(error))) => Poll::Ready(Err(error)),
            Poll::Ready(_) => Poll::Ready(Ok(())),
            Poll::Pending if self.is_flushed() => Poll::Ready(Ok(())),
            Poll::Pending => {
                // While a callback runs, nobody else looks at how long the peer takes.
                let waits = self.waits();
                ready!(self.patience.poll(waits, &mut Context::from_waker(&self.task)));
                tracing::debug!(?waits, "the peer takes too long");
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }

    fn failed(&mut self) {
        let mut exchange = self.exchange();
        if matches!(exchange.stage, Stage::Asked) {
            let response = StatusCode::INTERNAL_SERVER_ERROR.into();
            exchange.stage = Stage::Answered(Box::new(response));
        }
    }

    fn end(&mut self) {
        let mut exchange = self.exchange();
        exchange.is_leaving = true;
        exchange.is_over = true;
    }

    fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.link.poll_shutdown(context)
    }

    fn poll_discard(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.link.poll_discard(context)
    }

    fn disconnect(&mut self) {
        self.shared.link.disconnect();
        // Streams hear by this that nobody reads any more.
        self.hyper = None;
    }

    /// Who is connected may be about to ask, and is answered once more.
    fn finish(&mut self) -> bool {
        self.exchange().is_leaving = true;
        self.hyper.is_none()
    }

    fn wind_down(&mut self) {
        self.exchange().is_leaving = true;
    }

    fn traffic(&self) -> Traffic {
        let (exchange, socket) = (self.exchange(), self.shared.link.get());
        let (received, queued) = match &exchange.stage {
            Stage::Receiving(bytes) => (*bytes, 0),
            Stage::Answered(response) => (0, response.content_bytes()),
            _ => (0, exchange.waiting),
        };
        Traffic {
            read: socket.read,
            written: socket.written,
            receive_queue: received,
            send_queue: queued + socket.unwritten,
        }
    }
}

impl fmt::Debug for HttpWire {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("http").field("traffic", &self.traffic()).finish_non_exhaustive()
    }
}
