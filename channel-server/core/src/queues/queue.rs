//! One queue: the jobs that wait, in order, and the consumers that wait for jobs.

use super::job::Job;
use crate::members::Members;
use std::collections::{BTreeMap, VecDeque};
use workyard_planted::planted;

/// Below this many, memory is not worth giving back.
const SHRINK_COUNT_MIN: usize = 1024;

/// A queue as long as it has a job or a consumer.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// Jobs that were never handed out, oldest first.
    fresh: VecDeque<Job>,
    /// Jobs that came back. They were handed out in order, so all are older than the fresh ones.
    returned: BTreeMap<u64, Job>,
    /// How many jobs sessions hold.
    pub(crate) leased: usize,
    /// How many sessions consume.
    pub(crate) consumers: u32,
    /// The consumers that would take a job now.
    pub(crate) idle: Members,
}

impl Queue {
    /// How many jobs wait.
    pub(crate) fn ready(&self) -> usize {
        self.fresh.len() + self.returned.len()
    }

    /// The job that has waited longest.
    pub(crate) fn oldest(&self) -> Option<&Job> {
        self.returned.values().next().or_else(|| self.fresh.front())
    }

    /// Whether nobody has any interest in it.
    pub(crate) fn is_unused(&self) -> bool {
        self.ready() == 0 && self.leased == 0 && self.consumers == 0
    }

    /// Adds a job, newer than all before.
    pub(crate) fn store(&mut self, job: Job) {
        self.fresh.push_back(job);
    }

    /// Hands the oldest job out.
    pub(crate) fn lease(&mut self) -> Option<Job> {
        let mut job = match self.returned.pop_first() {
            Some((_, job)) => job,
            None => self.pop_fresh()?,
        };
        job.attempt = job.attempt.saturating_add(1);
        if planted!("job-is-handed-out-twice") && job.attempt == 1 {
            self.returned.insert(job.id, job.clone());
        }
        self.leased += 1;
        Some(job)
    }

    /// Takes a job back to the place where it was.
    pub(crate) fn give_back(&mut self, job: Job) {
        self.leased -= 1;
        if planted!("job-comes-back-last") {
            return self.fresh.push_back(job);
        }
        self.returned.insert(job.id, job);
    }

    fn pop_fresh(&mut self) -> Option<Job> {
        let job = self.fresh.pop_front();
        if self.fresh.capacity() / 4 > self.fresh.len().max(SHRINK_COUNT_MIN) {
            self.fresh.shrink_to(self.fresh.len() * 2);
        }
        job
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use workyard_engine::Time;
    use workyard_protocol::Value;

    fn job(id: u64) -> Job {
        Job { id, attempt: 0, since: Time::default(), value: Value::Int(0) }
    }

    #[test]
    fn jobs_that_come_back_go_before_all_others_in_their_first_order() {
        let mut queue = Queue::default();
        (1..=5).for_each(|id| queue.store(job(id)));
        let mut held: Vec<Job> = (0..4).map_while(|_| queue.lease()).collect();
        queue.give_back(held.remove(2));
        queue.give_back(held.remove(0));
        assert_eq!((queue.ready(), queue.leased, queue.oldest().unwrap().id), (3, 2, 1));
        let order: Vec<_> =
            std::iter::from_fn(|| queue.lease()).map(|job| (job.id, job.attempt)).collect();
        assert_eq!(order, [(1, 2), (3, 2), (5, 1)]);
    }

    #[test]
    fn a_backlog_that_is_worked_off_gives_its_memory_back() {
        let mut queue = Queue::default();
        (1..=100_000).for_each(|id| queue.store(job(id)));
        while queue.lease().is_some() {}
        assert!(queue.fresh.capacity() <= 4 * SHRINK_COUNT_MIN + 3);
    }
}
