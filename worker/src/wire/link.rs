//! A stream, what was received on it and is to be sent, and how much that is.

use crate::scheme::Traffic;
use crate::stream::Stream;
use bytes::{Buf, BytesMut};
use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncWrite, ReadBuf};

/// How much is read at once. All connections of a process read into the same buffer, one after the other.
const READ_BYTES: usize = 64 * 1024;

/// A buffer that has grown beyond this is given back when it is empty.
const KEPT_BYTES: usize = 4 * 1024;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// The bytes of a connection.
#[derive(Debug)]
pub(super) struct Link {
    stream: Stream,
    /// Received, and not taken yet.
    pub(super) received: BytesMut,
    /// The peer will send no more.
    pub(super) has_ended: bool,
    /// To be written.
    pub(super) queued: BytesMut,
    pub(super) read: u64,
    written: u64,
}

impl Link {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            received: BytesMut::new(),
            has_ended: false,
            queued: BytesMut::new(),
            read: 0,
            written: 0,
        }
    }

    /// Takes what was received otherwise.
    pub(super) fn receive(&mut self, bytes: &[u8]) {
        self.read += bytes.len() as u64;
        self.received.extend_from_slice(bytes);
    }

    /// Receives what is there, once. `Ready` with nothing more received when there is nothing more to come.
    pub(super) fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            self.has_ended = ready!(self.stream.poll_receive(context, &mut buffer))? == 0;
            self.receive(buffer.filled());
            Poll::Ready(Ok(()))
        })
    }

    /// Reads into a buffer: first what was received before.
    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.received.is_empty() {
            let bytes = self.received.len().min(buffer.remaining());
            buffer.put_slice(&self.received.split_to(bytes));
            if self.received.is_empty() {
                self.received = BytesMut::new();
            }
            return Poll::Ready(Ok(()));
        }
        let bytes = ready!(self.stream.poll_receive(context, buffer))?;
        self.has_ended = bytes == 0;
        self.read += bytes as u64;
        Poll::Ready(Ok(()))
    }

    /// Writes what is queued.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.queued.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.queued));
            let bytes = match written {
                Ok(0) => Err(io::ErrorKind::WriteZero.into()),
                other => other,
            };
            let bytes = bytes.inspect_err(|_| self.queued.clear())?;
            self.written += bytes as u64;
            self.queued.advance(bytes);
        }
        match self.queued.capacity() > KEPT_BYTES {
            true => self.queued = BytesMut::new(),
            false => self.queued.clear(),
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    pub(super) fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    /// Reads and forgets until the peer has ended too.
    pub(super) fn poll_discard(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.has_ended {
            ready!(self.poll_receive(context))?;
            self.received.clear();
        }
        Poll::Ready(Ok(()))
    }

    /// Closes the socket.
    pub(super) fn disconnect(&mut self) {
        self.stream = Stream::Connecting(Rc::default());
    }

    pub(super) fn traffic(&self) -> Traffic {
        Traffic {
            read: self.read,
            written: self.written,
            receive_queue: self.received.len(),
            send_queue: self.queued.len(),
        }
    }
}
