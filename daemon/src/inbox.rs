//! What a connection has sent and the driver has not yet understood: mostly nothing.
//!
//! Reads go into a buffer that all connections share. Only the beginning of a frame whose end is
//! still to come is kept; one that is too long for the shared buffer grows in a buffer of its own,
//! as its bytes arrive.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::io::poll_read_buf;

/// Size of the shared buffer: what one read can bring at most.
pub(crate) const READ_BYTES: usize = 128 * 1024;

/// Up to this much is put in front of what the next read brings into the shared buffer.
const COPY_BYTES_MAX: usize = 4 * 1024;

#[derive(Default)]
pub(crate) struct Inbox {
    held: Vec<u8>,
    /// How many bytes are certainly needed before what is held can be understood.
    missing: usize,
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
            self.make_room();
            let count = ready!(poll_read_buf(reader, cx, &mut self.held))?;
            self.missing = self.missing.saturating_sub(count);
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

    /// Memory that is held.
    pub(crate) fn bytes(&self) -> usize {
        self.held.capacity()
    }

    /// Takes out what is held.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// Keeps what was not used of some input.
    pub(crate) fn keep(&mut self, rest: &[u8], missing: usize) {
        self.missing = missing;
        if !rest.is_empty() {
            self.held = rest.to_vec();
        }
    }

    /// Keeps what was not used of what was taken out, without copying when that is all of it.
    pub(crate) fn put_back(&mut self, held: Vec<u8>, used: usize, missing: usize) {
        if used == 0 {
            self.held = held;
            self.missing = missing;
        } else {
            self.keep(&held[used..], missing);
        }
    }

    /// Doubles as bytes arrive, but never beyond the end of the frame: its length is only a claim.
    fn make_room(&mut self) {
        if self.held.capacity() == self.held.len() {
            let doubled = self.held.len().max(READ_BYTES);
            self.held.reserve_exact(doubled.min(self.missing.max(1)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    #[tokio::test]
    async fn a_long_frame_takes_no_more_memory_than_its_bytes() {
        let mut inbox = Inbox::default();
        let mut scratch = vec![0; READ_BYTES];
        let frame = vec![7; 1_000_000];
        let mut input = frame.as_slice();
        inbox.keep(&input[..5000], frame.len() - 5000);
        input = &input[5000..];
        while inbox.held.len() < frame.len() {
            let read = poll_fn(|cx| inbox.poll_read(cx, Pin::new(&mut input), &mut scratch));
            assert!(matches!(read.await.unwrap(), Arrival::Held));
            assert!(inbox.bytes() <= frame.len(), "{} bytes", inbox.bytes());
        }
        assert_eq!(inbox.take(), frame);
    }
}
