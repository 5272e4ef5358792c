//! Jobs that were never handed out, in the order in which they came: most jobs of most queues.

use super::job::Job;
use std::collections::VecDeque;

/// Below this many, memory is not worth giving back.
const SHRINK_COUNT_MIN: usize = 1024;

/// A row of jobs whose numbers grow. One that is removed leaves an empty place; when more than half of
/// the places are empty they are closed up, so that no removal moves many others.
#[derive(Debug, Default)]
pub(crate) struct Fresh {
    /// The first place is never empty.
    places: VecDeque<(u64, Option<Box<Job>>)>,
    empty: usize,
}

impl Fresh {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.empty
    }

    /// The first one.
    pub(crate) fn first(&self) -> Option<&Job> {
        self.places.front().and_then(|(_, job)| job.as_deref())
    }

    /// Adds a job, newer than all before.
    pub(crate) fn push(&mut self, job: Box<Job>) {
        debug_assert!(self.places.back().is_none_or(|(last, _)| *last < job.number));
        self.append(job);
    }

    /// Adds a job behind all others, whatever its number.
    pub(crate) fn append(&mut self, job: Box<Job>) {
        self.places.push_back((job.number, Some(job)));
    }

    /// Takes the first one.
    pub(crate) fn pop(&mut self) -> Option<Box<Job>> {
        let (_, job) = self.places.pop_front()?;
        self.trim();
        job
    }

    /// Takes the one of this number.
    pub(crate) fn remove(&mut self, number: u64) -> Option<Box<Job>> {
        let at = self.places.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        let job = self.places[at].1.take()?;
        self.empty += 1;
        self.trim();
        if self.empty * 2 > self.places.len() {
            self.places.retain(|(_, job)| job.is_some());
            self.empty = 0;
        }
        Some(job)
    }

    fn trim(&mut self) {
        while let Some((_, None)) = self.places.front() {
            self.places.pop_front();
            self.empty -= 1;
        }
        if self.places.capacity() / 4 > self.places.len().max(SHRINK_COUNT_MIN) {
            self.places.shrink_to(self.places.len() * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use workyard_engine::Time;
    use workyard_protocol::ValueRef;

    fn fresh(numbers: impl IntoIterator<Item = u64>) -> Fresh {
        let mut fresh = Fresh::default();
        for number in numbers {
            fresh.push(Job::new(number, Time::default(), 0, ValueRef::Int(0)));
        }
        fresh
    }

    fn pop_all(fresh: &mut Fresh) -> Vec<u64> {
        std::iter::from_fn(|| fresh.pop()).map(|job| job.number).collect()
    }

    #[test]
    fn whoever_is_removed_is_passed_over() {
        let mut fresh = fresh([1, 2, 5, 7, 9, 10, 12]);
        for (number, is_there) in [(5, true), (5, false), (6, false), (1, true), (2, true)] {
            assert_eq!(fresh.remove(number).is_some(), is_there, "{number}");
        }
        assert_eq!((fresh.len(), fresh.first().unwrap().number), (4, 7));
        assert!(fresh.remove(10).is_some());
        assert_eq!(pop_all(&mut fresh), [7, 9, 12]);
        assert_eq!((fresh.len(), fresh.places.len()), (0, 0));
    }

    #[test]
    fn a_hundred_thousand_are_removed_in_any_order() {
        let mut row = fresh(1..=100_000);
        for step in 0..99_999_u64 {
            assert!(row.remove(1 + step * 7919 % 100_000).is_some());
        }
        assert!(row.places.len() <= 2, "closed up");
        assert_eq!(pop_all(&mut row).len(), 1);
    }

    #[test]
    fn a_backlog_that_is_worked_off_gives_its_memory_back() {
        let mut fresh = fresh(1..=100_000);
        pop_all(&mut fresh);
        assert!(fresh.places.capacity() <= 4 * SHRINK_COUNT_MIN + 3);
    }
}
