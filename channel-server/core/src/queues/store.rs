//! `enqueue`: where a job goes when it comes, and whether it has come before.

use super::Queues;
use super::ids::Known;
use super::job::Job;
use super::timers::Timer;
use crate::BrokerLimits;
use std::time::Duration;
use workyard_engine::{Caller, Outbox, Time};
use workyard_planted::planted;
use workyard_protocol::channel::{ChannelWire, Enqueue, PublisherId, Reply};
use workyard_protocol::{Delay, Refusal};

impl Queues {
    /// Stores a job, and hands it out if somebody waits for it.
    pub(crate) fn enqueue(
        &mut self,
        now: Time,
        caller: Caller,
        request: Enqueue<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let known = self.queues.find(request.queue.as_bytes());
        if let Some(job) = self.duplicate(now, known, request.id) {
            return outbox.reply(caller, Reply::Enqueued { job, duplicate: true });
        }
        match self.store(now, known, request) {
            Ok(at) => {
                outbox.reply(caller, Reply::Enqueued { job: self.last_job, duplicate: false });
                self.dispatch(now, at, outbox);
            }
            Err(refusal) => outbox.refuse(caller, refusal),
        }
    }

    /// Refuses a job that would put this queue above a limit of its own.
    pub(super) fn check_queue(&self, at: u32, bytes: usize) -> Result<(), Refusal> {
        let (queue, in_force) = (&self.queues[at], self.in_force(Some(at)));
        let (jobs_max, bytes_max) = (in_force.jobs_max, in_force.bytes_max);
        if queue.jobs() as u64 >= jobs_max + u64::from(planted!("queue-takes-one-too-many")) {
            let name = match jobs_max < self.limits.queue_jobs_max as u64 {
                true => "the queue's own jobs_max",
                false => "queue_jobs_max",
            };
            return Err(BrokerLimits::reached(name, jobs_max));
        }
        let is_own = bytes_max < self.limits.queue_bytes_max as u64;
        if is_own && (queue.bytes + bytes) as u64 > bytes_max {
            return Err(BrokerLimits::reached("the queue's own bytes_max", bytes_max));
        }
        Ok(())
    }

    /// The number of the job that came under this id, if it still counts.
    fn duplicate(&self, now: Time, queue: Option<u32>, id: Option<PublisherId<'_>>) -> Option<u64> {
        let known = self.queues[queue?].ids.find(id?)?;
        (known.until > now && !planted!("duplicate-is-stored")).then_some(known.job)
    }

    /// Stores a job under the next number and returns its queue.
    fn store(
        &mut self,
        now: Time,
        known: Option<u32>,
        request: Enqueue<'_>,
    ) -> Result<u32, Refusal> {
        let bytes = Job::bytes_of(request.value);
        known.map_or(Ok(()), |at| self.check_queue(at, bytes))?;
        if self.job_bytes + bytes > self.limits.queue_bytes_max {
            let limit = self.limits.queue_bytes_max;
            return Err(BrokerLimits::reached("queue_bytes_max", limit));
        }
        if request.id.is_some() && self.ids >= self.limits.dedup_ids_max {
            return Err(BrokerLimits::reached("dedup_ids_max", self.limits.dedup_ids_max));
        }
        let at = known.map_or_else(|| self.add_queue(request.queue), Ok)?;
        self.last_job += 1;
        self.job_bytes += bytes;
        if let Some(id) = request.id {
            self.remember(now, at, id);
        }
        let since = now + Duration::from(request.delay);
        let mut job = Job::new(self.last_job, since, request.priority, request.value);
        if request.delay != Delay::NONE && !planted!("delay-is-ignored") {
            job.is_delayed = true;
            self.timers.set(since, Timer::Job { queue: at, job: job.number });
        }
        self.queues[at].store(job);
        Ok(at)
    }

    /// The job that was stored last has this id.
    fn remember(&mut self, now: Time, at: u32, id: PublisherId<'_>) {
        let window = self.in_force(Some(at)).dedup_window;
        let ids = &mut self.queues[at].ids;
        if let Some(before) = ids.find(id) {
            ids.forget(before.job);
            self.ids -= 1;
            self.timers.unset(before.until, Timer::Id { queue: at, job: before.job });
        }
        if window != Delay::NONE {
            let window =
                Duration::from(window) / if planted!("window-is-half-as-long") { 2 } else { 1 };
            let known = Known { job: self.last_job, until: now + window };
            ids.insert(id, known);
            self.ids += 1;
            self.timers.set(known.until, Timer::Id { queue: at, job: known.job });
        }
    }
}
