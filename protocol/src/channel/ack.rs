//! `ack`: a job is done and may be forgotten.

use crate::wire::{self, DecodeError};

pub(super) const CODE: u8 = 0x1A;

/// Finishes a job that this session holds; answered by `Done`, or refused with `UnknownJob`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    /// The job's number, as its push gave it.
    pub job: u64,
}

impl Ack {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, self.job);
    }

    pub(super) fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self { job: wire::take_all(body, "ack")? })
    }
}
