//! The model of queues: every job there ever was, and where it is.

use super::settings::Setup;
use super::{LIMITS, push};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use workyard_channel_core::Census;
use workyard_engine::{Effect, SessionId};
use workyard_protocol::channel::Push;

const DEAD: &str = ".dead";

/// Jobs by their numbers, which is the order in which they came.
#[derive(Default)]
pub(super) struct Jobs {
    all: BTreeMap<u64, Job>,
    consumers: BTreeMap<(SessionId, String), Wants>,
    /// Whose lease in which queue ran out, and who was not heard of since.
    silent: BTreeSet<(SessionId, String)>,
    /// The leases that were asked for one by one, oldest first.
    asked: Vec<u64>,
    setups: BTreeMap<String, Setup>,
    /// The job of an id in a queue, and until when.
    ids: BTreeMap<(String, &'static str), (u64, u64)>,
    last_lease: u64,
    now: u64,
}

/// What a publisher asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) queue: &'static str,
    pub(super) delay: u64,
    pub(super) priority: u8,
    pub(super) id: Option<&'static str>,
}

/// What a publisher must be told.
#[derive(Debug, PartialEq)]
pub(super) enum Told {
    Stored(u64),
    Known(u64),
    Refused,
}

/// What whoever removes a job must be told.
#[derive(Debug, PartialEq)]
pub(super) enum Removed {
    Yes,
    No,
    Leased,
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
    priority: u8,
    is_dead: bool,
    place: Place,
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Ready,
    Delayed { due: u64 },
    Leased { by: SessionId, lease: u64, lasts: u64, until: u64 },
    Finished,
}

impl Job {
    fn is_held_by(&self, session: SessionId) -> bool {
        matches!(self.place, Place::Leased { by, .. } if by == session)
    }

    fn lease(&self) -> Option<u64> {
        match self.place {
            Place::Leased { lease, .. } => Some(lease),
            _ => None,
        }
    }
}

impl Jobs {
    pub(super) fn configure(&mut self, queue: &str, setup: Setup) {
        match setup {
            Setup::Server => drop(self.setups.remove(queue)),
            own => drop(self.setups.insert(queue.to_owned(), own)),
        }
    }

    pub(super) fn enqueue(&mut self, wish: Wish) -> Told {
        let Wish { queue, delay, priority, id } = wish;
        let key = |id| (queue.to_owned(), id);
        if let Some((job, until)) = id.and_then(|id| self.ids.get(&key(id)))
            && *until > self.now
        {
            return Told::Known(*job);
        }
        let too_many_ids = id.is_some() && self.ids.len() >= LIMITS.dedup_ids_max;
        if too_many_ids || !self.has_room(queue) {
            return Told::Refused;
        }
        let number = self.all.len() as u64 + 1;
        if let Some(id) = id {
            self.ids.remove(&key(id));
            let window = self.setup(queue).window();
            if window > 0 {
                self.ids.insert(key(id), (number, self.now + window));
            }
        }
        let queue = queue.to_owned();
        let place = self.ready_in(delay);
        self.all.insert(number, Job { queue, attempt: 0, priority, is_dead: false, place });
        Told::Stored(number)
    }

    pub(super) fn consume(&mut self, by: SessionId, queue: &str, prefetch: u32) {
        self.consumers.insert((by, queue.to_owned()), Wants::Window(prefetch));
        self.heard(by);
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
        let held = self.leases_of(by);
        if let Some(lease) = self.asked.iter().find(|lease| held.contains(lease)).copied() {
            self.finish(by, lease);
        }
    }

    /// Whether it must be carried out.
    pub(super) fn ack(&mut self, by: SessionId, lease: u64) -> bool {
        self.heard(by);
        self.finish(by, lease)
    }

    /// Whether it must be carried out.
    pub(super) fn nack(&mut self, by: SessionId, lease: u64, delay: Option<u64>) -> bool {
        self.heard(by);
        let Some(number) = self.held(by, lease) else { return false };
        let delay = delay.unwrap_or_else(|| self.backoff(number));
        self.come_back(number, delay);
        true
    }

    /// Whether it must be carried out.
    pub(super) fn renew(&mut self, by: SessionId, lease: u64) -> bool {
        self.heard(by);
        let Some(number) = self.held(by, lease) else { return false };
        let now = self.now;
        if let Place::Leased { lasts, until, .. } = &mut self.job(number).place {
            *until = now + *lasts;
        }
        true
    }

