//! What one session has to do with queues: where it consumes, and which jobs it holds.

use super::job::Job;
use super::queue::Queue;
use super::timers::{Timer, Timers};
use crate::numbers::Numbers;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use workyard_engine::{SessionId, Time};
use workyard_planted::planted;

/// A session that consumes or holds jobs. Ordered, so that the same requests always have the same
/// effects in the same order.
#[derive(Debug, Default)]
pub(crate) struct Holder {
    /// Its share in each queue that it consumes from or holds jobs of.
    pub(crate) shares: BTreeMap<u32, Share>,
    /// The jobs that it holds, by the numbers of their leases.
    pub(crate) leases: BTreeMap<u64, Lease>,
    /// The leases that it asked for one by one, in the order in which they came. Some may be over.
    pub(crate) asked: VecDeque<u64>,
    /// The queues that it would have to ask again, by when it began to consume from them.
    pub(crate) closed: BTreeMap<u64, u32>,
    /// Some of its shares are silent.
    pub(crate) is_silent: bool,
}

/// A job that is a session's until the session acknowledges it or is gone, or the time is over.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) queue: u32,
    pub(crate) job: Box<Job>,
    /// What a renewal prolongs it by, in milliseconds; 0 for a lease without a deadline.
    pub(crate) lease_ms: u32,
    pub(crate) deadline: Option<Time>,
}

/// How a session consumes from a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Appetite {
    /// It takes jobs as long as it holds fewer than so many.
    Window(u32),
    /// It takes one job each time it asks, however many it holds.
    Credit {
        /// It has asked.
        open: bool,
        /// What it takes is its own until acknowledged, else done with at once.
        held: bool,
    },
}

/// What a session has of one queue.
#[derive(Debug, Default)]
pub(crate) struct Share {
    /// How it takes jobs; nothing when it does not consume.
    pub(crate) appetite: Option<Appetite>,
    /// Orders the queues that it consumes from by when it began to.
    pub(crate) since: u64,
    /// How many it holds.
    pub(crate) held: u32,
    /// It had no room for a job, and has not been heard of since.
    pub(crate) blocked: bool,
    /// A lease of it expired, and the session has not been heard of since.
    pub(crate) is_silent: bool,
    /// The serial under which it is among the queue's idle consumers, if it is.
    turn: Option<u64>,
}

impl Holder {
    /// Takes a job of a queue that it has a share in. One that is given away is returned.
    pub(crate) fn take(&mut self, number: u64, lease: Lease) -> Option<Lease> {
        let queue = lease.queue;
        let share = self.shares.get_mut(&queue).expect("whoever takes a job has a share");
        if let Some(Appetite::Credit { open, held }) = &mut share.appetite {
            *open = false;
            self.closed.insert(share.since, queue);
            if !*held {
                return Some(lease);
            }
            self.asked.push_back(number);
        }
        share.held += 1;
        self.leases.insert(number, lease);
        None
    }
}

impl Lease {
    /// Begins anew.
    pub(crate) fn renew(&mut self, now: Time, session: SessionId, lease: u64, timers: &mut Timers) {
        if let Some(deadline) = &mut self.deadline {
            let timer = Timer::Lease { session, lease };
            if planted!("renewal-is-forgotten") {
                return;
            }
            timers.unset(*deadline, timer);
            *deadline = now + Duration::from_millis(self.lease_ms.into());
            timers.set(*deadline, timer);
        }
    }
}

impl Share {
    /// How long a job of this queue is the session's, in milliseconds: one that asks for each job has
    /// no way to renew it.
    pub(crate) fn lease_ms(&self, of_queue: u32) -> u32 {
        match self.appetite {
            Some(Appetite::Window(_)) => of_queue,
            _ => 0,
        }
    }

    /// Whether nothing is left of it.
    pub(crate) fn is_unused(&self) -> bool {
        self.appetite.is_none() && self.held == 0
    }

    /// Joins or leaves the idle consumers, after anything about the share has changed.
    pub(crate) fn settle(&mut self, session: SessionId, queue: &mut Queue, numbers: &mut Numbers) {
        match (self.takes_jobs(), self.turn) {
            (true, None) => {
                let serial = numbers.next();
                queue.idle.join(serial, session);
                self.turn = Some(serial);
            }
            (false, Some(serial)) => {
                queue.idle.leave(serial);
                self.turn = None;
            }
            _ => {}
        }
    }

    fn takes_jobs(&self) -> bool {
        !self.blocked
            && !self.is_silent
            && match self.appetite {
                None => false,
                Some(Appetite::Window(_)) if planted!("prefetch-is-ignored") => true,
                Some(Appetite::Window(most)) => self.held < most,
                Some(Appetite::Credit { open, .. }) => open,
            }
    }
}
