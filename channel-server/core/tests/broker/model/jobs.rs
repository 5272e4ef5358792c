//! The model of queues: every job there ever was, and where it is.

use super::{LIMITS, push};
use std::collections::{BTreeMap, HashSet};
use workyard_channel_core::Census;
use workyard_engine::{Effect, SessionId};
use workyard_protocol::channel::Push;

/// Jobs by their numbers, which is the order in which they came.
#[derive(Default)]
pub(super) struct Jobs {
    all: BTreeMap<u64, Job>,
    consumers: BTreeMap<(SessionId, String), u32>,
}

struct Job {
    queue: String,
    attempt: u32,
    place: Place,
}

#[derive(PartialEq)]
enum Place {
    Ready,
    Leased(SessionId),
    Finished,
}

impl Jobs {
    /// The job's number, if it must be stored.
    pub(super) fn enqueue(&mut self, queue: &str) -> Option<u64> {
        let kept = self.unfinished().filter(|(_, job)| job.queue == queue).count();
        if kept >= LIMITS.queue_jobs_max {
            return None;
        }
        let id = self.all.len() as u64 + 1;
        self.all.insert(id, Job { queue: queue.to_owned(), attempt: 0, place: Place::Ready });
        Some(id)
    }

    pub(super) fn consume(&mut self, by: SessionId, queue: &str, prefetch: u32) {
        self.consumers.insert((by, queue.to_owned()), prefetch);
    }

    /// Whether it must be carried out.
    pub(super) fn ack(&mut self, by: SessionId, id: u64) -> bool {
        let held = self.all.get_mut(&id).filter(|job| job.place == Place::Leased(by));
        held.map(|job| job.place = Place::Finished).is_some()
    }

    /// Whether it must be carried out.
    pub(super) fn cancel(&mut self, by: SessionId, queue: &str) -> bool {
        self.consumers.remove(&(by, queue.to_owned())).is_some()
    }

    pub(super) fn close(&mut self, gone: SessionId) {
        self.consumers.retain(|(session, _), _| *session != gone);
        for job in self.all.values_mut().filter(|job| job.place == Place::Leased(gone)) {
            job.place = Place::Ready;
        }
    }

    pub(super) fn held_by(&self, session: SessionId) -> Vec<u64> {
        let held = self.all.iter().filter(|(_, job)| job.place == Place::Leased(session));
        held.map(|(id, _)| *id).collect()
    }

    pub(super) fn count(&self, census: &mut Census) {
        let ready = |job: &Job| job.place == Place::Ready;
        census.ready = self.all.values().filter(|job| ready(job)).count();
        census.leased = self.unfinished().count() - census.ready;
        census.consumers = self.consumers.len();
        let of_jobs = self.unfinished().map(|(_, job)| &job.queue);
        let of_consumers = self.consumers.keys().map(|(_, queue)| queue);
        census.queues = of_jobs.chain(of_consumers).collect::<HashSet<_>>().len();
    }

    /// Takes the jobs that were pushed, and checks that none is left that could have been.
    pub(super) fn check(&mut self, effects: &[Effect], full: &HashSet<SessionId>) {
        for effect in effects {
            let Effect::Push(to, frame) = effect else { panic!("no job: {effect:?}") };
            let Push::Job { queue, job: id, attempt, .. } = push(frame) else { panic!("no job") };
            assert!(!full.contains(to), "{to:?} has no room");
            let queue = std::str::from_utf8(queue.as_bytes()).unwrap();
            assert!(self.takes_more(*to, queue), "{to:?} wants no more of {queue}");
            assert_eq!(self.first_ready(queue), Some(id), "the oldest job goes first");
            let job = self.all.get_mut(&id).unwrap();
            job.attempt += 1;
            assert_eq!(job.attempt, attempt);
            job.place = Place::Leased(*to);
        }
        for (session, queue) in self.consumers.keys().filter(|(to, _)| !full.contains(to)) {
            let stuck = self.takes_more(*session, queue) && self.first_ready(queue).is_some();
            assert!(!stuck, "{session:?} could have a job of {queue}");
        }
    }

    fn takes_more(&self, session: SessionId, queue: &str) -> bool {
        let prefetch = self.consumers.get(&(session, queue.to_owned()));
        let held = |job: &&Job| job.queue == queue && job.place == Place::Leased(session);
        let held = self.all.values().filter(held).count();
        prefetch.is_some_and(|prefetch| held < *prefetch as usize)
    }

    fn first_ready(&self, queue: &str) -> Option<u64> {
        let ready = |(_, job): &(&u64, &Job)| job.queue == queue && job.place == Place::Ready;
        self.all.iter().find(ready).map(|(id, _)| *id)
    }

    fn unfinished(&self) -> impl Iterator<Item = (&u64, &Job)> {
        self.all.iter().filter(|(_, job)| job.place != Place::Finished)
    }
}
