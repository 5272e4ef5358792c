//! The leases of this client: prolonged for as long as somebody here has their jobs.
//!
//! That is done by the connection's own task: a worker that is busy with a job, for however long, keeps
//! it, and a process that is stopped or dead does not.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Below this many, none is looked for that is over.
const SWEEP_COUNT_MIN: usize = 1024;

/// A lease is prolonged when this part of it has passed: two more may fail before it is over.
const RENEW_PART: u32 = 3;

/// What will be due within this part of the time until then is done together.
const TOGETHER_PART: u32 = 4;

/// A lease that lasts as long as the connection is looked at so often: whether somebody has its job.
const LOOK_PERIOD: Duration = Duration::from_secs(10);

/// A lease as the job's holder and the connection's task share it.
#[derive(Debug)]
pub(crate) struct Lease {
    number: u64,
    state: AtomicU8,
    over: Notify,
}

/// Somebody has the job.
const WANTED: u8 = 0;
/// The consumer that it was for is gone, and no other one there.
const UNWANTED: u8 = 1;
/// The job was acknowledged or given back.
const SETTLED: u8 = 2;
/// The job is somebody else's.
const LOST: u8 = 3;

impl Lease {
    /// Its number.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether the job is known to be somebody else's.
    pub(crate) fn is_lost(&self) -> bool {
        self.state() == LOST
    }

    /// Returns when the job is known to be somebody else's.
    pub(crate) async fn lost(&self) {
        while !self.is_lost() {
            let over = self.over.notified();
            if !self.is_lost() {
                over.await;
            }
        }
    }

    /// The server has heard that the job is done, or not.
    pub(crate) fn settle(&self) {
        self.state.store(SETTLED, Ordering::Release);
    }

    /// The job is somebody else's from now on.
    pub(crate) fn lose(&self) {
        self.state.store(LOST, Ordering::Release);
        self.over.notify_waiters();
    }

    /// Whether there is a consumer for the job.
    pub(super) fn set_wanted(&self, is_wanted: bool) {
        let (from, to) = if is_wanted { (UNWANTED, WANTED) } else { (WANTED, UNWANTED) };
        // One that is over stays so.
        let _ = self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire);
    }

    fn state(&self) -> u8 {
        self.state.load(Ordering::Acquire)
    }

    fn is_over(&self) -> bool {
        matches!(self.state(), SETTLED | LOST)
    }
}

/// All leases of one connection.
#[derive(Debug, Default)]
pub(super) struct Leases {
    all: Vec<Entry>,
    /// How many of them have a time to be looked at; the rest came in this turn.
    timed: usize,
    renew_at: Option<Instant>,
    /// With so many, it is time to look for those that are over.
    sweep_count: usize,
}

#[derive(Debug)]
struct Entry {
    lease: Arc<Lease>,
    /// Nothing for one that lasts as long as the connection.
    lasts: Option<Duration>,
    /// When it is to be prolonged, or given back; nothing before the turn has ended that it came in.
    renew_at: Option<Instant>,
}

impl Entry {
    /// How long after it has come or was prolonged it is looked at.
    fn period(&self) -> Duration {
        self.lasts.map_or(LOOK_PERIOD, |lasts| lasts / RENEW_PART)
    }
}

/// What is to be told to the server.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Due {
    /// Leases to be prolonged.
    pub(super) renew: Vec<u64>,
    /// Leases whose jobs nobody has any more, although nothing was said of them.
    pub(super) give_back: Vec<u64>,
}

impl Leases {
    /// A job came.
    pub(super) fn add(&mut self, number: u64, lease_ms: u32) -> Arc<Lease> {
        if self.all.len() >= self.sweep_count.max(SWEEP_COUNT_MIN) {
            self.turn_ended();
            self.all.retain(|entry| !entry.lease.is_over());
            self.timed = self.all.len();
            self.sweep_count = self.all.len() * 2;
        }
        let state = AtomicU8::new(WANTED);
        let lease = Arc::new(Lease { number, state, over: Notify::new() });
        let lasts = (lease_ms > 0).then(|| Duration::from_millis(lease_ms.into()));
        self.all.push(Entry { lease: Arc::clone(&lease), lasts, renew_at: None });
        lease
    }

    /// All that came in this turn came now.
    pub(super) fn turn_ended(&mut self) {
        let new = &mut self.all[self.timed..];
        if new.is_empty() {
            return;
        }
        let now = Instant::now();
        for entry in new {
            entry.renew_at = Some(now + entry.period());
            self.renew_at = earlier(self.renew_at, entry.renew_at);
        }
        self.timed = self.all.len();
    }

    /// When the next lease is to be prolonged or given back.
    pub(super) fn renew_at(&self) -> Option<Instant> {
        self.renew_at
    }

