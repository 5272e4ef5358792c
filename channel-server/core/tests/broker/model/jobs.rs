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
    consumers: BTreeMap<(SessionId, String), Wants>,
    /// The jobs that were asked for one by one, oldest first.
    asked: Vec<u64>,
}

/// What a consumer takes.
enum Wants {
    /// As many as it may hold.
    Window(u32),
    /// One, if it has asked.
    Credit(bool),
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

impl Job {
    fn is_held_by(&self, session: SessionId) -> bool {
        self.place == Place::Leased(session)
    }
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
        self.consumers.insert((by, queue.to_owned()), Wants::Window(prefetch));
    }

    pub(super) fn watch(&mut self, by: SessionId, queue: &str) {
        self.consumers.entry((by, queue.to_owned())).or_insert(Wants::Credit(false));
    }

    pub(super) fn reserve(&mut self, by: SessionId) {
        for ((session, _), wants) in &mut self.consumers {
            if let (true, Wants::Credit(open)) = (*session == by, wants) {
                *open = true;
            }
        }
    }

    pub(super) fn ack_oldest(&mut self, by: SessionId) {
        let held = |id: &&u64| self.all[*id].is_held_by(by);
        if let Some(id) = self.asked.iter().find(held).copied() {
            self.all.get_mut(&id).unwrap().place = Place::Finished;
        }
    }

    /// Whether it must be carried out.
    pub(super) fn ack(&mut self, by: SessionId, id: u64) -> bool {
        let held = self.all.get_mut(&id).filter(|job| job.is_held_by(by));
        held.map(|job| job.place = Place::Finished).is_some()
    }

    /// Whether it must be carried out.
    pub(super) fn nack(&mut self, by: SessionId, id: u64) -> bool {
        let held = self.all.get_mut(&id).filter(|job| job.is_held_by(by));
        held.map(|job| job.place = Place::Ready).is_some()
    }

    /// Whether it must be carried out.
    pub(super) fn cancel(&mut self, by: SessionId, queue: &str) -> bool {
        self.consumers.remove(&(by, queue.to_owned())).is_some()
    }

    pub(super) fn close(&mut self, gone: SessionId) {
        self.consumers.retain(|(session, _), _| *session != gone);
        for job in self.all.values_mut().filter(|job| job.is_held_by(gone)) {
            job.place = Place::Ready;
        }
    }

    pub(super) fn held_by(&self, session: SessionId) -> Vec<u64> {
        let held = self.all.iter().filter(|(_, job)| job.is_held_by(session));
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
            self.asked.retain(|asked| *asked != id);
            if let Some(Wants::Credit(open)) = self.consumers.get_mut(&(*to, queue.to_owned())) {
                *open = false;
                self.asked.push(id);
            }
        }
        for (session, queue) in self.consumers.keys().filter(|(to, _)| !full.contains(to)) {
            let stuck = self.takes_more(*session, queue) && self.first_ready(queue).is_some();
            assert!(!stuck, "{session:?} could have a job of {queue}");
        }
    }

    fn takes_more(&self, session: SessionId, queue: &str) -> bool {
        let held = |job: &&Job| job.queue == queue && job.is_held_by(session);
        match self.consumers.get(&(session, queue.to_owned())) {
            None => false,
            Some(Wants::Window(most)) => self.all.values().filter(held).count() < *most as usize,
            Some(Wants::Credit(open)) => *open,
        }
    }

    fn first_ready(&self, queue: &str) -> Option<u64> {
        let ready = |(_, job): &(&u64, &Job)| job.queue == queue && job.place == Place::Ready;
        self.all.iter().find(ready).map(|(id, _)| *id)
    }

    fn unfinished(&self) -> impl Iterator<Item = (&u64, &Job)> {
        self.all.iter().filter(|(_, job)| job.place != Place::Finished)
    }
}
