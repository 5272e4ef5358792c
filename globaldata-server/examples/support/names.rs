//! Keys by number.

use workyard_protocol::Key;

pub(crate) fn name(number: u64) -> [u8; 14] {
    let mut name = *b"key:0000000000";
    for (place, digit) in name[4..].iter_mut().rev().enumerate() {
        *digit = b'a' + (number >> (4 * place)) as u8 % 16;
    }
    name
}

pub(crate) fn key(name: &[u8; 14]) -> Key<'_> {
    Key::new(name).expect("14 bytes are a key")
}
