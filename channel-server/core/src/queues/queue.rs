//! One queue: the jobs that wait, in order, and the consumers that wait for jobs.

use super::fresh::Fresh;
use super::ids::Ids;
use super::job::Job;
use crate::members::Members;
use std::collections::{BTreeMap, BTreeSet};
use workyard_engine::Time;
use workyard_planted::planted;
use workyard_protocol::channel::QueueSettings;

/// A queue as long as anything about it is to be kept.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// Jobs without priority that were never delayed nor handed out.
    fresh: Fresh,
    /// All other jobs that nobody holds, by number.
    others: BTreeMap<u64, Box<Job>>,
    /// Those of the others that are ready, in the order in which they are handed out.
    ready: BTreeSet<Place>,
    /// The same, in the order in which they became ready.
    ages: BTreeSet<(Time, u64)>,
    /// The numbers of the jobs that sessions hold.
    leased: BTreeSet<u64>,
    /// What its jobs take of `queue_bytes_max`, whatever their state.
    pub(crate) bytes: usize,
    /// How many sessions consume.
    pub(crate) consumers: u32,
    /// The consumers that would take a job now.
    pub(crate) idle: Members,
    /// What it has of its own, if anything.
    pub(crate) settings: Option<Box<QueueSettings>>,
    /// The ids of jobs that came lately.
    pub(crate) ids: Ids,
}

/// Where a ready job stands: first by priority, the higher the earlier, then by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    behind: u8,
    number: u64,
}

impl Queue {
    /// How many jobs wait and are ready.
    pub(crate) fn ready(&self) -> usize {
        self.fresh.len() + self.ready.len()
    }

    /// How many jobs wait and are not ready yet.
    pub(crate) fn delayed(&self) -> usize {
        self.others.len() - self.ready.len()
    }

    /// How many jobs sessions hold.
    pub(crate) fn leased(&self) -> usize {
        self.leased.len()
    }

    /// How many jobs there are.
    pub(crate) fn jobs(&self) -> usize {
        self.fresh.len() + self.others.len() + self.leased.len()
    }

    /// Since when that job has been ready which has been so longest.
    pub(crate) fn oldest(&self) -> Option<Time> {
        let fresh = self.fresh.first().map(|job| job.since);
        let other = self.ages.first().map(|(since, _)| *since);
        fresh.into_iter().chain(other).min()
    }

    /// Whether a session holds the job of this number.
    pub(crate) fn is_leased(&self, number: u64) -> bool {
        self.leased.contains(&number)
    }

    /// Whether nobody has any interest in it.
    pub(crate) fn is_unused(&self) -> bool {
        let is_empty = self.jobs() == 0 && self.ids.is_empty();
        is_empty && self.consumers == 0 && self.settings.is_none()
    }

    /// Adds a job that is newer than all before.
    pub(crate) fn store(&mut self, job: Box<Job>) {
        self.bytes += job.bytes();
        if job.priority == 0 && !job.is_delayed {
            self.fresh.push(job);
        } else {
            self.place(job);
        }
    }

    /// Adds a job to its place, which may be before others.
    pub(crate) fn insert(&mut self, job: Box<Job>) {
        self.bytes += job.bytes();
        self.place(job);
    }

    /// Hands out the job that is next.
    pub(crate) fn lease(&mut self) -> Option<Box<Job>> {
        let fresh = self.fresh.first().map(Place::of);
        let other = self.ready.first().copied();
        let mut job = match (fresh, other) {
            (Some(_), Some(_)) if planted!("priority-is-ignored") => self.fresh.pop()?,
            (Some(fresh), Some(other)) if other < fresh => self.take_other(other.number)?,
            (None, Some(other)) => self.take_other(other.number)?,
            _ => self.fresh.pop()?,
        };
        job.attempt = job.attempt.saturating_add(1);
        if planted!("job-is-handed-out-twice") && job.attempt == 1 {
            self.insert(job.clone());
        }
        self.leased.insert(job.number);
        Some(job)
    }

