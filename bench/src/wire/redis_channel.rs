//! Redis publish/subscribe.

use super::resp::{command, reply_bytes};
use super::{Incoming, PubSubWire, Role, Wire, channel_name};
use std::io;

pub(super) struct RedisChannel {
    pub(super) payload_bytes: usize,
}

const MESSAGE: &[u8] = b"*3\r\n$7\r\nmessage\r\n";
const CHANNEL_BYTES: usize = "$8\r\nch000000\r\n".len();

impl Wire for RedisChannel {
    fn greet(&self, _: Role, _: &mut Vec<u8>) {}

    fn incoming(&self, input: &[u8], _: &mut Vec<u8>) -> io::Result<Incoming> {
        if !input.starts_with(MESSAGE) {
            return Ok(match reply_bytes(input)? {
                Some(frame_bytes) => Incoming::Control { frame_bytes },
                None => Incoming::Partial,
            });
        }
        let payload_at = MESSAGE.len() + CHANNEL_BYTES + digits(self.payload_bytes) + "$\r\n".len();
        let frame_bytes = payload_at + self.payload_bytes + "\r\n".len();
        if input.len() < frame_bytes {
            return Ok(Incoming::Partial);
        }
        Ok(Incoming::Delivery { frame_bytes, payload_at })
    }
}

impl PubSubWire for RedisChannel {
    fn subscribe(&self, channel: u32, out: &mut Vec<u8>) {
        command(&[b"SUBSCRIBE", channel_name(channel).as_bytes()], out);
    }

    fn publish(&self, channel: u32, payload: &[u8], out: &mut Vec<u8>) {
        command(&[b"PUBLISH", channel_name(channel).as_bytes(), payload], out);
    }
}

fn digits(number: usize) -> usize {
    number.checked_ilog10().unwrap_or(0) as usize + 1
}
