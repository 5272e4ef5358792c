//! The body of a response, as hyper takes it.

use super::exchange::{Shared, Stage};
use crate::http::Content;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

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

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Self { content, shared } = &mut *self;
        let bytes = match content {
            Content::Bytes(bytes) => std::mem::take(bytes),
        };
        if bytes.is_empty() {
            return Poll::Ready(None);
        }
        shared.link.taken(bytes.len());
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Bytes(bytes) => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        let stage = &mut self.shared.exchange.borrow_mut().stage;
        if matches!(stage, Stage::Answering) {
            *stage = Stage::Idle;
        }
    }
}
