//! What a connection has sent and the driver has not yet understood: mostly nothing.
//!
//! Reads go into a buffer that all connections share. Only the beginning of a frame whose end is
//! still to come is kept, in exactly its size; a frame that is too long for the shared buffer grows
//! in a buffer of its own, as its bytes arrive.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::io::poll_read_buf;

/// Size of the shared buffer: what one read can bring at most.
pub(crate) const READ_BYTES: usize = 128 * 1024;

/// Up to this much is copied to the front of the shared buffer for the next read.
const COPY_BYTES_MAX: usize = 4 * 1024;

#[derive(Default)]
pub(crate) struct Inbox {
    held: Vec<u8>,
}

/// What a read brought.
pub(crate) enum Arrival {
    /// The input stands at the start of the shared buffer.
    Shared {
        /// How much of it is input.
        length: usize,
        /// Whether there may be more at once.
        more: bool,
    },
    /// The input is what the inbox holds.
    Held,
    /// The peer will send no more.
    End,
}

impl Inbox {
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        reader: Pin<&mut impl AsyncRead>,
        scratch: &mut [u8],
    ) -> Poll<io::Result<Arrival>> {
        if self.held.len() > COPY_BYTES_MAX {
            self.held.reserve(READ_BYTES);
            let count = ready!(poll_read_buf(reader, cx, &mut self.held))?;
            return Poll::Ready(Ok(if count == 0 { Arrival::End } else { Arrival::Held }));
        }
        let front = self.held.len();
        let mut buffer = ReadBuf::new(&mut scratch[front..]);
        ready!(reader.poll_read(cx, &mut buffer))?;
        let count = buffer.filled().len();
        if count == 0 {
            return Poll::Ready(Ok(Arrival::End));
        }
        let more = buffer.remaining() == 0;
        scratch[..front].copy_from_slice(&self.held);
        self.held = Vec::new();
        Poll::Ready(Ok(Arrival::Shared { length: front + count, more }))
    }

    /// Takes out what is held.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// Keeps what was not used of some input.
    pub(crate) fn keep(&mut self, rest: &[u8]) {
        if !rest.is_empty() {
            self.held = rest.to_vec();
        }
    }

    /// Keeps what was not used of what was taken out, without copying when that is all of it.
    pub(crate) fn put_back(&mut self, held: Vec<u8>, used: usize) {
        if used == 0 {
            self.held = held;
        } else {
            self.keep(&held[used..]);
        }
    }
}
