//! Redis keys. Its compare-and-swap is a Lua script.

use super::resp::{command, reply_bytes};
use super::{Answer, Incoming, KeyValueWire, Request, Role, Wire, line, malformed, number};
use std::io;

pub(super) struct RedisKeys;

const SWAP_SCRIPT: &[u8] = b"if redis.call('GET',KEYS[1])==ARGV[1] then \
    redis.call('SET',KEYS[1],ARGV[2]) return 1 else return 0 end";

impl Wire for RedisKeys {
    fn greet(&self, _: Role, _: &mut Vec<u8>) {}

    fn incoming(&self, input: &[u8], _: &mut Vec<u8>) -> io::Result<Incoming> {
        let Some(frame_bytes) = reply_bytes(input)? else {
            return Ok(Incoming::Partial);
        };
        let answer = match input {
            [b'+', ..] | [b':', b'1', b'\r', ..] => Answer::Done,
            [b':', b'0', b'\r', ..] | [b'$', b'-', ..] => Answer::Declined,
            [b':', digits @ ..] => {
                let digits = &digits[..frame_bytes - 3];
                Answer::Number(number(digits).ok_or_else(|| malformed("redis", input))?)
            }
            [b'$', ..] => {
                let (_, at) = line(input).ok_or_else(|| malformed("redis", input))?;
                Answer::Value { at, bytes: frame_bytes - at - 2 }
            }
            _ => return Err(malformed("redis", input)),
        };
        Ok(Incoming::Answer { frame_bytes, id: 0, answer })
    }
}

impl KeyValueWire for RedisKeys {
    fn request(&self, _: u32, request: Request<'_>, out: &mut Vec<u8>) {
        match request {
            Request::Get { key } => command(&[b"GET", key.as_bytes()], out),
            Request::Set { key, value } => command(&[b"SET", key.as_bytes(), value], out),
            Request::SetNumber { key, number } => {
                command(&[b"SET", key.as_bytes(), number.to_string().as_bytes()], out);
            }
            Request::Increment { key } => command(&[b"INCRBY", key.as_bytes(), b"1"], out),
            Request::CompareAndSwap { key, old, new } => {
                command(&[b"EVAL", SWAP_SCRIPT, b"1", key.as_bytes(), old, new], out);
            }
            Request::SwapByRevision { .. } | Request::SwapByToken { .. } => {
                unreachable!("redis compares values")
            }
        }
    }
}
