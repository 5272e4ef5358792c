//! No protocol: what is read is what arrives.

use crate::{Input, Payload, Protocol, ProtocolError};
use bytes::{Bytes, BytesMut};

/// Bytes as they come, a message for each read.
#[derive(Clone, Copy, Debug)]
pub struct Tcp;

impl Protocol for Tcp {
    const NAME: &'static str = "tcp";
    const HAS_PACKAGES: bool = false;
    type State = ();
    type Message = Bytes;
    type Reply = Payload;

    fn input((): &mut (), received: &[u8]) -> Result<Input, ProtocolError> {
        Ok(Input::Package(received.len()))
    }

    fn decode((): &mut (), package: Bytes) -> Result<Bytes, ProtocolError> {
        Ok(package)
    }

    fn encode((): &mut (), reply: Payload, out: &mut BytesMut) -> Result<(), ProtocolError> {
        out.extend_from_slice(&reply);
        Ok(())
    }
}
