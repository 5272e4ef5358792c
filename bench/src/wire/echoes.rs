//! What is to come back as it was sent, as lines and as WebSocket messages; and greetings over HTTP.

use super::{Answer, Incoming, KeyValueWire, Request, Role, Wire, invalid, line};
use std::io;

pub(super) struct Lines;

pub(super) struct WebSocket {
    /// A limit server knows no handshake.
    pub(super) greets: bool,
}

const HANDSHAKE: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// The last fragment of a text message.
const TEXT: u8 = 0x81;
const MASKED: u8 = 0x80;
const MASK_BYTES: usize = 4;
/// Longer payloads have their length elsewhere.
const SHORT_MAX: usize = 125;

impl Wire for Lines {
    fn greet(&self, _: Role, _: &mut Vec<u8>) {}

    fn incoming(&self, input: &[u8], _: &mut Vec<u8>) -> io::Result<Incoming> {
        let Some(end) = input.iter().position(|byte| *byte == b'\n') else {
            return Ok(Incoming::Partial);
        };
        Ok(Incoming::Answer { frame_bytes: end + 1, id: 0, answer: Answer::Done })
    }
}

impl KeyValueWire for Lines {
    fn request(&self, _: u32, request: Request<'_>, out: &mut Vec<u8>) {
        put(request, out);
        out.push(b'\n');
    }

    fn is_checked(&self) -> bool {
        false
    }
}

impl Wire for WebSocket {
    fn greet(&self, _: Role, out: &mut Vec<u8>) {
        if self.greets {
            out.extend_from_slice(HANDSHAKE.as_bytes());
        }
    }

    fn awaits_welcome(&self) -> bool {
        self.greets
    }

    fn incoming(&self, input: &[u8], _: &mut Vec<u8>) -> io::Result<Incoming> {
        if input.first() == Some(&b'H') {
            return welcome(input);
        }
        let Some([first, length]) = input.first_chunk() else { return Ok(Incoming::Partial) };
        let payload = usize::from(length & !MASKED);
        if *first != TEXT || payload > SHORT_MAX {
            return Err(invalid(format!("not a short text message: {first:02x} {length:02x}")));
        }
        let mask = if length & MASKED == 0 { 0 } else { MASK_BYTES };
        let frame_bytes = 2 + mask + payload;
        if input.len() < frame_bytes {
            return Ok(Incoming::Partial);
        }
        Ok(Incoming::Answer { frame_bytes, id: 0, answer: Answer::Done })
    }
}

/// The answer to the handshake.
fn welcome(input: &[u8]) -> io::Result<Incoming> {
    let Some(end) = input.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return Ok(Incoming::Partial);
    };
    match line(input) {
        Some((status, _)) if status.starts_with(b"HTTP/1.1 101 ") => {
            Ok(Incoming::Welcome { frame_bytes: end + 4 })
        }
        _ => Err(invalid("the handshake is refused")),
    }
}

impl KeyValueWire for WebSocket {
    fn request(&self, _: u32, request: Request<'_>, out: &mut Vec<u8>) {
        let mut payload = Vec::new();
        put(request, &mut payload);
        assert!(payload.len() <= SHORT_MAX, "requests are short");
        out.extend_from_slice(&[TEXT, MASKED | payload.len() as u8]);
        // Masked with nothing, so that the key stands in it; who unmasks has the same work.
        out.extend_from_slice(&[0; MASK_BYTES]);
        out.append(&mut payload);
    }

    fn is_checked(&self) -> bool {
        false
    }
}

/// Requests that are answered with a greeting.
pub(super) struct Http;

impl Wire for Http {
    fn greet(&self, _: Role, _: &mut Vec<u8>) {}

    fn incoming(&self, input: &[u8], _: &mut Vec<u8>) -> io::Result<Incoming> {
        const LENGTH: &[u8] = b"content-length: 5\r\n";
        let Some(end) = input.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            return Ok(Incoming::Partial);
        };
        let frame_bytes = end + 4 + b"hello".len();
        if input.len() < frame_bytes {
            return Ok(Incoming::Partial);
        }
        let head = &input[..end + 2];
        let has_length = head.windows(LENGTH.len()).any(|it| it.eq_ignore_ascii_case(LENGTH));
        if !head.starts_with(b"HTTP/1.1 200 ") || !has_length {
            return Err(invalid(format!("no greeting: {:?}", String::from_utf8_lossy(head))));
        }
        Ok(Incoming::Answer { frame_bytes, id: 0, answer: Answer::Done })
    }
}

impl KeyValueWire for Http {
    fn request(&self, _: u32, request: Request<'_>, out: &mut Vec<u8>) {
        if let Request::Set { key, .. } = request {
            out.extend_from_slice(format!("GET /{key} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes());
        }
    }

    fn is_checked(&self) -> bool {
        false
    }
}

fn put(request: Request<'_>, out: &mut Vec<u8>) {
    if let Request::Set { key, value } = request {
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(value);
    }
}
