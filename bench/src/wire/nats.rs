//! NATS core text protocol.

use super::{Incoming, PubSubWire, Role, Wire, channel_name, line, malformed};
use std::io;

pub(super) struct Nats {
    pub(super) payload_bytes: usize,
}

const CONNECT: &[u8] = b"CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"raw\",\
    \"version\":\"0\",\"protocol\":1,\"echo\":true}\r\n";

impl Wire for Nats {
    fn greet(&self, _: Role, out: &mut Vec<u8>) {
        out.extend_from_slice(CONNECT);
    }

    fn incoming(&self, input: &[u8], out: &mut Vec<u8>) -> io::Result<Incoming> {
        const CONTROL_BYTES_MAX: usize = 4096;
        let head = &input[..input.len().min(CONTROL_BYTES_MAX)];
        let Some((words, head_bytes)) = line(head) else {
            return Ok(Incoming::Partial);
        };
        let control = Incoming::Control { frame_bytes: head_bytes };
        Ok(match words {
            [b'M', b'S', b'G', b' ', ..] => {
                let frame_bytes = head_bytes + self.payload_bytes + 2;
                if input.len() < frame_bytes {
                    return Ok(Incoming::Partial);
                }
                Incoming::Delivery { frame_bytes, payload_at: head_bytes }
            }
            b"PING" => {
                out.extend_from_slice(b"PONG\r\n");
                control
            }
            [b'I', b'N', b'F', b'O', ..] | b"PONG" | b"+OK" => control,
            _ => return Err(malformed("nats", input)),
        })
    }
}

impl PubSubWire for Nats {
    fn subscribe(&self, channel: u32, out: &mut Vec<u8>) {
        let text = format!("SUB {} {channel}\r\n", channel_name(channel));
        out.extend_from_slice(text.as_bytes());
    }

    fn publish(&self, channel: u32, payload: &[u8], out: &mut Vec<u8>) {
        let head = format!("PUB {} {}\r\n", channel_name(channel), payload.len());
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(payload);
        out.extend_from_slice(b"\r\n");
    }
}
