//! A protocol of packages on a stream of bytes.

use super::link::Link;
use crate::outcome::text_of;
use crate::protocol::{Input, Protocol, ProtocolError};
use crate::scheme::{Incoming, Traffic, Wire, WireError, WireLimits};
use crate::stream::Stream;
use bytes::{Bytes, BytesMut};
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, ready};

/// Packages of a [`Protocol`].
pub struct Framed<P: Protocol> {
    link: Link,
    state: P::State,
    limits: WireLimits,
}

impl<P: Protocol> Framed<P> {
    /// The next package, if all of it is there.
    fn package(&mut self) -> Result<Option<Bytes>, WireError> {
        if self.link.received.is_empty() {
            return Ok(None);
        }
        let bytes_max = self.limits.package_bytes_max;
        let length = match guarded(|| P::input(&mut self.state, &self.link.received))? {
            Input::Package(0) => {
                return Err(ProtocolError::new("its protocol found a package of 0 bytes").into());
            }
            Input::Package(length) if !P::HAS_PACKAGES => length.min(bytes_max),
            Input::Package(length) => length,
            Input::More => self.link.received.len() + 1,
        };
        if length > bytes_max {
            return Err(WireError::TooLong { bytes: length, bytes_max });
        }
        if self.link.received.len() < length {
            return Ok(None);
        }
        let package = self.link.received.split_to(length).freeze();
        if self.link.received.is_empty() {
            self.link.received = BytesMut::new();
        }
        Ok(Some(package))
    }
}

impl<P: Protocol> Wire<P> for Framed<P> {
    fn new(stream: Stream, limits: WireLimits) -> Self {
        Self { link: Link::new(stream), state: P::State::default(), limits }
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.link.receive(bytes);
    }

    fn poll_incoming(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Incoming<P>>, WireError>> {
        loop {
            if let Some(package) = self.package()? {
                let message = guarded(|| P::decode(&mut self.state, package))?;
                return Poll::Ready(Ok(Some(Incoming::Message(message))));
            }
            if self.link.has_ended {
                return Poll::Ready(Ok(None));
            }
            ready!(self.link.poll_receive(context))?;
        }
    }

    fn proceed(&mut self, _: bool) {}

    fn queue(&mut self, reply: P::Reply) -> Result<(), ProtocolError> {
        let before = self.link.queued.len();
        let encoded = guarded(|| P::encode(&mut self.state, reply, &mut self.link.queued));
        if encoded.is_err() {
            self.link.queued.truncate(before);
        }
        encoded
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.link.poll_flush(context)
    }

    fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.link.poll_shutdown(context)
    }

    fn poll_discard(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.link.poll_discard(context)
    }

    fn disconnect(&mut self) {
        self.link.disconnect();
    }

    fn finish(&mut self) -> bool {
        let Self { state, link: Link { received, .. }, .. } = self;
        let next = (!received.is_empty()).then(|| guarded(|| P::input(state, received)));
        !matches!(next, Some(Ok(Input::Package(length))) if length <= received.len())
    }

    fn traffic(&self) -> Traffic {
        self.link.traffic()
    }
}

/// Calls a user's protocol. What it has done to its connection when it panics, nobody will see.
fn guarded<T>(call: impl FnOnce() -> Result<T, ProtocolError>) -> Result<T, ProtocolError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        let text = text_of(payload.as_ref());
        Err(ProtocolError::new(format!("its protocol panicked: {text}")))
    })
}

impl<P: Protocol> fmt::Debug for Framed<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct(P::NAME).field("traffic", &self.traffic()).finish_non_exhaustive()
    }
}
