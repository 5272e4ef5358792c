//! Messages behind their length.

use crate::{Input, Payload, Protocol, ProtocolError};
use bytes::{BufMut, Bytes, BytesMut};

/// `u32` big-endian, the length of all including these four bytes, and the message.
#[derive(Clone, Copy, Debug)]
pub struct Frame;

const HEADER_BYTES: usize = 4;

impl Protocol for Frame {
    const NAME: &'static str = "frame";
    type State = ();
    type Message = Bytes;
    type Reply = Payload;

    fn input((): &mut (), received: &[u8]) -> Result<Input, ProtocolError> {
        let Some(header) = received.first_chunk::<HEADER_BYTES>() else { return Ok(Input::More) };
        let length = u32::from_be_bytes(*header) as usize;
        if length < HEADER_BYTES {
            let text = format!("a frame of {length} bytes: its length counts its own 4 bytes");
            return Err(ProtocolError::new(text));
        }
        Ok(Input::Package(length))
    }

    fn decode((): &mut (), package: Bytes) -> Result<Bytes, ProtocolError> {
        Ok(package.slice(HEADER_BYTES..))
    }

    fn encode((): &mut (), reply: Payload, out: &mut BytesMut) -> Result<(), ProtocolError> {
        let length = u32::try_from(HEADER_BYTES + reply.len());
        let length = length.map_err(|_| ProtocolError::new("a frame has 4 GiB at most"))?;
        out.reserve(HEADER_BYTES + reply.len());
        out.put_u32(length);
        out.extend_from_slice(&reply);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_count_their_own_length() {
        let mut out = BytesMut::new();
        Frame::encode(&mut (), "abc".into(), &mut out).unwrap();
        assert_eq!(&out[..], b"\0\0\0\x07abc");
        assert_eq!(Frame::input(&mut (), &out), Ok(Input::Package(7)));
        assert_eq!(Frame::decode(&mut (), out.freeze()).unwrap(), "abc");
        assert_eq!(Frame::input(&mut (), b"\0\0\0"), Ok(Input::More));
        let error = Frame::input(&mut (), b"\0\0\0\x03").unwrap_err();
        assert!(error.to_string().contains("its own 4 bytes"));
    }
}
