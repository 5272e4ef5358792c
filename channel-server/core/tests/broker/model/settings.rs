//! The settings that queues of the model may have.

use super::LIMITS;
use workyard_protocol::Delay;
use workyard_protocol::channel::{Backoff, QueueSettings};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Setup {
    /// Nothing of its own.
    Server,
    /// Short leases, few attempts, few jobs, and longer and longer waits.
    Strict,
    /// Neither a deadline nor a last attempt, no ids, and equal waits.
    Lenient,
}

impl Setup {
    pub(super) const ALL: [Self; 3] = [Self::Server, Self::Strict, Self::Lenient];

    pub(super) fn settings(self) -> QueueSettings {
        let delay = |millis| Delay::from_millis(millis).unwrap();
        match self {
            Self::Server => QueueSettings::default(),
            Self::Strict => QueueSettings {
                lease_ms: Some(40),
                attempts_max: Some(2),
                backoff: Some(Backoff::Exponential { first: delay(20), max: delay(50) }),
                jobs_max: Some(3),
                ..QueueSettings::default()
            },
            Self::Lenient => QueueSettings {
                lease_ms: Some(0),
                attempts_max: Some(0),
                backoff: Some(Backoff::Fixed(delay(30))),
                dedup_window: Some(Delay::NONE),
                ..QueueSettings::default()
            },
        }
    }

    pub(super) fn lease_ms(self) -> u64 {
        match self {
            Self::Server => LIMITS.queue_lease_ms.into(),
            Self::Strict => 40,
            Self::Lenient => 0,
        }
    }

    pub(super) fn attempts_max(self) -> u32 {
        match self {
            Self::Server => LIMITS.job_attempts_max,
            Self::Strict => 2,
            Self::Lenient => 0,
        }
    }

    pub(super) fn backoff(self, attempts: u32) -> u64 {
        match (self, attempts) {
            (Self::Server, _) => 0,
            (Self::Strict, 1) => 20,
            (Self::Strict, 2) => 40,
            (Self::Strict, _) => 50,
            (Self::Lenient, _) => 30,
        }
    }

    pub(super) fn window(self) -> u64 {
        match self {
            Self::Server | Self::Strict => LIMITS.queue_dedup_window_ms,
            Self::Lenient => 0,
        }
    }

    pub(super) fn jobs_max(self) -> usize {
        if self == Self::Strict { 3 } else { LIMITS.queue_jobs_max }
    }
}
