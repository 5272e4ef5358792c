//! The wire of workerman/globaldata, as its PHP client writes it. Compare-and-swap goes by the MD5
//! of the old value's text.

use super::workerman::{string, unexpected};
use super::{Answer, Incoming, KeyValueWire, Request, Role, Wire, length_prefixed, number};
use md5::{Digest, Md5};
use std::io;
use workyard_protocol::frame;

pub(super) struct WorkermanGlobalData;

impl Wire for WorkermanGlobalData {
    /// The sign of life that clients send when they have nothing to ask: it is never answered.
    fn greet(&self, _: Role, out: &mut Vec<u8>) {
        frame::encode(out, |body| body.extend_from_slice(b"ping"));
    }

    fn incoming(&self, input: &[u8], _: &mut Vec<u8>) -> io::Result<Incoming> {
        let Some(frame_bytes) = length_prefixed(input) else {
            return Ok(Incoming::Partial);
        };
        let frame = &input[..frame_bytes];
        let answer = match &frame[frame::LENGTH_BYTES..] {
            b"b:1;" => Some(Answer::Done),
            b"b:0;" | b"N;" => Some(Answer::Declined),
            [b'i', b':', digits @ .., b';'] => number(digits).map(Answer::Number),
            [b's', b':', rest @ ..] => value(rest),
            _ => None,
        };
        let answer = answer.ok_or_else(|| unexpected(frame))?;
        Ok(Incoming::Answer { frame_bytes, id: 0, answer })
    }
}

/// What a string holds, from behind its `s:`.
fn value(rest: &[u8]) -> Option<Answer> {
    let digits = rest.iter().position(|byte| *byte == b':')?;
    let bytes = number(&rest[..digits])? as usize;
    let (before, after) = (":\"".len(), "\";".len());
    let is_whole = rest.len() == digits + before + bytes + after && rest.ends_with(b"\";");
    let at = frame::LENGTH_BYTES + "s:".len() + digits + before;
    is_whole.then_some(Answer::Value { at, bytes })
}

impl KeyValueWire for WorkermanGlobalData {
    fn request(&self, _: u32, request: Request<'_>, out: &mut Vec<u8>) {
        frame::encode(out, |body| {
            fields(request, body);
            body.push(b'}');
        });
    }
}

fn fields(request: Request<'_>, body: &mut Vec<u8>) {
    match request {
        Request::Get { key } => command(2, "get", key, body),
        Request::Set { key, value } => {
            command(3, "set", key, body);
            field("value", value, body);
        }
        Request::SetNumber { key, number } => {
            command(3, "set", key, body);
            string(b"value", body);
            body.extend_from_slice(format!("i:{number};").as_bytes());
        }
        Request::Increment { key } => {
            command(3, "increment", key, body);
            body.extend_from_slice(b"s:4:\"step\";i:1;");
        }
        Request::CompareAndSwap { key, old, new } => {
            verb(4, "cas", body);
            field("md5", digest(old).as_bytes(), body);
            field("key", key.as_bytes(), body);
            field("value", new, body);
        }
        Request::SwapByRevision { .. } | Request::SwapByToken { .. } => {
            unreachable!("workerman/globaldata compares values")
        }
    }
}

fn command(fields: usize, name: &str, key: &str, body: &mut Vec<u8>) {
    verb(fields, name, body);
    field("key", key.as_bytes(), body);
}

fn verb(fields: usize, name: &str, body: &mut Vec<u8>) {
    body.extend_from_slice(format!("a:{fields}:{{").as_bytes());
    field("cmd", name.as_bytes(), body);
}

fn field(name: &str, value: &[u8], body: &mut Vec<u8>) {
    string(name.as_bytes(), body);
    string(value, body);
}

/// What the server compares: the MD5 of the text that PHP writes of the value.
fn digest(value: &[u8]) -> String {
    let mut text = Vec::new();
    string(value, &mut text);
    Md5::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect()
}
