//! `nack`: a job is not done, and somebody shall have it again.

use super::NackReason;
use crate::Delay;
use crate::wire::{self, DecodeError};

pub(super) const CODE: u8 = 0x1D;

/// Gives the job of a lease of this session back; answered by `Done`, or refused with `UnknownJob`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nack<'a> {
    /// The lease's number, as the job's push gave it.
    pub lease: u64,
    /// How long nobody shall have it; without, the queue's backoff says so.
    pub delay: Option<Delay>,
    /// Why, for people: it is kept with the job.
    pub reason: Option<NackReason<'a>>,
}

impl<'a> Nack<'a> {
    /// Gives back without a word.
    #[must_use]
    pub fn new(lease: u64) -> Self {
        Self { lease, delay: None, reason: None }
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let delay_ms = self.delay.map(Delay::as_millis);
        wire::put(out, (self.lease, delay_ms, self.reason.map(NackReason::as_str)));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (lease, delay_ms, reason): (u64, Option<u64>, Option<&str>) =
            wire::take_all(body, "nack")?;
        let delay = delay_ms.map(Delay::from_millis).transpose()?;
        let reason = reason.map(NackReason::new).transpose()?;
        Ok(Self { lease, delay, reason })
    }
}
