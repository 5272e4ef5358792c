//! What a connection still has to send: small messages copied together, large ones by reference.

use crate::stream::Writer;
use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::rc::Rc;

/// Up to this size a message is copied behind the one before; above, it is referred to.
pub(crate) const COPY_BYTES_MAX: usize = 1024;

/// A tail of this size is closed and a new one begun, so that what is sent can be freed.
const TAIL_BYTES_MAX: usize = 64 * 1024;

/// An empty tail above this size is given back to the allocator.
const SPARE_BYTES_MAX: usize = 16 * 1024;

/// Pieces handed to the kernel at once.
const SLICES_MAX: usize = 32;

/// How many bytes all connections together hold, each shared piece counted once.
#[derive(Clone, Default)]
pub(crate) struct Ledger(Rc<Cell<usize>>);

impl Ledger {
    pub(crate) fn bytes(&self) -> usize {
        self.0.get()
    }

    fn add(&self, bytes: usize) {
        self.0.set(self.0.get() + bytes);
    }

    fn subtract(&self, bytes: usize) {
        self.0.set(self.0.get() - bytes);
    }
}

/// An encoded batch that several connections send.
pub(crate) struct SharedBytes {
    bytes: Vec<u8>,
    ledger: Ledger,
}

impl SharedBytes {
    pub(crate) fn new(bytes: Vec<u8>, ledger: &Ledger) -> Rc<Self> {
        ledger.add(bytes.len());
        Rc::new(Self { bytes, ledger: ledger.clone() })
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for SharedBytes {
    fn drop(&mut self) {
        self.ledger.subtract(self.bytes.len());
    }
}

enum Chunk {
    Own(Vec<u8>),
    Shared(Rc<SharedBytes>),
}

impl Chunk {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Shared(shared) => shared.as_slice(),
        }
    }
}

/// How a flush ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// Everything is with the kernel.
    All,
    /// The socket takes no more for now.
    Blocked,
}

/// Bytes on their way out, in order: the chunks, then the tail.
pub(crate) struct Outgoing {
    chunks: VecDeque<Chunk>,
    tail: Vec<u8>,
    /// How much of the first piece is sent already.
    sent: usize,
    /// What is still to be sent.
    pending: usize,
    ledger: Ledger,
}

impl Outgoing {
    pub(crate) fn new(ledger: &Ledger) -> Self {
        Self {
            chunks: VecDeque::new(),
            tail: Vec::new(),
            sent: 0,
            pending: 0,
            ledger: ledger.clone(),
        }
    }

    pub(crate) fn pending(&self) -> usize {
        self.pending
    }

    /// Appends what `write` appends.
    pub(crate) fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.tail.len() >= TAIL_BYTES_MAX {
            self.close_tail();
        }
        let before = self.tail.len();
        write(&mut self.tail);
        let added = self.tail.len() - before;
        self.pending += added;
        self.ledger.add(added);
    }

    /// Appends a batch by reference.
    pub(crate) fn append_shared(&mut self, shared: &Rc<SharedBytes>) {
        if !self.tail.is_empty() {
            self.close_tail();
        }
        self.pending += shared.as_slice().len();
        self.chunks.push_back(Chunk::Shared(Rc::clone(shared)));
    }

    /// Hands the kernel as much as it takes.
    pub(crate) fn flush(&mut self, writer: &Writer) -> io::Result<Flushed> {
        while self.pending > 0 {
            let outcome = if self.chunks.is_empty() {
                writer.try_write(&self.tail[self.sent..])
            } else {
                self.write_vectored(writer)
            };
            match outcome {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.advance(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Ok(Flushed::Blocked);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Flushed::All)
    }

    /// Drops everything that is pending.
    pub(crate) fn clear(&mut self) {
        for chunk in self.chunks.drain(..) {
            if let Chunk::Own(bytes) = chunk {
                self.ledger.subtract(bytes.len());
            }
        }
        self.ledger.subtract(self.tail.len());
        self.tail.clear();
        self.sent = 0;
        self.pending = 0;
    }

    fn close_tail(&mut self) {
        self.chunks.push_back(Chunk::Own(std::mem::take(&mut self.tail)));
    }

    fn write_vectored(&self, writer: &Writer) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let mut count = 0;
        let pieces = self.chunks.iter().map(Chunk::as_slice).chain([self.tail.as_slice()]);
        for (slot, piece) in slices.iter_mut().zip(pieces) {
            *slot = IoSlice::new(if count == 0 { &piece[self.sent..] } else { piece });
            count += 1;
        }
        writer.try_write_vectored(&slices[..count])
    }

    fn advance(&mut self, count: usize) {
        self.pending -= count;
        self.sent += count;
        while let Some(chunk) = self.chunks.front() {
            let length = chunk.as_slice().len();
            if self.sent < length {
                return;
            }
            self.sent -= length;
            if let Some(Chunk::Own(bytes)) = self.chunks.pop_front() {
                self.ledger.subtract(bytes.len());
            }
        }
        if self.pending == 0 {
            self.ledger.subtract(self.tail.len());
            self.tail.clear();
            self.sent = 0;
            if self.tail.capacity() > SPARE_BYTES_MAX {
                self.tail = Vec::new();
            }
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::split_unix;
    use tokio::io::AsyncReadExt;
    use tokio::net::UnixStream;

    #[tokio::test]
    async fn pieces_of_every_size_arrive_in_order_through_a_small_socket() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let (_reader, writer) = split_unix(ours);
        let ledger = Ledger::default();
        let mut outgoing = Outgoing::new(&ledger);
        let mut expected = Vec::new();
        for round in 0u32..400 {
            let length = [3, 900, 5000, 70_000][round as usize % 4];
            let piece = vec![round as u8; length];
            expected.extend_from_slice(&piece);
            if round % 3 == 0 {
                outgoing.append(|tail| tail.extend_from_slice(&piece));
            } else {
                outgoing.append_shared(&SharedBytes::new(piece, &ledger));
            }
        }
        assert_eq!(outgoing.pending(), expected.len());
        let send = async {
            while outgoing.flush(&writer).unwrap() == Flushed::Blocked {
                std::future::poll_fn(|cx| writer.poll_ready(cx)).await.unwrap();
            }
            drop((outgoing, writer));
        };
        let mut received = Vec::new();
        let (_, count) = tokio::join!(send, theirs.read_to_end(&mut received));
        assert_eq!(count.unwrap(), expected.len());
        assert!(received == expected, "{} of {} bytes", received.len(), expected.len());
        assert_eq!(ledger.bytes(), 0);
    }

    #[test]
    fn what_is_dropped_leaves_the_ledger() {
        let ledger = Ledger::default();
        let mut outgoing = Outgoing::new(&ledger);
        let shared = SharedBytes::new(vec![0; 2000], &ledger);
        outgoing.append(|tail| tail.extend_from_slice(b"abc"));
        outgoing.append_shared(&shared);
        outgoing.append_shared(&shared);
        assert_eq!((outgoing.pending(), ledger.bytes()), (4003, 2003));
        drop(outgoing);
        assert_eq!(ledger.bytes(), 2000);
        drop(shared);
        assert_eq!(ledger.bytes(), 0);
    }
}
