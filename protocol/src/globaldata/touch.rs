//! `touch`: gives a variable another lifetime, or takes the one it has away.

use crate::wire::{self, DecodeError};
use crate::{Key, Ttl};

pub(super) const CODE: u8 = 0x38;

/// Changes when a variable expires, and neither its value nor its revision; answered by `Existence`
/// with what is so from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch<'a> {
    /// Which variable.
    pub key: Key<'a>,
    /// How long it lives from now on; nothing for ever.
    pub ttl: Option<Ttl>,
}

impl<'a> Touch<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.key.as_bytes(), self.ttl.map(Ttl::as_millis)));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (key, millis): (&[u8], Option<u64>) = wire::take_all(body, "touch")?;
        let ttl = millis.map(Ttl::from_millis).transpose()?;
        Ok(Self { key: Key::new(key)?, ttl })
    }
}
