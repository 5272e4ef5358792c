//! The native wire of globaldata-server: requests by id, compare-and-swap by revision.

use super::native::{
    Frame, ID_AT, control, decoded, greet, put_varint, request_id, unzigzag, varint, whole_frame,
};
use super::{Answer, Incoming, KeyValueWire, Request, Role, SwapBy, Wire, invalid};
use std::io;
use workyard_protocol::control::ServiceKind;
use workyard_protocol::globaldata::{
    Expect, Expiry, Get, GlobalDataWire, Increment, Reply, Request as Native, Write, Written,
};
use workyard_protocol::{Key, Number, ToClient, ToServer, ValueRef, frame};

pub(super) struct NativeGlobalData {
    pub(super) verify: bool,
}

const WRITE: u8 = 0x32;
const GOT: u8 = 0xB0;
const WRITTEN: u8 = 0xB2;
const INCREMENTED: u8 = 0xB3;

/// Where a reply's header begins.
const HEADER_AT: usize = ID_AT + 4;

impl Wire for NativeGlobalData {
    fn greet(&self, _: Role, out: &mut Vec<u8>) {
        greet(ServiceKind::GlobalData, out);
    }

    fn awaits_welcome(&self) -> bool {
        true
    }

    fn incoming(&self, input: &[u8], out: &mut Vec<u8>) -> io::Result<Incoming> {
        let Some(frame) = whole_frame(input)? else {
            return Ok(Incoming::Partial);
        };
        let header = frame.bytes.get(HEADER_AT..).unwrap_or_default();
        let answer = match frame.operation {
            GOT => got(header),
            WRITTEN => written(header),
            INCREMENTED => incremented(header),
            _ => return control::<GlobalDataWire>(frame, out),
        };
        let answer = answer.ok_or_else(|| invalid("a reply ends within its header"))?;
        if self.verify {
            check(frame, answer)?;
        }
        Ok(Incoming::Answer { frame_bytes: frame.bytes.len(), id: request_id(frame)?, answer })
    }
}

/// An entry or none; then its revision, no ttl, its tag and the value.
fn got(header: &[u8]) -> Option<Answer> {
    let (is_there, rest) = header.split_first()?;
    if *is_there == 0 {
        return Some(Answer::Declined);
    }
    let (_, revision_bytes) = varint(rest)?;
    let (0, _) = rest[revision_bytes..].split_first()? else {
        return None;
    };
    let before = 1 + revision_bytes + 1 + 1;
    Some(Answer::Value { at: HEADER_AT + before, bytes: header.len().checked_sub(before)? })
}

/// Whether it was stored, and the revision.
fn written(header: &[u8]) -> Option<Answer> {
    let (is_stored, rest) = header.split_first()?;
    let (revision, _) = varint(rest)?;
    Some(match is_stored {
        0 => Answer::Declined,
        _ => Answer::Stored { revision },
    })
}

/// The revision, then an integer (kind 0) or a float.
fn incremented(header: &[u8]) -> Option<Answer> {
    let (_, revision_bytes) = varint(header)?;
    let (0, rest) = header[revision_bytes..].split_first()? else {
        return None;
    };
    let (number, _) = varint(rest)?;
    Some(Answer::Number(u64::try_from(unzigzag(number)).ok()?))
}

/// Decodes the reply in full and compares with what was read at a glance.
fn check(frame: Frame<'_>, glance: Answer) -> io::Result<()> {
    let ToClient::Reply(_, reply) = decoded::<GlobalDataWire>(frame)? else {
        return Err(invalid("not a reply"));
    };
    let answer = match &reply {
        Reply::Got(None) | Reply::Written(Written::Conflict { .. }) => Some(Answer::Declined),
        Reply::Got(Some(entry)) => {
            let bytes = entry.value.byte_len();
            let at = frame.bytes.len() - bytes;
            Some(Answer::Value { at, bytes })
        }
        Reply::Written(Written::Stored { revision }) => {
            Some(Answer::Stored { revision: *revision })
        }
        Reply::Incremented { value: Number::Int(number), .. } => {
            u64::try_from(*number).ok().map(Answer::Number)
        }
        _ => None,
    };
    if answer != Some(glance) {
        return Err(invalid(format!("{glance:?} was read, but it is {reply:?}")));
    }
    Ok(())
}

impl KeyValueWire for NativeGlobalData {
    fn request(&self, id: u32, request: Request<'_>, out: &mut Vec<u8>) {
        let write = |key, value| {
            let (expect, expiry) = (Expect::Any, Expiry::Never);
            Native::Write(Write { key: named(key), expect, expiry, value })
        };
        let native = match request {
            Request::Get { key } => Native::Get(Get { key: named(key) }),
            Request::Set { key, value } => write(key, ValueRef::raw(value)),
            Request::SetNumber { key, number } => write(key, ValueRef::Int(number.cast_signed())),
            Request::Increment { key } => {
                let (by, expiry) = (Number::Int(1), Expiry::Keep);
                Native::Increment(Increment { key: named(key), by, initial: None, expiry })
            }
            Request::SwapByRevision { key, revision, new } => {
                return swap(id, key, revision, new, out);
            }
            Request::CompareAndSwap { .. } | Request::SwapByToken { .. } => {
                unreachable!("globaldata-server compares revisions")
            }
        };
        ToServer::Request(id, native).encode(out);
    }

    fn swap_by(&self) -> SwapBy {
        SwapBy::Revision
    }

    fn id_at(&self) -> Option<usize> {
        Some(ID_AT)
    }
}

/// The one request that is different every time, written by hand: the general encoder would cost the
/// generator more than the request costs the server.
fn swap(id: u32, key: &str, revision: u64, new: &[u8], out: &mut Vec<u8>) {
    const EXPECT_REVISION: u8 = 2;
    const NEVER_EXPIRES: u8 = 0;
    const RAW: u8 = 0;
    frame::encode(out, |body| {
        body.push(WRITE);
        body.extend_from_slice(&id.to_be_bytes());
        put_varint(key.len() as u64, body);
        body.extend_from_slice(key.as_bytes());
        body.push(EXPECT_REVISION);
        put_varint(revision, body);
        body.push(NEVER_EXPIRES);
        body.push(RAW);
        body.extend_from_slice(new);
    });
}

fn named(key: &str) -> Key<'_> {
    Key::new(key).expect("the keys of a run are short")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_is_what_the_protocol_says() {
        for revision in [0, 250, 251, 70_000, 1 << 40] {
            let (mut by_hand, mut by_protocol) = (Vec::new(), Vec::new());
            swap(9, "swap:0000000001", revision, b"bbbb", &mut by_hand);
            let write = Native::Write(Write {
                key: named("swap:0000000001"),
                expect: Expect::Revision(revision),
                expiry: Expiry::Never,
                value: ValueRef::raw(b"bbbb"),
            });
            ToServer::Request(9, write).encode(&mut by_protocol);
            assert_eq!(by_hand, by_protocol, "revision {revision}");
        }
    }
}
