//! What the subscribers have received, held against what was published.

use super::stamp::{Stamp, is_intact};
use crate::histogram::Histogram;
use crate::wire::invalid;
use std::io;
use std::time::Instant;

/// The deliveries of one phase.
pub(super) struct Deliveries {
    pub(super) total: u64,
    pub(super) of_subscriber: Vec<u64>,
    pub(super) bytes: u64,
    /// When the last one came.
    pub(super) last: Instant,
    pub(super) latencies: Histogram,
    pub(super) out_of_order: u64,
    expected: Expected,
    /// For every subscriber and publisher the sequence number due next.
    due: Vec<u32>,
}

/// What every delivery of a phase must be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    pub(super) subscribers: usize,
    pub(super) publishers: usize,
    pub(super) phase: u8,
    /// Whether each subscriber gets every message, in each publisher's order.
    pub(super) in_order: bool,
    /// Whether every payload is compared in full, or only the first.
    pub(super) verify: bool,
}

/// One moment, as the two that need it want it.
#[derive(Clone, Copy)]
pub(super) struct Now {
    pub(super) instant: Instant,
    /// Since the run's clock started.
    pub(super) ns: u64,
}

impl Deliveries {
    pub(super) fn new(expected: Expected) -> Self {
        Self {
            total: 0,
            of_subscriber: vec![0; expected.subscribers],
            bytes: 0,
            last: Instant::now(),
            latencies: Histogram::new(),
            out_of_order: 0,
            expected,
            due: vec![0; expected.subscribers * expected.publishers],
        }
    }

    /// How many messages have reached everybody.
    pub(super) fn complete(&self) -> u64 {
        self.of_subscriber.iter().copied().min().unwrap_or(0)
    }

    pub(super) fn take(&mut self, subscriber: usize, payload: &[u8], now: Now) -> io::Result<()> {
        let stamp = payload.first_chunk().ok_or_else(|| invalid("a payload without a stamp"))?;
        let stamp = Stamp::read(stamp);
        let Expected { publishers, phase, in_order, verify, .. } = self.expected;
        if stamp.phase != phase {
            return Ok(());
        }
        if (verify || self.of_subscriber[subscriber] == 0) && !is_intact(payload) {
            return Err(invalid("a payload arrived changed"));
        }
        if in_order {
            let publisher = usize::from(stamp.publisher);
            let due = self.due[subscriber * publishers..][..publishers].get_mut(publisher);
            let due = due.ok_or_else(|| invalid("a message of no known publisher"))?;
            self.out_of_order += u64::from(*due != stamp.sequence);
            *due = stamp.sequence.wrapping_add(1);
        }
        self.total += 1;
        self.of_subscriber[subscriber] += 1;
        self.bytes += payload.len() as u64;
        self.last = now.instant;
        self.latencies.record(now.ns.saturating_sub(stamp.sent_ns));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::stamp::payload;

    #[test]
    fn counts_and_order_are_of_this_phase_only() {
        let mut deliveries = Deliveries::new(Expected {
            subscribers: 2,
            publishers: 2,
            phase: 3,
            in_order: true,
            verify: true,
        });
        let now = Now { instant: Instant::now(), ns: 100 };
        let mut take = |subscriber, phase, publisher, sequence| {
            let mut bytes = payload(32);
            let stamp = Stamp { sent_ns: 40, phase, publisher, sequence };
            stamp.write(&mut bytes);
            deliveries.take(subscriber, &bytes, now)
        };
        take(0, 3, 0, 0).unwrap();
        take(0, 3, 1, 0).unwrap();
        take(0, 3, 0, 1).unwrap();
        take(1, 3, 0, 0).unwrap();
        take(1, 2, 0, 7).unwrap();
        take(1, 3, 0, 2).unwrap();
        take(1, 3, 9, 0).unwrap_err();
        assert_eq!(deliveries.total, 5);
        assert_eq!(deliveries.complete(), 2);
        assert_eq!(deliveries.out_of_order, 1);
        assert_eq!(deliveries.latencies.quantile(0.5), 60);

        let mut changed = payload(32);
        changed[20] = 0;
        changed[8] = 3;
        deliveries.take(0, &changed, now).unwrap_err();
    }
}
