//! JSON behind its length: four bytes, big-endian, that count all, their own four included.

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::Value;
use workyard_worker::{Input, Protocol, ProtocolError};

pub(crate) struct JsonInt;

const HEADER_BYTES: usize = 4;

impl Protocol for JsonInt {
    const NAME: &'static str = "jsonint";
    type State = ();
    type Message = Value;
    type Reply = Value;

    fn input((): &mut (), received: &[u8]) -> Result<Input, ProtocolError> {
        let Some(header) = received.first_chunk::<HEADER_BYTES>() else { return Ok(Input::More) };
        match u32::from_be_bytes(*header) as usize {
            length if length > HEADER_BYTES => Ok(Input::Package(length)),
            length => Err(ProtocolError::new(format!("a package of {length} bytes has no JSON"))),
        }
    }

    fn decode((): &mut (), package: Bytes) -> Result<Value, ProtocolError> {
        serde_json::from_slice(&package[HEADER_BYTES..])
            .map_err(|error| ProtocolError::new(format!("no JSON: {error}")))
    }

    fn encode((): &mut (), reply: Value, out: &mut BytesMut) -> Result<(), ProtocolError> {
        let text = reply.to_string();
        let length = u32::try_from(HEADER_BYTES + text.len());
        out.put_u32(length.map_err(|_| ProtocolError::new("4 GiB at most"))?);
        out.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
