//! Handing jobs out, and taking them back from sessions that are gone.

use super::Queues;
use super::holder::Lease;
use super::job::Job;
use std::collections::BTreeSet;
use workyard_engine::{Outbox, SessionId};
use workyard_planted::planted;
use workyard_protocol::QueueName;
use workyard_protocol::channel::ChannelWire;

/// What the name of a queue gets behind it for the jobs that were handed out too often.
const DEAD_SUFFIX: &[u8] = b".dead";

impl Queues {
    /// Hands out jobs, oldest first, as long as an idle consumer is there.
    ///
    /// Consumers take turns. One that holds all it may take joins the end of the row again after an
    /// acknowledgement; one without room does so when it is drained.
    pub(super) fn dispatch(&mut self, at: u32, outbox: &mut impl Outbox<ChannelWire>) {
        let (name, queue) = self.queues.entry_mut(at);
        let name = QueueName::new(name).expect("it was a queue's name when it came");
        while queue.ready() > 0 {
            let Some(session) = queue.idle.next_turn(|_| true) else {
                return;
            };
            let holder = self.holders.get_mut(session).expect("an idle consumer is a holder");
            if outbox.has_room(session) {
                let job = queue.lease().expect("a job is ready");
                outbox.push(session, job.push(name));
                if let Some(done) = holder.take(at, job) {
                    self.job_bytes -= Job::bytes(done.value.as_ref());
                    queue.leased -= 1;
                }
            } else {
                holder.shares.get_mut(&at).expect("an idle consumer has a share").blocked = true;
            }
            let share = holder.shares.get_mut(&at).expect("an idle consumer has a share");
            share.settle(session, queue, &mut self.numbers);
        }
    }

    /// Takes back every job that the session holds, and hands them out to others.
    pub(crate) fn close(&mut self, session: SessionId, outbox: &mut impl Outbox<ChannelWire>) {
        let Some(mut holder) = self.holders.remove(session) else {
            return;
        };
        for (at, share) in &mut holder.shares {
            let queue = &mut self.queues[*at];
            if share.appetite.take().is_some() {
                queue.consumers -= 1;
            }
            share.settle(session, queue, &mut self.numbers);
        }
        let mut changed: BTreeSet<u32> = holder.shares.into_keys().collect();
        for Lease { queue, job } in holder.leases.into_values() {
            if planted!("job-is-lost-on-close") {
                self.queues[queue].leased -= 1;
                continue;
            }
            changed.extend(self.put_back(queue, job));
        }
        for at in changed {
            self.dispatch(at, outbox);
            self.forget_if_unused(at);
        }
    }

    /// Puts a job that nobody holds any more to the head of its queue, or where it is out of the way: the
    /// queue there is returned.
    pub(super) fn put_back(&mut self, at: u32, job: Job) -> Option<u32> {
        let dead = self.dead_letters(at, &job);
        match dead {
            None => self.queues[at].give_back(job),
            Some(dead) => {
                self.queues[at].leased -= 1;
                self.queues[dead].store(job);
            }
        }
        dead
    }

    /// The queue for a job that was handed out too often, if it was and there is room: one that its
    /// consumers do not survive would else keep all others from being done.
    fn dead_letters(&mut self, at: u32, job: &Job) -> Option<u32> {
        let limits = &self.limits;
        let name = self.queues.name(at);
        let spent = limits.job_attempts_max > 0 && job.attempt >= limits.job_attempts_max;
        if !spent || name.ends_with(DEAD_SUFFIX) {
            return None;
        }
        let name = [name, DEAD_SUFFIX].concat();
        let name = QueueName::new(&name).ok()?;
        let Some(dead) = self.queues.find(name.as_bytes()) else {
            return self.add_queue(name).ok();
        };
        let queue = &self.queues[dead];
        (queue.ready() + queue.leased < limits.queue_jobs_max).then_some(dead)
    }

    /// Hands out what the session could not take for lack of room.
    pub(crate) fn drained(&mut self, session: SessionId, outbox: &mut impl Outbox<ChannelWire>) {
        let Some(holder) = self.holders.get_mut(session) else {
            return;
        };
        let mut unblocked = Vec::new();
        for (at, share) in &mut holder.shares {
            if std::mem::take(&mut share.blocked) {
                share.settle(session, &mut self.queues[*at], &mut self.numbers);
                unblocked.push(*at);
            }
        }
        for at in unblocked {
            self.dispatch(at, outbox);
        }
    }
}
