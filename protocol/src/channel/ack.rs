//! `ack`: a job is done and may be forgotten.

use crate::wire::{self, DecodeError};

pub(super) const CODE: u8 = 0x1A;

/// Finishes the job of a lease of this session; answered by `Done`, or refused with `UnknownJob`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    /// The lease's number, as the job's push gave it.
    pub lease: u64,
}

impl Ack {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, self.lease);
    }

    pub(super) fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self { lease: wire::take_all(body, "ack")? })
    }
}
