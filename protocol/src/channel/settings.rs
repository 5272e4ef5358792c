//! `settings`: what a queue is set to, and what that means.

use crate::wire::{self, DecodeError};
use crate::{Delay, QueueName, Reason, Refusal};
use bincode::{Decode, Encode};

pub(super) const CODE: u8 = 0x21;

/// Asks for a queue's settings; answered by `Settings`, whether or not there is such a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings<'a> {
    /// The queue.
    pub queue: QueueName<'a>,
}

/// What a queue has of its own; whatever it has not is as the server has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueSettings {
    /// How long a lease lasts unless it is renewed, in milliseconds; 0 as long as the connection.
    pub lease_ms: Option<u32>,
    /// How often a job is handed out before its next return makes it a dead letter; 0 is without end.
    pub attempts_max: Option<u32>,
    /// How long a job waits that was given back or whose lease expired.
    pub backoff: Option<Backoff>,
    /// How long a publisher's id is remembered.
    pub dedup_window: Option<Delay>,
    /// Most jobs, whatever their state; at least 1. The server's own bound holds too.
    pub jobs_max: Option<u64>,
    /// Most bytes of jobs; at least 1. The server's own bound holds too.
    pub bytes_max: Option<u64>,
}

/// The settings that a queue works by, its own and the server's together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingsInForce {
    /// As in [`QueueSettings`], in milliseconds.
    pub lease_ms: u32,
    /// As in [`QueueSettings`].
    pub attempts_max: u32,
    /// As in [`QueueSettings`].
    pub backoff: Backoff,
    /// As in [`QueueSettings`].
    pub dedup_window: Delay,
    /// As in [`QueueSettings`].
    pub jobs_max: u64,
    /// As in [`QueueSettings`].
    pub bytes_max: u64,
}

/// How long a job waits before it is handed out again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backoff {
    /// Not at all.
    #[default]
    None,
    /// Equally long each time.
    Fixed(Delay),
    /// Twice as long each time.
    Exponential {
        /// How long after the first attempt.
        first: Delay,
        /// How long at most, no less than `first`.
        max: Delay,
    },
}

pub(super) type SettingsHeader =
    (Option<u32>, Option<u32>, Option<BackoffHeader>, Option<u64>, Option<u64>, Option<u64>);

pub(super) type InForceHeader = (u32, u32, BackoffHeader, u64, u64, u64);

#[derive(Clone, Copy, Debug, Encode, Decode)]
pub(super) enum BackoffHeader {
    None,
    Fixed(u64),
    Exponential(u64, u64),
}

impl<'a> Settings<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, self.queue.as_bytes());
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let name: &[u8] = wire::take_all(body, "settings")?;
        Ok(Self { queue: QueueName::new(name)? })
    }
}

impl QueueSettings {
    pub(super) fn header(self) -> SettingsHeader {
        (
            self.lease_ms,
            self.attempts_max,
            self.backoff.map(Backoff::header),
            self.dedup_window.map(Delay::as_millis),
            self.jobs_max,
            self.bytes_max,
        )
    }

    pub(super) fn decode(header: SettingsHeader) -> Result<Self, DecodeError> {
        let (lease_ms, attempts_max, backoff, window_ms, jobs_max, bytes_max) = header;
        for (name, bound) in [("jobs_max", jobs_max), ("bytes_max", bytes_max)] {
            if bound == Some(0) {
                let text = format!("a {name} of 0 would refuse every job: at least 1, or none");
                return Err(Refusal::new(Reason::InvalidArgument, text).into());
            }
        }
        Ok(Self {
            lease_ms,
            attempts_max,
            backoff: backoff.map(Backoff::decode).transpose()?,
            dedup_window: window_ms.map(Delay::from_millis).transpose()?,
            jobs_max,
            bytes_max,
        })
    }
}

impl SettingsInForce {
    pub(super) fn header(self) -> InForceHeader {
        let Self { lease_ms, attempts_max, backoff, dedup_window, jobs_max, bytes_max } = self;
        (lease_ms, attempts_max, backoff.header(), dedup_window.as_millis(), jobs_max, bytes_max)
    }

    pub(super) fn decode(header: InForceHeader) -> Result<Self, DecodeError> {
        let (lease_ms, attempts_max, backoff, window_ms, jobs_max, bytes_max) = header;
        let backoff = Backoff::decode(backoff)?;
        let dedup_window = Delay::from_millis(window_ms)?;
        Ok(Self { lease_ms, attempts_max, backoff, dedup_window, jobs_max, bytes_max })
    }
}

impl Backoff {
    /// How long a job waits after so many attempts, 1 at least.
    #[must_use]
    pub fn after(self, attempts: u32) -> Delay {
        match self {
            Self::None => Delay::NONE,
            Self::Fixed(delay) => delay,
            Self::Exponential { first, max } => {
                let mut delay = first;
                // Whatever can be doubled at all is at any limit after as many bits as it has.
                for _ in 1..attempts.min(u64::BITS) {
                    delay = delay.doubled(max);
                }
                delay
            }
        }
    }

    fn header(self) -> BackoffHeader {
        match self {
            Self::None => BackoffHeader::None,
            Self::Fixed(delay) => BackoffHeader::Fixed(delay.as_millis()),
            Self::Exponential { first, max } => {
                BackoffHeader::Exponential(first.as_millis(), max.as_millis())
            }
        }
    }

    fn decode(header: BackoffHeader) -> Result<Self, DecodeError> {
        Ok(match header {
            BackoffHeader::None => Self::None,
            BackoffHeader::Fixed(millis) => Self::Fixed(Delay::from_millis(millis)?),
            BackoffHeader::Exponential(first, max) if first > max => {
                let text = format!("a backoff that begins with {first} ms cannot end at {max} ms");
                return Err(Refusal::new(Reason::InvalidArgument, text).into());
            }
            BackoffHeader::Exponential(first, max) => Self::Exponential {
                first: Delay::from_millis(first)?,
                max: Delay::from_millis(max)?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponential_backoff_doubles_up_to_its_end() {
        let delay = |millis| Delay::from_millis(millis).unwrap();
        let backoff = Backoff::Exponential { first: delay(100), max: delay(1000) };
        let waits = [1, 2, 3, 4, 5, u32::MAX].map(|attempts| backoff.after(attempts).as_millis());
        assert_eq!(waits, [100, 200, 400, 800, 1000, 1000]);
        assert_eq!(Backoff::Fixed(delay(7)).after(u32::MAX), delay(7));
        assert_eq!(Backoff::None.after(3), Delay::NONE);
    }
}
