//! `configure`: a queue's own settings.

use super::QueueSettings;
use super::settings::SettingsHeader;
use crate::QueueName;
use crate::wire::{self, DecodeError};

pub(super) const CODE: u8 = 0x20;

/// Gives a queue these settings instead of those it had; answered by `Done`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Configure<'a> {
    /// The queue. It is made if there is none, and kept for as long as it has a setting of its own.
    pub queue: QueueName<'a>,
    /// All of its settings.
    pub settings: QueueSettings,
}

impl<'a> Configure<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.queue.as_bytes(), self.settings.header()));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (name, header): (&[u8], SettingsHeader) = wire::take_all(body, "configure")?;
        Ok(Self { queue: QueueName::new(name)?, settings: QueueSettings::decode(header)? })
    }
}