    /// Whether it must be carried out.
    pub(super) fn cancel(&mut self, by: SessionId, queue: &str) -> bool {
        let removed = self.consumers.remove(&(by, queue.to_owned())).is_some();
        self.forget_silence();
        removed
    }

    pub(super) fn remove(&mut self, queue: &str, number: u64) -> Removed {
        match self.all.get_mut(&number).filter(|job| job.queue == queue) {
            None | Some(Job { place: Place::Finished, .. }) => Removed::No,
            Some(Job { place: Place::Leased { .. }, .. }) => Removed::Leased,
            Some(job) => {
                job.place = Place::Finished;
                Removed::Yes
            }
        }
    }

    /// How many must be moved back, or that there is no room for the first. Those that stay must have
    /// numbers from the returned one on.
    pub(super) fn redrive(&mut self, queue: &str, limit: usize) -> Option<(u64, Option<u64>)> {
        let mut moved = 0;
        for number in self.dead_letters(queue) {
            if moved == limit as u64 {
                return Some((moved, Some(number)));
            }
            if !self.has_room(queue) {
                return (moved > 0).then_some((moved, Some(number)));
            }
            let job = self.job(number);
            (job.queue, job.attempt, job.is_dead) = (queue.to_owned(), 0, false);
            job.place = Place::Ready;
            moved += 1;
        }
        Some((moved, None))
    }

    /// The numbers of a queue's dead letters that wait.
    pub(super) fn dead_letters(&self, queue: &str) -> Vec<u64> {
        let waits = |job: &Job| matches!(job.place, Place::Ready | Place::Delayed { .. });
        let name = format!("{queue}{DEAD}");
        let dead = |job: &Job| job.is_dead && job.queue == name && waits(job);
        self.all.iter().filter(|(_, job)| dead(job)).map(|(number, _)| *number).collect()
    }

    pub(super) fn close(&mut self, gone: SessionId) {
        self.consumers.retain(|(session, _), _| *session != gone);
        self.silent.retain(|(session, _)| *session != gone);
        // The broker takes them back in the order of the leases.
        for lease in self.leases_of(gone) {
            let number = self.held(gone, lease).unwrap();
            self.come_back(number, 0);
        }
    }

    /// Time passes, and all that is due by then is done.
    pub(super) fn wait(&mut self, until: u64) {
        self.now = until;
        self.ids.retain(|_, (_, known_until)| *known_until > until);
        let is_over = |job: &Job| match job.place {
            Place::Leased { by, lease, until: end, lasts } if lasts > 0 && end <= until => {
                Some((end, by, lease))
            }
            _ => None,
        };
        let mut over: Vec<_> = self.all.values().filter_map(is_over).collect();
        over.sort_unstable();
        for (_, by, lease) in over {
            let number = self.held(by, lease).unwrap();
            self.silent.insert((by, self.all[&number].queue.clone()));
            let backoff = self.backoff(number);
            self.come_back(number, backoff);
        }
        self.forget_silence();
        for job in self.all.values_mut() {
            if matches!(job.place, Place::Delayed { due } if due <= until) {
                job.place = Place::Ready;
            }
        }
    }

    /// The leases that the session has, oldest first.
    pub(super) fn leases_of(&self, session: SessionId) -> Vec<u64> {
        let held = self.all.values().filter(|job| job.is_held_by(session));
        let mut leases: Vec<u64> = held.filter_map(Job::lease).collect();
        leases.sort_unstable();
        leases
    }

    pub(super) fn count(&self, census: &mut Census) {
        let unfinished: Vec<_> =
            self.all.values().filter(|job| job.place != Place::Finished).collect();
        census.ready = unfinished.iter().filter(|job| job.place == Place::Ready).count();
        census.leased = unfinished.iter().filter(|job| job.lease().is_some()).count();
        census.delayed = unfinished.len() - census.ready - census.leased;
        census.consumers = self.consumers.len();
        census.ids = self.ids.len();
        let of_jobs = unfinished.iter().map(|job| &job.queue);
        let of_consumers = self.consumers.keys().map(|(_, queue)| queue);
        let of_ids = self.ids.keys().map(|(queue, _)| queue);
        let all = of_jobs.chain(of_consumers).chain(of_ids).chain(self.setups.keys());
        census.queues = all.collect::<HashSet<_>>().len();
    }

    /// Takes the jobs that were pushed, and checks that none is left that could have been.
    pub(super) fn check(&mut self, effects: &[Effect], full: &HashSet<SessionId>) {
        for effect in effects {
            let Effect::Push(to, frame) = effect else { panic!("no job: {effect:?}") };
            assert!(!full.contains(to), "{to:?} has no room");
            self.take(*to, push(frame));
        }
        for (session, queue) in self.consumers.keys().filter(|(to, _)| !full.contains(to)) {
            let stuck = self.takes_more(*session, queue) && self.first_ready(queue).is_some();
            assert!(!stuck, "{session:?} could have a job of {queue}");
        }
    }

