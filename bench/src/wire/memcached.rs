//! memcached text protocol. Its compare-and-swap takes two round trips: `gets` for a version
//! token, then `cas`.

use super::{Answer, Incoming, KeyValueWire, Request, Role, SwapBy, Wire, line, malformed, number};
use std::io;

pub(super) struct Memcached;

impl Wire for Memcached {
    fn greet(&self, _: Role, _: &mut Vec<u8>) {}

    fn incoming(&self, input: &[u8], _: &mut Vec<u8>) -> io::Result<Incoming> {
        let Some((head, head_bytes)) = line(input) else {
            return Ok(Incoming::Partial);
        };
        let answer = match head {
            b"STORED" => Answer::Done,
            b"NOT_STORED" | b"NOT_FOUND" | b"EXISTS" | b"END" => Answer::Declined,
            [b'0'..=b'9', ..] => {
                Answer::Number(number(head).ok_or_else(|| malformed("memcached", input))?)
            }
            [b'V', b'A', b'L', b'U', b'E', b' ', rest @ ..] => {
                return value(input, rest, head_bytes);
            }
            _ => return Err(malformed("memcached", input)),
        };
        Ok(Incoming::Answer { frame_bytes: head_bytes, id: 0, answer })
    }
}

impl KeyValueWire for Memcached {
    fn request(&self, _: u32, request: Request<'_>, out: &mut Vec<u8>) {
        match request {
            Request::Get { key } => words(&format!("get {key}\r\n"), out),
            Request::Set { key, value } => store("set", key, "", value, out),
            Request::SetNumber { key, number } => {
                store("set", key, "", number.to_string().as_bytes(), out);
            }
            Request::Increment { key } => words(&format!("incr {key} 1\r\n"), out),
            Request::CompareAndSwap { key, .. } => words(&format!("gets {key}\r\n"), out),
            Request::SwapByToken { key, token, new } => {
                store("cas", key, &format!(" {token}"), new, out);
            }
            Request::SwapByRevision { .. } => unreachable!("memcached compares tokens"),
        }
    }

    fn swap_by(&self) -> SwapBy {
        SwapBy::Token
    }
}

fn words(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(text.as_bytes());
}

fn store(verb: &str, key: &str, token: &str, value: &[u8], out: &mut Vec<u8>) {
    words(&format!("{verb} {key} 0 0 {}{token}\r\n", value.len()), out);
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// `VALUE <key> <flags> <bytes> [<token>]`, the value, `END`.
fn value(input: &[u8], words: &[u8], head_bytes: usize) -> io::Result<Incoming> {
    let mut words = words.split(|byte| *byte == b' ').skip(2);
    let bytes =
        words.next().and_then(number).ok_or_else(|| malformed("memcached", input))? as usize;
    let frame_bytes = head_bytes + bytes + "\r\nEND\r\n".len();
    if input.len() < frame_bytes {
        return Ok(Incoming::Partial);
    }
    let answer = match words.next().and_then(number) {
        Some(token) => Answer::Token(token),
        None => Answer::Value { at: head_bytes, bytes },
    };
    Ok(Incoming::Answer { frame_bytes, id: 0, answer })
}
