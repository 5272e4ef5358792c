//! The body of a response, as hyper takes it.

use super::exchange::{Shared, Stage};
use crate::http::Content;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// What is left of a body. When it is dropped, its response is over.
#[derive(Debug)]
pub(super) struct Outgoing {
    content: Content,
    shared: Rc<Shared>,
}

impl Outgoing {
    pub(super) fn new(content: Content, shared: Rc<Shared>) -> Self {
        Self { content, shared }
    }
}

impl Outgoing {
    /// The next piece; `None` after the last.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        let is_events = matches!(self.content, Content::Events(_));
        let outlet = match &mut self.content {
            Content::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                return Poll::Ready(Ok((!bytes.is_empty()).then_some(bytes)));
            }
            Content::File(part) => return part.poll_next(context),
            Content::Stream(outlet) | Content::Events(outlet) => outlet,
        };
        let next = outlet.poll_next(context);
        self.shared.exchange.borrow_mut().waiting = outlet.len();
        match next {
            Poll::Ready(Ok(next)) => Poll::Ready(Ok(next)),
            Poll::Ready(Err(())) => self.poll_cut(),
            Poll::Pending if !self.is_unwanted(is_events) => Poll::Pending,
            Poll::Pending if is_events => Poll::Ready(Ok(None)),
            Poll::Pending => self.poll_cut(),
        }
    }

    /// Ends without having been whole, when everything before it is written: hyper asks again then.
    fn poll_cut(&self) -> Poll<io::Result<Option<Bytes>>> {
        match self.shared.link.get().unwritten {
            0 => Poll::Ready(Err(io::Error::other("the response will never be whole"))),
            _ => Poll::Pending,
        }
    }

    /// Whether a stream is to end where it is. Events are as soon as the process is to leave.
    fn is_unwanted(&self, is_events: bool) -> bool {
        let exchange = self.shared.exchange.borrow();
        exchange.is_over || (is_events && exchange.is_leaving) || self.shared.link.get().has_ended
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let next = ready!(self.poll_next(context));
        if let Ok(Some(bytes)) = &next {
            self.shared.link.taken(bytes.len());
        }
        Poll::Ready(next.transpose().map(|next| next.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Bytes(bytes) => bytes.is_empty(),
            Content::File(part) => part.left() == 0,
            Content::Stream(_) | Content::Events(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::File(part) => SizeHint::with_exact(part.left()),
            Content::Stream(_) | Content::Events(_) => SizeHint::default(),
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        let mut exchange = self.shared.exchange.borrow_mut();
        exchange.waiting = 0;
        if matches!(exchange.stage, Stage::Answering) {
            exchange.stage = Stage::Idle;
        }
    }
}
