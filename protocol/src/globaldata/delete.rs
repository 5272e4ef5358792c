//! `delete`: removes one variable if a condition holds.

use super::Expect;
use super::expect::ExpectHeader;
use crate::Key;
use crate::wire::{self, DecodeError};

pub(super) const CODE: u8 = 0x34;

/// Removes a variable if it is as expected; answered by `Deleted`, or by a conflict of `Written`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Delete<'a> {
    /// Which variable.
    pub key: Key<'a>,
    /// What it must be before.
    pub expect: Expect<'a>,
}

impl<'a> Delete<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.key.as_bytes(), self.expect.header()));
        self.expect.put_payload(out);
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let ((key, expect), mut payload): ((&[u8], ExpectHeader), _) = wire::take(body, "delete")?;
        let expect = expect.decode(&mut payload)?;
        match payload {
            [] => Ok(Self { key: Key::new(key)?, expect }),
            rest => Err(wire::trailing("delete", rest.len())),
        }
    }
}
