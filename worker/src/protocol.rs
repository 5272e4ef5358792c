//! How bytes become messages and messages bytes: what a user writes to have a protocol of their own.

use bytes::{Bytes, BytesMut};
use std::borrow::Cow;
use thiserror::Error;

/// A protocol on a stream of bytes.
///
/// A package is a message with all that surrounds it on the wire. Each connection has a state of its own; most
/// protocols need none.
///
/// ```
/// use bytes::{BufMut, Bytes, BytesMut};
/// use workyard_worker::{Input, Payload, Protocol, ProtocolError};
///
/// /// One byte that says how long the message is, and the message.
/// struct Short;
///
/// impl Protocol for Short {
///     const NAME: &'static str = "short";
///     type State = ();
///     type Message = Bytes;
///     type Reply = Payload;
///
///     fn input((): &mut (), received: &[u8]) -> Result<Input, ProtocolError> {
///         Ok(Input::Package(1 + usize::from(received[0])))
///     }
///
///     fn decode((): &mut (), package: Bytes) -> Result<Bytes, ProtocolError> {
///         Ok(package.slice(1..))
///     }
///
///     fn encode((): &mut (), reply: Payload, out: &mut BytesMut) -> Result<(), ProtocolError> {
///         let length = reply.len().try_into();
///         out.put_u8(length.map_err(|_| ProtocolError::new("255 bytes at most"))?);
///         out.extend_from_slice(&reply);
///         Ok(())
///     }
/// }
/// ```
pub trait Protocol: 'static {
    /// What stands before `://` in an address.
    const NAME: &'static str;
    /// What is remembered of each connection.
    type State: Default + 'static;
    /// What arrives.
    type Message: 'static;
    /// What is sent.
    type Reply: 'static;

    #[doc(hidden)]
    const HAS_PACKAGES: bool = true;

    /// Looks at what was received and not taken yet, at least one byte: how long is its first package? It is asked
    /// again when more has come, until the whole package is there.
    ///
    /// # Errors
    /// What was received is no beginning of a package. The connection ends.
    fn input(state: &mut Self::State, received: &[u8]) -> Result<Input, ProtocolError>;

    /// Takes a whole package apart.
    ///
    /// # Errors
    /// It is no message. The connection ends.
    fn decode(state: &mut Self::State, package: Bytes) -> Result<Self::Message, ProtocolError>;

    /// Appends a whole package.
    ///
    /// # Errors
    /// This cannot be sent. Nothing of it is, and the connection goes on.
    fn encode(
        state: &mut Self::State,
        reply: Self::Reply,
        out: &mut BytesMut,
    ) -> Result<(), ProtocolError>;
}

/// What [`Protocol::input`] has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The length of the package cannot be told yet.
    More,
    /// The length of the package in bytes, all of it.
    Package(usize),
}

/// What is wrong with something received, or with something to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct ProtocolError(Cow<'static, str>);

impl ProtocolError {
    /// Says what is wrong, and what would be right.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self(text.into())
    }
}
