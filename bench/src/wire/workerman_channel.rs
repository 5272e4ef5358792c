//! The wire of workerman/channel, as its PHP client writes it.

use super::workerman::{string, unexpected};
use super::{Incoming, PubSubWire, Role, Wire, channel_name, length_prefixed};
use std::io;
use workyard_protocol::frame;

pub(super) struct WorkermanChannel {
    /// What stands before the payload of every event, but for the frame's length and the channel.
    head: Vec<u8>,
    payload_bytes: usize,
    verify: bool,
}

const EVENT: &[u8] = b"a:3:{s:4:\"type\";s:5:\"event\";s:7:\"channel\";";
const CHANNEL_BYTES: usize = "s:8:\"ch000000\";".len();
const AFTER_PAYLOAD: &[u8] = b"\";}";

impl WorkermanChannel {
    pub(super) fn new(payload_bytes: usize, verify: bool) -> Self {
        let head = format!("s:4:\"data\";s:{payload_bytes}:\"").into_bytes();
        Self { head, payload_bytes, verify }
    }

    fn payload_at(&self) -> usize {
        frame::LENGTH_BYTES + EVENT.len() + CHANNEL_BYTES + self.head.len()
    }

    fn is_event(&self, frame: &[u8]) -> bool {
        let (head, rest) = frame.split_at(self.payload_at());
        let (before, data) = head.split_at(head.len() - self.head.len());
        let (kind, channel) = before[frame::LENGTH_BYTES..].split_at(EVENT.len());
        kind == EVENT
            && channel.starts_with(b"s:8:\"ch")
            && data == self.head
            && rest.ends_with(AFTER_PAYLOAD)
    }
}

impl Wire for WorkermanChannel {
    /// The sign of life that clients send when they have nothing to say: it is never answered.
    fn greet(&self, _: Role, out: &mut Vec<u8>) {
        frame::encode(out, |_| {});
    }

    fn incoming(&self, input: &[u8], _: &mut Vec<u8>) -> io::Result<Incoming> {
        let Some(frame_bytes) = length_prefixed(input) else {
            return Ok(Incoming::Partial);
        };
        let frame = &input[..frame_bytes];
        let payload_at = self.payload_at();
        let is_event = frame_bytes == payload_at + self.payload_bytes + AFTER_PAYLOAD.len();
        if !is_event || (self.verify && !self.is_event(frame)) {
            return Err(unexpected(frame));
        }
        Ok(Incoming::Delivery { frame_bytes, payload_at })
    }
}

impl PubSubWire for WorkermanChannel {
    fn subscribe(&self, channel: u32, out: &mut Vec<u8>) {
        request(2, "subscribe", channel, out, |_| {});
    }

    fn publish(&self, channel: u32, payload: &[u8], out: &mut Vec<u8>) {
        request(3, "publish", channel, out, |body| {
            body.extend_from_slice(b"s:4:\"data\";");
            string(payload, body);
        });
    }
}

fn request(
    fields: usize,
    verb: &str,
    channel: u32,
    out: &mut Vec<u8>,
    more: impl FnOnce(&mut Vec<u8>),
) {
    frame::encode(out, |body| {
        body.extend_from_slice(format!("a:{fields}:{{s:4:\"type\";").as_bytes());
        string(verb.as_bytes(), body);
        body.extend_from_slice(b"s:8:\"channels\";a:1:{i:0;");
        string(channel_name(channel).as_bytes(), body);
        body.push(b'}');
        more(body);
        body.push(b'}');
    });
}
