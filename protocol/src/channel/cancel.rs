//! `cancel`: the session wants no more jobs of a queue.

use crate::QueueName;
use crate::wire::{self, DecodeError};

pub(super) const CODE: u8 = 0x1B;

/// Ends a consumer; answered by `Done`, or refused with `NotConsuming`.
///
/// Jobs that the session already holds stay with it until they are acknowledged or it disconnects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancel<'a> {
    /// The queue.
    pub queue: QueueName<'a>,
}

impl<'a> Cancel<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, self.queue.as_bytes());
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let name: &[u8] = wire::take_all(body, "cancel")?;
        Ok(Self { queue: QueueName::new(name)? })
    }
}
