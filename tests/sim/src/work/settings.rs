//! What queues are set to, and since when.

use std::collections::BTreeMap;
use workyard_channel_core::BrokerLimits;
use workyard_protocol::channel::{Backoff, QueueSettings};

/// The settings of all queues of a server process.
#[derive(Debug)]
pub(super) struct AllSettings {
    limits: BrokerLimits,
    own: BTreeMap<Vec<u8>, (QueueSettings, u64)>,
}

/// What a queue works by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    own: QueueSettings,
    limits: BrokerLimits,
    /// Since when, in milliseconds.
    pub(super) since_ms: u64,
    is_dead: bool,
}

impl AllSettings {
    pub(super) fn new(limits: BrokerLimits) -> Self {
        Self { limits, own: BTreeMap::new() }
    }

    pub(super) fn set(&mut self, queue: &[u8], settings: QueueSettings, now_ms: u64) {
        self.own.insert(queue.to_vec(), (settings, now_ms));
    }

    pub(super) fn of(&self, queue: &[u8]) -> Settings {
        let (own, since_ms) = self.own.get(queue).copied().unwrap_or_default();
        Settings { own, limits: self.limits, since_ms, is_dead: queue.ends_with(b".dead") }
    }

    /// A new server process knows of none.
    pub(super) fn clear(&mut self) {
        self.own.clear();
    }
}

impl Settings {
    pub(super) fn lease_ms(&self) -> u32 {
        self.own.lease_ms.unwrap_or(self.limits.queue_lease_ms)
    }

    /// How long an id is remembered.
    pub(super) fn window_ms(&self) -> u64 {
        let own = self.own.dedup_window.map(|window| window.as_millis());
        own.unwrap_or(self.limits.queue_dedup_window_ms)
    }

    /// Whether a job that comes back after so many attempts is dead.
    pub(super) fn is_spent(&self, attempt: u32) -> bool {
        let most = self.own.attempts_max.unwrap_or(self.limits.job_attempts_max);
        !self.is_dead && most > 0 && attempt >= most
    }

    /// Whether the queue takes one more job of so many bytes beside these.
    pub(super) fn takes(&self, jobs: u64, bytes: u64, more_bytes: u64) -> bool {
        let has_room = |most: Option<u64>, used| most.is_none_or(|most| used <= most);
        has_room(self.own.jobs_max, jobs + 1) && has_room(self.own.bytes_max, bytes + more_bytes)
    }

    /// How long a job waits that comes back after so many attempts.
    pub(super) fn backoff_ms(&self, attempt: u32) -> u64 {
        match self.own.backoff {
            None | Some(Backoff::None) => 0,
            Some(Backoff::Fixed(delay)) => delay.as_millis(),
            Some(Backoff::Exponential { first, max }) => {
                let doubled = (1..attempt).fold(first.as_millis(), |ms, _| ms.saturating_mul(2));
                doubled.min(max.as_millis())
            }
        }
    }
}
