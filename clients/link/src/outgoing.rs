//! Bytes that the socket did not take yet.

use crate::received::Unread;
use crate::session::Outgoing;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use workyard_protocol::frame::LENGTH_BYTES;
use workyard_protocol::{Message, RequestId, ToServer};

/// What a request's frame is longer than its header and payload: length, operation code, id.
const ENVELOPE_BYTES: usize = LENGTH_BYTES + 1 + size_of::<RequestId>();

/// Above this a buffer that ran empty is given back.
const BUFFER_KEPT_BYTES: usize = 1024 * 1024;

/// A request that is encoded but for its id.
#[derive(Debug)]
pub(crate) struct Body {
    operation: u8,
    bytes: Vec<u8>,
}

impl Body {
    pub(crate) fn of<'a>(message: &impl Message<'a>) -> Self {
        let mut bytes = Vec::with_capacity(128);
        message.put(&mut bytes);
        Self { operation: message.operation(), bytes }
    }

    /// The size of the whole frame.
    pub(crate) fn frame_bytes(&self) -> usize {
        ENVELOPE_BYTES + self.bytes.len()
    }

    pub(crate) fn unread(&self) -> Unread<'_> {
        Unread { operation: self.operation, body: &self.bytes }
    }
}

impl From<Outgoing> for Body {
    fn from(outgoing: Outgoing) -> Self {
        Self { operation: outgoing.operation, bytes: outgoing.body }
    }
}

/// The write buffer of a connection.
#[derive(Debug, Default)]
pub(crate) struct WriteBuffer {
    bytes: Vec<u8>,
    taken: usize,
}

impl WriteBuffer {
    pub(crate) fn frame(&mut self, frame: &ToServer<'_, Unread<'_>>) {
        frame.encode(&mut self.bytes);
    }

    pub(crate) fn request(&mut self, id: RequestId, body: &Body) {
        self.frame(&ToServer::Request(id, body.unread()));
    }

    /// How many bytes wait.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.taken
    }

    /// Writes what the socket takes, once.
    pub(crate) fn poll_write(
        &mut self,
        transport: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(transport).poll_write(cx, &self.bytes[self.taken..]);
        if let Poll::Ready(Ok(count)) = written {
            self.taken += count;
            if self.taken == self.bytes.len() {
                self.bytes.clear();
                self.taken = 0;
                self.bytes.shrink_to(BUFFER_KEPT_BYTES);
            }
        }
        written
    }
}
