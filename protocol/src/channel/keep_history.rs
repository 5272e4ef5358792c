//! `keep_history`: what is published to some channels is kept for a while.

use crate::wire::{self, DecodeError};
use crate::{Pattern, Reason, Refusal, Ttl};

pub(super) const CODE: u8 = 0x24;

/// Has the messages of all channels that match be kept, within bounds; answered by `Done`.
///
/// A rule for the same pattern is replaced. Of several rules that match a channel, each bound is the
/// greatest of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepHistory<'a> {
    /// Which channels.
    pub pattern: Pattern<'a>,
    /// How much of each.
    pub bounds: HistoryBounds,
}

/// How much is kept of one channel: the newest messages within all three bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryBounds {
    /// Most messages, at least 1.
    pub messages_max: u64,
    /// Most bytes in their values, at least 1.
    pub bytes_max: u64,
    /// How long a message is kept.
    pub age: Ttl,
}

/// The same in a header.
pub(super) type BoundsHeader = (u64, u64, u64);

impl HistoryBounds {
    /// Each bound the greater of both.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            messages_max: self.messages_max.max(other.messages_max),
            bytes_max: self.bytes_max.max(other.bytes_max),
            age: self.age.max(other.age),
        }
    }

    pub(super) fn header(self) -> BoundsHeader {
        (self.messages_max, self.bytes_max, self.age.as_millis())
    }

    pub(super) fn decode(
        (messages_max, bytes_max, age): BoundsHeader,
    ) -> Result<Self, DecodeError> {
        for (name, bound) in [("messages_max", messages_max), ("bytes_max", bytes_max)] {
            if bound == 0 {
                let text = format!("{name} of 0 keeps nothing: expected at least 1");
                return Err(Refusal::new(Reason::InvalidArgument, text).into());
            }
        }
        Ok(Self { messages_max, bytes_max, age: Ttl::from_millis(age)? })
    }
}

impl<'a> KeepHistory<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.pattern.as_bytes(), self.bounds.header()));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (pattern, bounds): (&[u8], BoundsHeader) = wire::take_all(body, "keep_history")?;
        Ok(Self { pattern: Pattern::new(pattern)?, bounds: HistoryBounds::decode(bounds)? })
    }
}
