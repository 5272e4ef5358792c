//! What both native wires share: frames, the hello, heartbeats, refusals.

use super::{Incoming, invalid};
use std::io;
use workyard_protocol as protocol;
use workyard_protocol::control::{Hello, ServiceKind};
use workyard_protocol::{ToClient, ToServer, frame};

/// Where the operation code and the request id stand in a frame.
pub(super) const OPERATION_AT: usize = frame::LENGTH_BYTES;
pub(super) const ID_AT: usize = OPERATION_AT + 1;

const PING: u8 = 0x02;
const PONG: u8 = 0x03;

/// A whole frame, cut but not decoded.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    /// With its length.
    pub(super) bytes: &'a [u8],
    pub(super) operation: u8,
}

/// The frame at the start of `input`, or nothing while it is incomplete.
pub(super) fn whole_frame(input: &[u8]) -> io::Result<Option<Frame<'_>>> {
    let Some(prefix) = input.first_chunk::<{ frame::LENGTH_BYTES }>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*prefix) as usize;
    if length <= OPERATION_AT {
        return Err(invalid(format!("a frame of {length} bytes has no operation")));
    }
    let frame = input.get(..length);
    Ok(frame.map(|bytes| Frame { bytes, operation: bytes[OPERATION_AT] }))
}

/// The hello of a client of `service`.
pub(super) fn greet(service: ServiceKind, out: &mut Vec<u8>) {
    type Any<'a> = ToServer<'a, protocol::channel::Request<'a>>;
    Any::Hello(Hello::new(service, "workyard-bench")).encode(out);
}

/// Takes a frame that is neither answer nor push: answers a ping, and gives the server's words when
/// it refuses or says goodbye.
pub(super) fn control<'a, W: protocol::Wire>(
    frame: Frame<'a>,
    out: &mut Vec<u8>,
) -> io::Result<Incoming> {
    let frame_bytes = frame.bytes.len();
    if frame.operation == PING {
        let token = &frame.bytes[ID_AT..];
        frame::encode(out, |body| {
            body.push(PONG);
            body.extend_from_slice(token);
        });
        return Ok(Incoming::Control { frame_bytes });
    }
    match decoded::<W>(frame)? {
        ToClient::Welcome(_) => Ok(Incoming::Welcome { frame_bytes }),
        ToClient::Goodbye(goodbye) => Err(invalid(format!("goodbye: {}", goodbye.refusal))),
        ToClient::Refused(_, refusal) => Err(invalid(format!("refused: {refusal}"))),
        _ => Ok(Incoming::Control { frame_bytes }),
    }
}

/// The frame as the protocol reads it.
pub(super) fn decoded<'a, W: protocol::Wire>(
    frame: Frame<'a>,
) -> io::Result<ToClient<'a, W::Reply<'a>, W::Push<'a>>> {
    let body = &frame.bytes[OPERATION_AT..];
    ToClient::decode(body).map_err(|error| invalid(error.to_string()))
}

/// The request id of a reply.
pub(super) fn request_id(frame: Frame<'_>) -> io::Result<u32> {
    let id = frame.bytes.get(ID_AT..).and_then(|rest| rest.first_chunk());
    Ok(u32::from_be_bytes(*id.ok_or_else(|| invalid("the frame ends within the request id"))?))
}

/// An unsigned integer of a header, and how many bytes it takes.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let (first, rest) = bytes.split_first()?;
    Some(match first {
        0..=250 => (u64::from(*first), 1),
        251 => (u64::from(u16::from_be_bytes(*rest.first_chunk()?)), 3),
        252 => (u64::from(u32::from_be_bytes(*rest.first_chunk()?)), 5),
        253 => (u64::from_be_bytes(*rest.first_chunk()?), 9),
        _ => return None,
    })
}

/// Appends an unsigned integer as headers hold it.
pub(super) fn put_varint(number: u64, out: &mut Vec<u8>) {
    if let Ok(small @ 0..=250) = u8::try_from(number) {
        out.push(small);
    } else if let Ok(number) = u16::try_from(number) {
        out.push(251);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = u32::try_from(number) {
        out.push(252);
        out.extend_from_slice(&number.to_be_bytes());
    } else {
        out.push(253);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

/// A signed integer of a header, from its unsigned form.
pub(super) fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_come_back() {
        for number in [0, 1, 250, 251, 65_535, 65_536, 0xFFFF_FFFF, 0x1_0000_0000, u64::MAX] {
            let mut bytes = Vec::new();
            put_varint(number, &mut bytes);
            assert_eq!(varint(&bytes), Some((number, bytes.len())));
            for end in 0..bytes.len() {
                assert_eq!(varint(&bytes[..end]), None);
            }
        }
        assert_eq!(varint(&[254, 0, 0]), None);
        assert_eq!([0, 1, 2, 3, u64::MAX].map(unzigzag), [0, -1, 1, -2, i64::MIN]);
    }
}
