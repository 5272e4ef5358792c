//! Where a job goes that comes back: to its place, to its place after a while, or out of the way.

use super::Queues;
use super::job::{Death, Job};
use super::timers::Timer;
use std::time::Duration;
use workyard_engine::Time;
use workyard_planted::planted;
use workyard_protocol::channel::{Cause, NackReason};
use workyard_protocol::{Delay, QueueName};

/// What the name of a queue gets behind it for the jobs that were handed out too often.
const DEAD_SUFFIX: &[u8] = b".dead";

/// How a job comes back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Return<'a> {
    pub(super) cause: Cause,
    /// How long nobody shall have it, if the consumer has a wish.
    pub(super) delay: Option<Delay>,
    pub(super) reason: Option<NackReason<'a>>,
}

impl Return<'_> {
    /// Without a word of the consumer.
    pub(super) fn by(cause: Cause) -> Self {
        Self { cause, delay: None, reason: None }
    }
}

impl Queues {
    /// Takes a job back that nobody holds any more. If it goes to another queue, that one is returned.
    pub(super) fn put_back(
        &mut self,
        now: Time,
        at: u32,
        mut job: Box<Job>,
        how: Return<'_>,
    ) -> Option<u32> {
        if let Some(reason) = how.reason {
            self.change_job(at, &mut job, |job| job.set_reason(reason));
        }
        if let Some(dead) = self.dead_letters(at, &job) {
            self.queues[at].forget(&job);
            job.die(Death { cause: how.cause, since: now });
            job.since = now;
            if planted!("dead-letter-is-lost") {
                self.job_bytes -= job.bytes();
                return Some(dead);
            }
            self.queues[dead].insert(job);
            return Some(dead);
        }
        let delay = match how.cause {
            // Whoever worked on it is gone: that says nothing about the job.
            Cause::Disconnect => Delay::NONE,
            _ if planted!("backoff-is-ignored") => Delay::NONE,
            Cause::Nack | Cause::Expiry => {
                let backoff = || self.in_force(Some(at)).backoff.after(job.attempt);
                how.delay.filter(|_| !planted!("wish-of-a-nack-is-ignored")).unwrap_or_else(backoff)
            }
        };
        if delay != Delay::NONE {
            job.since = now + Duration::from(delay);
            job.is_delayed = true;
            self.timers.set(job.since, Timer::Job { queue: at, job: job.number });
        }
        self.queues[at].give_back(job);
        None
    }

    /// The queue of the dead letters of this one, if there is one.
    pub(super) fn dead_letters_of(&self, name: QueueName<'_>) -> Option<u32> {
        self.queues.find(&[name.as_bytes(), DEAD_SUFFIX].concat())
    }

    /// Changes a job of this queue, and what it takes.
    pub(super) fn change_job(&mut self, at: u32, job: &mut Job, change: impl FnOnce(&mut Job)) {
        let before = job.bytes();
        change(job);
        let after = job.bytes();
        let queue = &mut self.queues[at];
        queue.bytes = queue.bytes - before + after;
        self.job_bytes = self.job_bytes - before + after;
    }

    /// The queue for a job that was handed out too often, if it was and there is room: one that its
    /// consumers do not survive would else keep all others from being done.
    fn dead_letters(&mut self, at: u32, job: &Job) -> Option<u32> {
        let attempts_max = self.in_force(Some(at)).attempts_max;
        let name = self.queues.name(at);
        let spent = attempts_max > 0 && job.attempt >= attempts_max;
        if !spent || name.ends_with(DEAD_SUFFIX) {
            return None;
        }
        let name = [name, DEAD_SUFFIX].concat();
        let name = QueueName::new(&name).ok()?;
        let Some(dead) = self.queues.find(name.as_bytes()) else {
            return self.add_queue(name).ok();
        };
        self.check_queue(dead, job.bytes()).is_ok().then_some(dead)
    }
}