    /// Takes what is due.
    pub(super) fn due(&mut self, now: Instant) -> Due {
        self.turn_ended();
        let mut due = Due::default();
        self.renew_at = None;
        self.all.retain_mut(|entry| {
            let period = entry.period();
            let Entry { lease, lasts, renew_at } = entry;
            if lease.is_over() {
                return false;
            }
            if renew_at.is_some_and(|at| at <= now + period / TOGETHER_PART) {
                // The other one is here.
                let is_dropped = Arc::strong_count(lease) == 1;
                if is_dropped || lease.state() == UNWANTED {
                    due.give_back.push(lease.number);
                    lease.lose();
                    return false;
                }
                due.renew.extend(lasts.map(|_| lease.number));
                *renew_at = Some(now + period);
            }
            self.renew_at = earlier(self.renew_at, *renew_at);
            true
        });
        self.timed = self.all.len();
        due
    }

    /// The server says that these are over.
    pub(super) fn lose(&mut self, numbers: Vec<u64>) {
        let numbers: HashSet<u64> = numbers.into_iter().collect();
        let lost = |entry: &&Entry| numbers.contains(&entry.lease.number);
        if !numbers.is_empty() {
            self.all.iter().filter(lost).filter(|entry| !entry.lease.is_over()).for_each(|entry| {
                entry.lease.lose();
            });
        }
    }

    /// The connection is gone, and with it every lease.
    pub(super) fn interrupted(&mut self) {
        for Entry { lease, .. } in self.all.drain(..) {
            if !lease.is_over() {
                lease.lose();
            }
        }
        *self = Self::default();
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    const LEASE_MS: u32 = 1200;

    fn part(parts: u32) -> Duration {
        Duration::from_millis(u64::from(LEASE_MS / 12 * parts))
    }

    fn due(leases: &mut Leases) -> (Vec<u64>, Vec<u64>) {
        let Due { renew, give_back } = leases.due(Instant::now());
        (renew, give_back)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_had_is_prolonged_and_what_is_settled_is_not() {
        let start = Instant::now();
        let mut leases = Leases::default();
        let [one, two] = [1, 2].map(|number| leases.add(number, LEASE_MS));
        leases.turn_ended();
        assert_eq!(leases.renew_at(), Some(start + part(4)));
        tokio::time::advance(part(4)).await;
        assert_eq!(due(&mut leases), (vec![1, 2], vec![]));
        assert_eq!(leases.renew_at(), Some(start + part(8)));
        one.settle();
        tokio::time::advance(part(4)).await;
        assert_eq!(due(&mut leases), (vec![2], vec![]));
        two.settle();
        tokio::time::advance(part(4)).await;
        assert_eq!(due(&mut leases), (vec![], vec![]));
        assert_eq!((leases.renew_at(), leases.all.len()), (None, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_due_soon_is_done_together_with_what_is_due_now() {
        let mut leases = Leases::default();
        let mut held = Vec::new();
        for number in 1..=3 {
            held.push(leases.add(number, LEASE_MS));
            leases.turn_ended();
            tokio::time::advance(part(1)).await;
        }
        tokio::time::advance(part(1)).await;
        assert_eq!(due(&mut leases), (vec![1, 2], vec![]));
        assert_eq!(leases.renew_at(), Some(Instant::now() + part(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_was_dropped_or_that_nobody_wants_is_given_back() {
        let mut leases = Leases::default();
        let unwanted = leases.add(1, LEASE_MS);
        unwanted.set_wanted(false);
        let wanted = leases.add(2, LEASE_MS);
        wanted.set_wanted(false);
        wanted.set_wanted(true);
        drop(leases.add(3, LEASE_MS));
        leases.add(4, LEASE_MS).settle();
        leases.turn_ended();
        tokio::time::advance(part(4)).await;
        assert_eq!(due(&mut leases), (vec![2], vec![1, 3]));
        assert!(unwanted.is_lost() && !wanted.is_lost());
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_for_as_long_as_the_connection_is_given_back_when_it_was_dropped() {
        let start = Instant::now();
        let mut leases = Leases::default();
        let held = leases.add(1, 0);
        drop(leases.add(2, 0));
        leases.turn_ended();
        assert_eq!(leases.renew_at(), Some(start + LOOK_PERIOD));
        tokio::time::advance(LOOK_PERIOD).await;
        assert_eq!(due(&mut leases), (vec![], vec![2]));
        drop(held);
        tokio::time::advance(LOOK_PERIOD).await;
        assert_eq!(due(&mut leases), (vec![], vec![1]));
        assert_eq!((leases.renew_at(), leases.all.len()), (None, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_loses_a_lease_is_told() {
        let mut leases = Leases::default();
        let held: Vec<_> = (1..=3).map(|number| leases.add(number, number as u32 - 1)).collect();
        leases.turn_ended();
        leases.lose(vec![2, 9]);
        held[1].lost().now_or_never().unwrap();
        assert!(held[0].lost().now_or_never().is_none());
        let waiting = held[0].lost();
        held[2].settle();
        leases.interrupted();
        waiting.await;
        assert_eq!(held.iter().filter(|lease| lease.is_lost()).count(), 2);
        assert_eq!(leases.renew_at(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_million_jobs_that_are_done_at_once_leave_little_behind() {
        let mut leases = Leases::default();
        for number in 0..1_000_000 {
            leases.add(number, LEASE_MS).settle();
            leases.turn_ended();
        }
        assert!(leases.all.len() <= SWEEP_COUNT_MIN);
    }
}