    /// Takes a job back that was handed out, to the place where it was.
    pub(crate) fn give_back(&mut self, job: Box<Job>) {
        self.leased.remove(&job.number);
        if planted!("job-comes-back-last") && !job.is_delayed {
            return self.fresh.append(job);
        }
        self.place(job);
    }

    /// A job that was handed out is not this queue's any more.
    pub(crate) fn forget(&mut self, job: &Job) {
        self.leased.remove(&job.number);
        self.bytes -= job.bytes();
    }

    /// Takes out a job that nobody holds.
    pub(crate) fn remove(&mut self, number: u64) -> Option<Box<Job>> {
        let job = self.fresh.remove(number).or_else(|| self.take_other(number))?;
        self.bytes -= job.bytes();
        Some(job)
    }

    /// A job's delay is over.
    pub(crate) fn ripen(&mut self, number: u64) {
        let mut job = self.others.remove(&number).expect("delayed jobs are among the others");
        job.is_delayed = false;
        self.place(job);
    }

    /// The jobs from this number on that were delayed, handed out or moved here.
    pub(crate) fn others(&self, from: u64) -> impl Iterator<Item = &Job> {
        self.others.range(from..).map(|(_, job)| &**job)
    }

    fn place(&mut self, job: Box<Job>) {
        if !job.is_delayed {
            self.ready.insert(Place::of(&job));
            self.ages.insert((job.since, job.number));
        }
        self.others.insert(job.number, job);
    }

    fn take_other(&mut self, number: u64) -> Option<Box<Job>> {
        let job = self.others.remove(&number)?;
        if !job.is_delayed {
            self.ready.remove(&Place::of(&job));
            self.ages.remove(&(job.since, number));
        }
        Some(job)
    }
}

impl Place {
    fn of(job: &Job) -> Self {
        Self { behind: u8::MAX - job.priority, number: job.number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use workyard_protocol::ValueRef;

    fn job(number: u64, priority: u8) -> Box<Job> {
        Job::new(number, Time::from_millis(number), priority, ValueRef::Int(0))
    }

    fn lease_all(queue: &mut Queue) -> Vec<(u64, u32)> {
        std::iter::from_fn(|| queue.lease()).map(|job| (job.number, job.attempt)).collect()
    }

    #[test]
    fn jobs_that_come_back_go_before_all_younger_ones_in_their_first_order() {
        let mut queue = Queue::default();
        (1..=5).for_each(|number| queue.store(job(number, 0)));
        let mut held: Vec<_> = (0..4).map_while(|_| queue.lease()).collect();
        queue.give_back(held.remove(2));
        queue.give_back(held.remove(0));
        assert_eq!((queue.ready(), queue.leased()), (3, 2));
        assert_eq!(queue.oldest(), Some(Time::from_millis(1)));
        assert_eq!(lease_all(&mut queue), [(1, 2), (3, 2), (5, 1)]);
    }

    #[test]
    fn a_higher_priority_goes_before_and_the_age_is_that_of_whoever_waits_longest() {
        let mut queue = Queue::default();
        for (number, priority) in [(1, 0), (2, 7), (3, 255), (4, 7), (5, 0)] {
            queue.store(job(number, priority));
        }
        assert_eq!(queue.lease().unwrap().number, 3);
        assert_eq!(queue.oldest(), Some(Time::from_millis(1)));
        assert_eq!(queue.remove(1).unwrap().number, 1);
        assert_eq!(queue.oldest(), Some(Time::from_millis(2)));
        assert_eq!(lease_all(&mut queue), [(2, 1), (4, 1), (5, 1)]);
        assert_eq!((queue.ready(), queue.oldest()), (0, None));
    }

    #[test]
    fn a_delayed_job_ripens_into_its_place() {
        let mut queue = Queue::default();
        let mut late = job(1, 0);
        late.is_delayed = true;
        queue.store(late);
        queue.store(job(2, 0));
        assert_eq!((queue.ready(), queue.delayed(), queue.jobs()), (1, 1, 2));
        queue.ripen(1);
        assert_eq!((queue.ready(), queue.delayed()), (2, 0));
        assert_eq!(lease_all(&mut queue), [(1, 1), (2, 1)]);
    }
}
