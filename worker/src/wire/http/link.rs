//! The socket of an HTTP connection, with what has passed on it.

use crate::stream::Stream;
use bytes::{Buf, BytesMut};
use std::cell::{Ref, RefCell};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much is read ahead, and discarded at once.
const AHEAD_BYTES: usize = 4 * 1024;

/// A socket that hyper has, and we still can look at.
#[derive(Clone, Debug)]
pub(super) struct Link(Rc<RefCell<Socket>>);

#[derive(Debug)]
pub(super) struct Socket {
    stream: Stream,
    /// Read before hyper wanted it.
    ahead: BytesMut,
    /// The peer will send no more.
    pub(super) has_ended: bool,
    pub(super) read: u64,
    pub(super) written: u64,
    /// Bytes of bodies that hyper has taken, and the socket has not.
    pub(super) unwritten: usize,
    /// The socket takes no more at the moment.
    pub(super) is_blocked: bool,
}

impl Link {
    pub(super) fn new(stream: Stream) -> Self {
        Self(Rc::new(RefCell::new(Socket {
            stream,
            ahead: BytesMut::new(),
            has_ended: false,
            read: 0,
            written: 0,
            unwritten: 0,
            is_blocked: false,
        })))
    }

    pub(super) fn get(&self) -> Ref<'_, Socket> {
        self.0.borrow()
    }

    /// Bytes that came otherwise.
    pub(super) fn receive(&self, bytes: &[u8]) {
        let mut socket = self.0.borrow_mut();
        socket.read += bytes.len() as u64;
        socket.ahead.extend_from_slice(bytes);
    }

    /// Closes the socket.
    pub(super) fn disconnect(&self) {
        self.0.borrow_mut().stream = Stream::Connecting(Rc::default());
    }

    /// Hyper has taken so much of a body.
    pub(super) fn taken(&self, bytes: usize) {
        self.0.borrow_mut().unwritten += bytes;
    }

    /// Reads a little while hyper does not, to hear of the peer's end. `Ready` when that has come.
    pub(super) fn poll_end(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut socket = self.0.borrow_mut();
        if socket.has_ended {
            return Poll::Ready(Ok(()));
        }
        let mut buffer = [0; AHEAD_BYTES];
        while socket.ahead.len() < AHEAD_BYTES {
            let room = AHEAD_BYTES - socket.ahead.len();
            let mut buffer = ReadBuf::new(&mut buffer[..room]);
            ready!(socket.poll_read(context, &mut buffer))?;
            if socket.has_ended {
                return Poll::Ready(Ok(()));
            }
            socket.ahead.extend_from_slice(buffer.filled());
        }
        Poll::Pending
    }

    /// Reads and forgets until the peer has ended.
    pub(super) fn poll_discard(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut socket = self.0.borrow_mut();
        let mut buffer = [0; AHEAD_BYTES];
        while !socket.has_ended {
            ready!(socket.poll_read(context, &mut ReadBuf::new(&mut buffer)))?;
        }
        Poll::Ready(Ok(()))
    }

    pub(super) fn poll_shutdown(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.borrow_mut().stream).poll_shutdown(context)
    }
}

impl Socket {
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let bytes = ready!(self.stream.poll_receive(context, buffer))?;
        self.has_ended = bytes == 0;
        self.read += bytes as u64;
        Poll::Ready(Ok(()))
    }

    fn note_written(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.is_blocked = written.is_pending();
        let bytes = ready!(written)?;
        self.written += bytes as u64;
        self.unwritten = self.unwritten.saturating_sub(bytes);
        Poll::Ready(Ok(bytes))
    }
}

impl AsyncRead for Link {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut socket = self.0.borrow_mut();
        if socket.ahead.is_empty() {
            return socket.poll_read(context, buffer);
        }
        let bytes = socket.ahead.len().min(buffer.remaining());
        buffer.put_slice(&socket.ahead[..bytes]);
        socket.ahead.advance(bytes);
        if socket.ahead.is_empty() {
            socket.ahead = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Link {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut socket = self.0.borrow_mut();
        let written = Pin::new(&mut socket.stream).poll_write(context, bytes);
        socket.note_written(written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut socket = self.0.borrow_mut();
        let written = Pin::new(&mut socket.stream).poll_write_vectored(context, slices);
        socket.note_written(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.get().stream.is_write_vectored()
    }

    /// Hyper flushes when it has nothing more to write.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut socket = self.0.borrow_mut();
        socket.unwritten = 0;
        let flushed = Pin::new(&mut socket.stream).poll_flush(context);
        socket.is_blocked = flushed.is_pending();
        flushed
    }

    /// The end is ours to say, after hyper's.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
