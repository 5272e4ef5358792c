//! XML behind its length: ten digits that count all, their own ten included.

use bytes::{Bytes, BytesMut};
use workyard_worker::{Input, Payload, Protocol, ProtocolError};

pub(crate) struct Xml;

const HEADER_BYTES: usize = 10;

impl Protocol for Xml {
    const NAME: &'static str = "xml";
    type State = ();
    type Message = String;
    type Reply = Payload;

    fn input((): &mut (), received: &[u8]) -> Result<Input, ProtocolError> {
        let Some(digits) = received.first_chunk::<HEADER_BYTES>() else { return Ok(Input::More) };
        let length = std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok());
        match length {
            Some(length) if length >= HEADER_BYTES => Ok(Input::Package(length)),
            _ => Err(ProtocolError::new("a length of ten digits, of 10 at least, comes first")),
        }
    }

    fn decode((): &mut (), package: Bytes) -> Result<String, ProtocolError> {
        let text = String::from_utf8(package[HEADER_BYTES..].to_vec());
        text.map_err(|_| ProtocolError::new("XML here is UTF-8"))
    }

    fn encode((): &mut (), reply: Payload, out: &mut BytesMut) -> Result<(), ProtocolError> {
        out.extend_from_slice(format!("{:010}", HEADER_BYTES + reply.len()).as_bytes());
        out.extend_from_slice(&reply);
        Ok(())
    }
}
