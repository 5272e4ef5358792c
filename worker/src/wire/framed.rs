//! A protocol of packages on a stream of bytes.

use crate::protocol::{Input, Protocol, ProtocolError};
use crate::scheme::{Incoming, Traffic, Wire, WireError, WireLimits};
use crate::stream::Stream;
use bytes::{Buf, Bytes, BytesMut};
use std::cell::RefCell;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much is read at once. All connections of a process read into the same buffer, one after the other.
const READ_BYTES: usize = 64 * 1024;

/// A buffer that has grown beyond this is given back when it is empty.
const KEPT_BYTES: usize = 4 * 1024;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// Packages of a [`Protocol`].
pub struct Framed<P: Protocol> {
    stream: Stream,
    state: P::State,
    limits: WireLimits,
    received: BytesMut,
    has_ended: bool,
    queued: BytesMut,
    read: u64,
    written: u64,
}

impl<P: Protocol> Framed<P> {
    /// The next package, if all of it is there.
    fn package(&mut self) -> Result<Option<Bytes>, WireError> {
        if self.received.is_empty() {
            return Ok(None);
        }
        let bytes_max = self.limits.package_bytes_max;
        let length = match P::input(&mut self.state, &self.received)? {
            Input::Package(0) => {
                return Err(ProtocolError::new("its protocol found a package of 0 bytes").into());
            }
            Input::Package(length) => length,
            Input::More => self.received.len() + 1,
        };
        if length > bytes_max {
            return Err(WireError::TooLong { bytes: length, bytes_max });
        }
        if self.received.len() < length {
            return Ok(None);
        }
        let package = self.received.split_to(length).freeze();
        if self.received.is_empty() {
            self.received = BytesMut::new();
        }
        Ok(Some(package))
    }

    /// Reads once. `Ready(false)` when there is nothing more to come.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
            let bytes = buffer.filled();
            self.read += bytes.len() as u64;
            self.received.extend_from_slice(bytes);
            Poll::Ready(Ok(!bytes.is_empty()))
        })
    }
}

impl<P: Protocol> Wire<P> for Framed<P> {
    fn new(stream: Stream, limits: WireLimits) -> Self {
        Self {
            stream,
            state: P::State::default(),
            limits,
            received: BytesMut::new(),
            has_ended: false,
            queued: BytesMut::new(),
            read: 0,
            written: 0,
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.read += bytes.len() as u64;
        self.received.extend_from_slice(bytes);
    }

    fn poll_incoming(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Incoming<P>>, WireError>> {
        loop {
            if let Some(package) = self.package()? {
                let message = P::decode(&mut self.state, package)?;
                return Poll::Ready(Ok(Some(Incoming::Message(message))));
            }
            if self.has_ended {
                return Poll::Ready(Ok(None));
            }
            self.has_ended = !ready!(self.poll_read(context))?;
        }
    }

    fn proceed(&mut self, _: bool) {}

    fn queue(&mut self, reply: P::Reply) -> Result<(), ProtocolError> {
        let before = self.queued.len();
        let encoded = P::encode(&mut self.state, reply, &mut self.queued);
        if encoded.is_err() {
            self.queued.truncate(before);
        }
        encoded
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
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

    fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_discard(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.has_ended {
            self.has_ended = !ready!(self.poll_read(context))?;
            self.received.clear();
        }
        Poll::Ready(Ok(()))
    }

    fn finish(&mut self) -> bool {
        let Self { state, received, .. } = self;
        let next = (!received.is_empty()).then(|| P::input(state, received));
        !matches!(next, Some(Ok(Input::Package(length))) if length <= received.len())
    }

    fn traffic(&self) -> Traffic {
        Traffic {
            read: self.read,
            written: self.written,
            receive_queue: self.received.len(),
            send_queue: self.queued.len(),
        }
    }
}

impl<P: Protocol> fmt::Debug for Framed<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct(P::NAME).field("traffic", &self.traffic()).finish_non_exhaustive()
    }
}
