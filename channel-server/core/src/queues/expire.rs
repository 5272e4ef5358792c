//! What is due: leases that were not renewed, delays that are over, ids that are forgotten.

use super::Queues;
use super::give_back::Return;
use super::holder::Lease;
use super::timers::Timer;
use std::collections::BTreeSet;
use workyard_engine::{Outbox, SessionId, Time};
use workyard_planted::planted;
use workyard_protocol::channel::{Cause, ChannelWire};

/// Most of what is due that is done at once, so that a million delays that end at one instant hold
/// nobody up.
const EXPIRE_TIMERS_MAX: usize = 1000;

impl Queues {
    /// When something is due.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.timers.next()
    }

    /// Does a portion of what is due, and hands out what is ready by it.
    pub(crate) fn expire(&mut self, now: Time, outbox: &mut impl Outbox<ChannelWire>) {
        let mut changed = BTreeSet::new();
        for _ in 0..EXPIRE_TIMERS_MAX {
            match self.timers.pop(now) {
                None => break,
                Some(Timer::Lease { session, lease }) => {
                    self.lapse(now, session, lease, &mut changed);
                }
                Some(Timer::Job { queue, job }) => {
                    self.queues[queue].ripen(job);
                    changed.insert(queue);
                }
                Some(Timer::Id { queue, job }) => {
                    self.queues[queue].ids.forget(job);
                    self.ids -= 1;
                    changed.insert(queue);
                }
            }
        }
        for at in changed {
            self.dispatch(now, at, outbox);
            self.forget_if_unused(at);
        }
    }

    /// The session is alive: if it was not believed to be, it may have jobs again.
    pub(super) fn heard(
        &mut self,
        now: Time,
        session: SessionId,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let Some(holder) = self.holders.get_mut(session).filter(|holder| holder.is_silent) else {
            return;
        };
        holder.is_silent = false;
        let mut woken = Vec::new();
        for (at, share) in &mut holder.shares {
            if std::mem::take(&mut share.is_silent) {
                share.settle(session, &mut self.queues[*at], &mut self.numbers);
                woken.push(*at);
            }
        }
        for at in woken {
            self.dispatch(now, at, outbox);
        }
    }

    /// A lease was not renewed. Its session gets no more jobs of that queue before it is heard of: one
    /// that is stopped would else be handed the same job over and over.
    fn lapse(&mut self, now: Time, session: SessionId, lease: u64, changed: &mut BTreeSet<u32>) {
        let holder = self.holders.get_mut(session).expect("whoever has a lease is a holder");
        let held = holder.leases.remove(&lease).expect("a lease that is over has no deadline");
        holder.is_silent = true;
        let Lease { queue: at, job, .. } = held;
        if planted!("job-is-lost-on-expiry") {
            self.job_bytes -= job.bytes();
            self.queues[at].forget(&job);
        } else {
            changed.extend(self.put_back(now, at, job, Return::by(Cause::Expiry)));
        }
        self.change_share(session, at, |share| {
            share.held -= 1;
            share.is_silent = true;
        });
        changed.insert(at);
    }
}
