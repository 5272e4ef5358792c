//! What a worker can speak: every protocol on a stream of bytes, and those that need more.

use crate::protocol::{Protocol, ProtocolError};
use crate::stream::Stream;
use crate::wire::Framed;
use std::convert::Infallible;
use std::io;
use std::task::{Context, Poll};
use thiserror::Error;

/// A protocol as connections use it. It is implemented for every [`Protocol`].
pub trait Scheme: Sized + 'static {
    /// What stands before `://` in an address.
    const NAME: &'static str;
    /// Whether messages may come as datagrams.
    const HAS_DATAGRAMS: bool;
    /// What comes before the first message and may be refused.
    type Opening: 'static;
    /// What arrives.
    type Message: 'static;
    /// What is sent.
    type Reply: 'static;
    /// What does it on a connection.
    #[doc(hidden)]
    type Wire: Wire<Self>;
}

impl<P: Protocol> Scheme for P {
    const NAME: &'static str = P::NAME;
    const HAS_DATAGRAMS: bool = true;
    type Opening = Infallible;
    type Message = P::Message;
    type Reply = P::Reply;
    type Wire = Framed<P>;
}

/// One connection's messages, in and out.
///
/// Nothing of it calls into a user's code but what the protocol itself is made of.
pub trait Wire<S: Scheme>: 'static {
    /// Begins on a connected stream.
    fn new(stream: Stream, limits: WireLimits) -> Self;

    /// Takes what was received otherwise, as a datagram.
    fn receive(&mut self, bytes: &[u8]);

    /// What has arrived next; `None` when the peer will send no more. After an opening, nothing arrives until
    /// [`Wire::proceed`].
    ///
    /// # Errors
    /// The connection cannot go on.
    fn poll_incoming(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Incoming<S>>, WireError>>;

    /// The opening is accepted, or not: then what says so is queued, and nothing arrives any more.
    fn proceed(&mut self, accepted: bool);

    /// Queues what is to be sent.
    ///
    /// # Errors
    /// This cannot be sent; nothing of it is queued.
    fn queue(&mut self, reply: S::Reply) -> Result<(), ProtocolError>;

    /// Writes what is queued. `Ready` when all of it is written.
    ///
    /// # Errors
    /// The operating system's; the connection is over.
    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// A callback has failed, and the connection is to end: what the protocol says then is queued.
    fn failed(&mut self) {}

    /// Nothing is queued after this: what has to be said at the end is queued.
    fn end(&mut self) {}

    /// Says that nothing more will be sent, when everything queued is written.
    ///
    /// # Errors
    /// The operating system's; the connection is over.
    fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Reads and forgets until the peer has ended too.
    ///
    /// # Errors
    /// The operating system's; the connection is over.
    fn poll_discard(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// It is over: the socket is closed, whoever still holds the connection.
    fn disconnect(&mut self);

    /// The process is to leave: returns whether the connection may end now. If not, it ends by itself when what
    /// is under way is done.
    fn finish(&mut self) -> bool;

    /// The process is to leave when its last connection has gone: a protocol that can ends this one soon, and loses
    /// nothing.
    fn wind_down(&mut self) {}

    /// What has passed so far.
    fn traffic(&self) -> Traffic;
}

/// What has arrived.
#[derive(Debug)]
pub enum Incoming<S: Scheme> {
    /// It asks to begin.
    Opening(S::Opening),
    /// A message.
    Message(S::Message),
}

/// How much one connection may take.
#[derive(Clone, Copy, Debug)]
pub struct WireLimits {
    /// The longest package that is received.
    pub package_bytes_max: usize,
}

/// Bytes of one connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Received.
    pub read: u64,
    /// Written to the socket.
    pub written: u64,
    /// Received, and no whole message yet.
    pub receive_queue: usize,
    /// To be written.
    pub send_queue: usize,
}

/// Why a connection cannot go on.
#[derive(Debug, Error)]
pub enum WireError {
    /// The peer sent what is no message.
    #[error("bad message: {0}")]
    Protocol(#[from] ProtocolError),
    /// A package is longer than it may be.
    #[error("a package of {bytes} bytes; {bytes_max} are allowed (package_bytes_max)")]
    TooLong {
        /// As far as it is known.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The operating system's words.
    #[error("connection lost: {0}")]
    Io(#[from] io::Error),
}
