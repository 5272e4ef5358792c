//! Bytes of the wire made by hand, so that they can be wrong. This is a second, independent
//! reading of the protocol's document.

use workyard_protocol::frame::LENGTH_BYTES;
use workyard_protocol::{RequestId, ToServer, Wire};

/// The request id of bodies that are made by hand.
pub const ID: RequestId = 0x0102_0304;

/// An unsigned integer.
#[must_use]
pub fn uint(number: u64) -> Vec<u8> {
    let with = |marker: u8, bytes: &[u8]| [&[marker], bytes].concat();
    let narrow16 = u16::try_from(number);
    let narrow32 = u32::try_from(number);
    match (u8::try_from(number), narrow16, narrow32) {
        (Ok(byte @ 0..=250), _, _) => vec![byte],
        (_, Ok(narrow), _) => with(251, &narrow.to_be_bytes()),
        (_, _, Ok(narrow)) => with(252, &narrow.to_be_bytes()),
        _ => with(253, &number.to_be_bytes()),
    }
}

/// A byte string: its length, then its bytes.
#[must_use]
pub fn bytes(content: &[u8]) -> Vec<u8> {
    [&uint(content.len() as u64), content].concat()
}

/// The body of a request under [`ID`].
#[must_use]
pub fn request(operation: u8, fields: &[&[u8]]) -> Vec<u8> {
    [&[operation], &ID.to_be_bytes()[..], &fields.concat()].concat()
}

/// The body of a well-formed request under [`ID`].
#[must_use]
pub fn body<W: Wire>(request: W::Request<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    ToServer::Request(ID, request).encode(&mut out);
    out.split_off(LENGTH_BYTES)
}