    fn take(&mut self, to: SessionId, push: Push<'_>) {
        let Push::Job { queue, job: number, attempt, lease, lease_ms, .. } = push else {
            panic!("no job: {push:?}")
        };
        let queue = std::str::from_utf8(queue.as_bytes()).unwrap();
        assert!(self.takes_more(to, queue), "{to:?} wants no more of {queue}");
        assert_eq!(self.first_ready(queue), Some(number), "the first job goes first");
        assert!(lease > self.last_lease, "numbers of leases grow");
        self.last_lease = lease;
        let mut lasts = self.setup(queue).lease_ms();
        if let Some(Wants::Credit(open)) = self.consumers.get_mut(&(to, queue.to_owned())) {
            (*open, lasts) = (false, 0);
            self.asked.push(lease);
        }
        assert_eq!(u64::from(lease_ms), lasts);
        let until = self.now + lasts;
        let job = self.job(number);
        job.attempt += 1;
        assert_eq!(job.attempt, attempt);
        job.place = Place::Leased { by: to, lease, lasts, until };
    }

    fn takes_more(&self, session: SessionId, queue: &str) -> bool {
        let share = (session, queue.to_owned());
        let held = |job: &&Job| job.queue == queue && job.is_held_by(session);
        !self.silent.contains(&share)
            && match self.consumers.get(&share) {
                None => false,
                Some(Wants::Window(most)) => {
                    self.all.values().filter(held).count() < *most as usize
                }
                Some(Wants::Credit(open)) => *open,
            }
    }

    fn first_ready(&self, queue: &str) -> Option<u64> {
        let ready = |(_, job): &(&u64, &Job)| job.queue == queue && job.place == Place::Ready;
        let place = |(number, job): &(&u64, &Job)| (u8::MAX - job.priority, **number);
        self.all.iter().filter(ready).min_by_key(place).map(|(number, _)| *number)
    }

    /// A job that was held goes to its place, or where it is out of the way.
    fn come_back(&mut self, number: u64, delay: u64) {
        let Job { queue, attempt, .. } = &self.all[&number];
        let attempts_max = self.setup(queue).attempts_max();
        let spent = attempts_max > 0 && *attempt >= attempts_max;
        let dead = format!("{queue}{DEAD}");
        if spent && !queue.ends_with(DEAD) && self.has_room(&dead) {
            let job = self.job(number);
            (job.queue, job.is_dead, job.place) = (dead, true, Place::Ready);
        } else {
            self.job(number).place = self.ready_in(delay);
        }
    }

    fn heard(&mut self, by: SessionId) {
        self.silent.retain(|(session, _)| *session != by);
    }

    /// Who has nothing to do with a queue any more begins there anew.
    fn forget_silence(&mut self) {
        let Self { silent, consumers, all, .. } = self;
        silent.retain(|share| {
            let holds = |job: &Job| job.queue == share.1 && job.is_held_by(share.0);
            consumers.contains_key(share) || all.values().any(holds)
        });
    }

    fn finish(&mut self, by: SessionId, lease: u64) -> bool {
        let held = self.held(by, lease);
        held.map(|number| self.job(number).place = Place::Finished).is_some()
    }

    fn held(&self, by: SessionId, lease: u64) -> Option<u64> {
        let held = |job: &Job| job.is_held_by(by) && job.lease() == Some(lease);
        self.all.iter().find(|(_, job)| held(job)).map(|(number, _)| *number)
    }

    fn has_room(&self, queue: &str) -> bool {
        let kept = |job: &&Job| job.queue == queue && job.place != Place::Finished;
        self.all.values().filter(kept).count() < self.setup(queue).jobs_max()
    }

    fn backoff(&self, number: u64) -> u64 {
        let job = &self.all[&number];
        self.setup(&job.queue).backoff(job.attempt)
    }

    fn ready_in(&self, delay: u64) -> Place {
        if delay == 0 { Place::Ready } else { Place::Delayed { due: self.now + delay } }
    }

    fn setup(&self, queue: &str) -> Setup {
        self.setups.get(queue).copied().unwrap_or(Setup::Server)
    }

    fn job(&mut self, number: u64) -> &mut Job {
        self.all.get_mut(&number).unwrap()
    }
}
