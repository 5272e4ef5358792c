//! `renew`: a session still works on its jobs.

use crate::wire::{self, DecodeError, List};

pub(super) const CODE: u8 = 0x1E;

/// Prolongs leases of this session, each by what it had at first, from now on; answered by `Renewed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renew {
    /// The leases' numbers.
    pub leases: Vec<u64>,
}

impl Renew {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, List(self.leases.clone()));
    }

    pub(super) fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let List(leases) = wire::take_all(body, "renew")?;
        Ok(Self { leases })
    }
}
