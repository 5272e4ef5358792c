//! `nack`: a job is not done, and somebody shall have it again.

use crate::wire::{self, DecodeError};

pub(super) const CODE: u8 = 0x1D;

/// Gives back a job that this session holds, to the head of its queue; answered by `Done`, or refused
/// with `UnknownJob`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nack {
    /// The job's number, as its push gave it.
    pub job: u64,
}

impl Nack {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, self.job);
    }

    pub(super) fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self { job: wire::take_all(body, "nack")? })
    }
}
