//! `unlock`: gives a lock back, or the place in its queue.

use crate::LockName;
use crate::wire::{self, DecodeError};

pub(super) const CODE: u8 = 0x43;

/// Ends a claim of this session, whether it holds the lock or waits for it; answered by `Unlocked`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unlock<'a> {
    /// What is locked.
    pub name: LockName<'a>,
    /// The claim's number.
    pub token: u64,
}

impl<'a> Unlock<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.name.as_bytes(), self.token));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (name, token): (&[u8], u64) = wire::take_all(body, "unlock")?;
        Ok(Self { name: LockName::new(name)?, token })
    }
}
