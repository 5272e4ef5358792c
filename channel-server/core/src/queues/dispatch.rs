//! Handing jobs out, and taking them back from sessions that are gone.

use super::Queues;
use super::give_back::Return;
use super::holder::Lease;
use super::timers::Timer;
use std::collections::BTreeSet;
use std::time::Duration;
use workyard_engine::{Outbox, SessionId, Time};
use workyard_planted::planted;
use workyard_protocol::QueueName;
use workyard_protocol::channel::{Cause, ChannelWire};

impl Queues {
    /// Hands out jobs in their order, as long as an idle consumer is there.
    ///
    /// Consumers take turns. One that holds all it may take joins the end of the row again after an
    /// acknowledgement; one without room does so when it is drained.
    pub(super) fn dispatch(&mut self, now: Time, at: u32, outbox: &mut impl Outbox<ChannelWire>) {
        let lease_ms = match planted!("lease-of-a-queue-is-ignored") {
            true => self.limits.queue_lease_ms,
            false => self.in_force(Some(at)).lease_ms,
        };
        let (name, queue) = self.queues.entry_mut(at);
        let name = QueueName::new(name).expect("it was a queue's name when it came");
        while queue.ready() > 0 {
            let Some(session) = queue.idle.next_turn(|_| true) else {
                return;
            };
            let holder = self.holders.get_mut(session).expect("an idle consumer is a holder");
            let share = holder.shares.get_mut(&at).expect("an idle consumer has a share");
            if outbox.has_room(session) {
                let job = queue.lease().expect("a job is ready");
                let lease_ms = share.lease_ms(lease_ms);
                self.last_lease += 1;
                let lease = self.last_lease;
                outbox.push(session, job.push(name, lease, lease_ms));
                let deadline = (lease_ms > 0).then(|| now + Duration::from_millis(lease_ms.into()));
                if let Some(deadline) = deadline {
                    self.timers.set(deadline, Timer::Lease { session, lease });
                }
                if let Some(done) = holder.take(lease, Lease { queue: at, job, lease_ms, deadline })
                {
                    self.job_bytes -= done.job.bytes();
                    queue.forget(&done.job);
                }
            } else {
                share.blocked = true;
            }
            let share = holder.shares.get_mut(&at).expect("an idle consumer has a share");
            share.settle(session, queue, &mut self.numbers);
        }
    }

    /// Takes back every job that the session holds, and hands them out to others.
    pub(crate) fn close(
        &mut self,
        now: Time,
        session: SessionId,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
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
        for (lease, held) in holder.leases {
            if let Some(deadline) = held.deadline {
                self.timers.unset(deadline, Timer::Lease { session, lease });
            }
            if planted!("job-is-lost-on-close") {
                self.queues[held.queue].forget(&held.job);
                continue;
            }
            let how = Return::by(Cause::Disconnect);
            changed.extend(self.put_back(now, held.queue, held.job, how));
        }
        for at in changed {
            self.dispatch(now, at, outbox);
            self.forget_if_unused(at);
        }
    }

    /// Hands out what the session could not take for lack of room.
    pub(crate) fn drained(
        &mut self,
        now: Time,
        session: SessionId,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
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
            self.dispatch(now, at, outbox);
        }
    }
}
