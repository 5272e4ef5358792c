//! The wire of the limit servers: length-prefixed frames that mean nothing. For publish/subscribe
//! the first byte of a connection tells its role; for keys every request is simply echoed.

use super::{
    Answer, Incoming, KeyValueWire, PubSubWire, Request, Role, Wire, invalid, length_prefixed,
};
use std::io;
use workyard_protocol::frame;

const PUBLISHER: u8 = b'P';

/// First byte of a connection that wants every message.
pub(crate) const SUBSCRIBER: u8 = b'S';

pub(super) struct RawChannel;

pub(super) struct RawKeys;

impl Wire for RawChannel {
    fn greet(&self, role: Role, out: &mut Vec<u8>) {
        out.push(match role {
            Role::Subscriber => SUBSCRIBER,
            Role::Publisher | Role::Requester => PUBLISHER,
        });
    }

    fn incoming(&self, input: &[u8], _: &mut Vec<u8>) -> io::Result<Incoming> {
        Ok(match length_prefixed(input) {
            Some(frame_bytes) => {
                Incoming::Delivery { frame_bytes, payload_at: frame::LENGTH_BYTES }
            }
            None => Incoming::Partial,
        })
    }
}

impl PubSubWire for RawChannel {
    fn subscribe(&self, _: u32, _: &mut Vec<u8>) {}

    fn publish(&self, _: u32, payload: &[u8], out: &mut Vec<u8>) {
        frame::encode(out, |body| body.extend_from_slice(payload));
    }
}

impl Wire for RawKeys {
    fn greet(&self, _: Role, _: &mut Vec<u8>) {}

    fn incoming(&self, input: &[u8], _: &mut Vec<u8>) -> io::Result<Incoming> {
        let Some(frame_bytes) = length_prefixed(input) else {
            return Ok(Incoming::Partial);
        };
        if frame_bytes == frame::LENGTH_BYTES {
            return Err(invalid("an empty echo, though nothing empty was sent"));
        }
        Ok(Incoming::Answer { frame_bytes, id: 0, answer: Answer::Done })
    }
}

impl KeyValueWire for RawKeys {
    fn request(&self, _: u32, request: Request<'_>, out: &mut Vec<u8>) {
        frame::encode(out, |body| match request {
            Request::Get { key } | Request::Increment { key } => {
                body.extend_from_slice(key.as_bytes());
            }
            Request::Set { key, value: bytes }
            | Request::SwapByRevision { key, new: bytes, .. }
            | Request::SwapByToken { key, new: bytes, .. } => {
                body.extend_from_slice(key.as_bytes());
                body.extend_from_slice(bytes);
            }
            Request::SetNumber { key, number } => {
                body.extend_from_slice(key.as_bytes());
                body.extend_from_slice(&number.to_be_bytes());
            }
            Request::CompareAndSwap { key, old, new } => {
                body.extend_from_slice(key.as_bytes());
                body.extend_from_slice(old);
                body.extend_from_slice(new);
            }
        });
    }

    fn is_checked(&self) -> bool {
        false
    }
}
