//! Handing jobs out, and taking them back from sessions that are gone.

use super::Queues;
use super::holder::Lease;
use super::job::Job;
use workyard_engine::{Outbox, SessionId};
use workyard_protocol::QueueName;
use workyard_protocol::channel::ChannelWire;

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
            let share = holder.shares.get_mut(&at).expect("an idle consumer has a share");
            if outbox.has_room(session) {
                let job = queue.lease().expect("a job is ready");
                outbox.push(session, job.push(name));
                if share.take_one() {
                    let serial = self.numbers.next();
                    holder.leases.insert(job.id, Lease { queue: at, job, serial });
                } else {
                    self.job_bytes -= Job::bytes(job.value.as_ref());
                    queue.leased -= 1;
                }
            } else {
                share.blocked = true;
            }
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
        for Lease { queue, job, .. } in holder.leases.into_values() {
            self.queues[queue].give_back(job);
        }
        for at in holder.shares.into_keys() {
            self.dispatch(at, outbox);
            self.forget_if_unused(at);
        }
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
