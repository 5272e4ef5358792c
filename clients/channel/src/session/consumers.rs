//! Which consumers there are, and who receives a job.

use super::{Done, HeldJob, LocalId, finish, refused};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use workyard_link::{Mailbox, Offered};
use workyard_protocol::Refusal;
use workyard_protocol::limits::PREFETCH_JOBS_MAX;

#[derive(Debug, Default)]
pub(super) struct Consumers {
    queues: BTreeMap<Bytes, Queue>,
    by_id: HashMap<LocalId, Bytes>,
}

/// What the server is to be asked for: the consumers of one queue share one prefetch. None of it left
/// means that nobody consumes any more.
#[derive(Debug)]
pub(super) struct Demand {
    pub(super) queue: Bytes,
    pub(super) prefetch: u32,
    /// For whom in particular; for all of them without.
    id: Option<LocalId>,
}

#[derive(Debug, Default)]
struct Queue {
    locals: Vec<Local>,
    /// Jobs of consumers that are gone. They are for the next one, if it comes before they are given
    /// back, when they would have to be renewed.
    orphans: VecDeque<HeldJob>,
}

#[derive(Debug)]
struct Local {
    id: LocalId,
    mailbox: Arc<Mailbox<HeldJob>>,
    prefetch: u32,
    held: Arc<AtomicU32>,
    /// The request that asks the server for it, and who waits for the answer.
    asked: u64,
    done: Option<Done>,
    /// It was cancelled, and the server has not answered yet: jobs may still be on their way to it.
    is_ending: bool,
    /// Who waits for its end.
    ended: Vec<Done>,
}

/// Whatever ends a consumer ends its stream.
impl Drop for Local {
    fn drop(&mut self) {
        self.mailbox.close();
        self.ended.drain(..).for_each(|done| finish(Some(done)));
    }
}

/// What the server is to hear of a consumer that was cancelled.
#[derive(Debug)]
pub(super) enum Cancelled {
    /// It has ended. The others of its queue want less.
    Ended(Demand),
    /// It was the last one of its queue and ends when the server has answered.
    Last { queue: Bytes },
}

impl Consumers {
    pub(super) fn add(
        &mut self,
        id: LocalId,
        name: Bytes,
        prefetch: u32,
        mailbox: Arc<Mailbox<HeldJob>>,
        done: Done,
    ) -> Demand {
        self.by_id.insert(id, name.clone());
        let queue = self.queues.entry(name.clone()).or_default();
        let held = Arc::default();
        queue.locals.push(Local {
            id,
            mailbox,
            prefetch,
            held,
            asked: 0,
            done: Some(done),
            is_ending: false,
            ended: Vec::new(),
        });
        queue.deliver_orphans();
        Demand { prefetch: queue.prefetch(), queue: name, id: Some(id) }
    }

    /// Ends a consumer whose stream goes on to be read. Takes `done`, unless there is no such
    /// consumer, and tells it when nothing more can come.
    pub(super) fn cancel(&mut self, id: LocalId, done: &mut Option<Done>) -> Option<Cancelled> {
        let name = self.by_id.get(&id)?;
        let queue = self.queues.get_mut(name)?;
        let is_last = queue.locals.iter().all(|local| local.id == id || local.is_ending);
        let local = queue.locals.iter_mut().find(|local| local.id == id)?;
        local.ended.extend(done.take());
        if local.is_ending {
            return None;
        }
        if is_last {
            (local.is_ending, local.prefetch) = (true, 0);
            return Some(Cancelled::Last { queue: name.clone() });
        }
        // What is on its way goes to the others.
        self.remove(id).map(Cancelled::Ended)
    }

    /// Removes a consumer at once. Returns what the server is to be asked for now, unless it was
    /// asked already.
    pub(super) fn remove(&mut self, id: LocalId) -> Option<Demand> {
        let name = self.by_id.remove(&id)?;
        let queue = self.queues.get_mut(&name)?;
        let was_ending =
            queue.locals.extract_if(.., |local| local.id == id).any(|local| local.is_ending);
        // Jobs that found its stream dropped already.
        queue.deliver_orphans();
        let prefetch = queue.prefetch();
        if queue.is_empty() {
            self.queues.remove(&name);
        }
        // Not asked for anybody: whoever waits, waits for his own request.
        (!was_ending).then_some(Demand { queue: name, prefetch, id: Some(id) })
    }

    /// Everything that a new server has to be asked for.
    pub(super) fn demands(&self) -> Vec<Demand> {
        let demand = |(name, queue): (&Bytes, &Queue)| Demand {
            queue: name.clone(),
            prefetch: queue.prefetch(),
            id: None,
        };
        self.queues.iter().map(demand).filter(|demand| demand.prefetch > 0).collect()
    }

    /// The server is being asked, by this request.
    pub(super) fn asked(&mut self, token: u64, demand: &Demand) {
        let Some(queue) = self.queues.get_mut(&demand.queue) else { return };
        for local in &mut queue.locals {
            if demand.id.is_none_or(|id| id == local.id) {
                local.asked = token;
            }
        }
    }

    pub(super) fn confirmed(&mut self, token: u64, name: &Bytes) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        for local in queue.locals.iter_mut().filter(|local| local.asked == token) {
            local.done.take().into_iter().for_each(|done| drop(done.send(Ok(()))));
        }
    }

    /// The server will not. Returns whether that ends consumers which were there before.
    pub(super) fn refused(&mut self, token: u64, name: &Bytes, refusal: &Refusal) -> bool {
        let Some(queue) = self.queues.get_mut(name) else { return false };
        let mut established = false;
        for mut local in queue.locals.extract_if(.., |local| local.asked == token) {
            self.by_id.remove(&local.id);
            established |= refused(local.done.take(), refusal);
        }
        queue.deliver_orphans();
        if queue.is_empty() {
            self.queues.remove(name);
        }
        established
    }

    pub(super) fn deliver(&mut self, job: HeldJob) {
        self.queues.entry(job.queue.clone()).or_default().deliver(job);
    }

    /// Forgets jobs that nobody takes and that are somebody else's by now.
    pub(super) fn drop_lost(&mut self) {
        self.queues.retain(|_, queue| {
            queue.orphans.retain(|job| !job.lease.is_lost());
            !queue.is_empty()
        });
    }

    /// The connection was lost, and with it every job that came by it. Who was about to end has ended.
    pub(super) fn interrupted(&mut self) {
        self.queues.retain(|_, queue| {
            queue.orphans.clear();
            for local in queue.locals.extract_if(.., |local| local.is_ending) {
                self.by_id.remove(&local.id);
                local.mailbox.drain();
            }
            for local in &mut queue.locals {
                local.mailbox.drain();
                local.held = Arc::default();
            }
            !queue.is_empty()
        });
    }
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.locals.is_empty() && self.orphans.is_empty()
    }

    fn prefetch(&self) -> u32 {
        let sum = self.locals.iter().map(|local| local.prefetch).fold(0, u32::saturating_add);
        sum.min(PREFETCH_JOBS_MAX)
    }

    /// To the consumer with the most room: one that is busy shall not keep a job waiting. One that is
    /// ending comes first: the server answers in order, so until then every job was handed out to it.
    fn deliver(&mut self, mut job: HeldJob) {
        let room = |local: &&Local| {
            let held = local.held.load(Ordering::Relaxed);
            (local.is_ending, i64::from(local.prefetch) - i64::from(held))
        };
        let Some(local) = self.locals.iter().rev().max_by_key(room) else {
            return self.keep(job);
        };
        job.held = Arc::clone(&local.held);
        job.lease.set_wanted(true);
        if local.mailbox.offer(0, job.clone()) == Offered::Taken {
            local.held.fetch_add(1, Ordering::Relaxed);
        } else {
            self.keep(job);
        }
    }

    /// To those who are left, if any.
    fn deliver_orphans(&mut self) {
        for orphan in std::mem::take(&mut self.orphans) {
            self.deliver(orphan);
        }
    }

    fn keep(&mut self, job: HeldJob) {
        job.lease.set_wanted(false);
        // No server hands out more than it was asked for; if one does, they go back with the connection.
        if self.orphans.len() < PREFETCH_JOBS_MAX as usize {
            self.orphans.push_back(job);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::leases::Leases;
    use super::*;
    use std::task::{Context, Poll, Waker};
    use tokio::sync::oneshot;
    use workyard_protocol::{Reason, Value};

    const QUEUE: Bytes = Bytes::from_static(b"q");

    fn add(consumers: &mut Consumers, id: LocalId, prefetch: u32) -> Arc<Mailbox<HeldJob>> {
        let mailbox = Arc::new(Mailbox::new(10, usize::MAX));
        let demand = consumers.add(id, QUEUE, prefetch, Arc::clone(&mailbox), oneshot::channel().0);
        consumers.asked(id, &demand);
        mailbox
    }

    fn deliver(consumers: &mut Consumers, job: u64) {
        let (queue, value, held) = (QUEUE, Value::Int(0), Arc::default());
        let lease = Leases::default().add(job, 0);
        consumers.deliver(HeldJob { job, queue, attempt: 1, value, connection: 1, lease, held });
    }

    fn take(mailbox: &Mailbox<HeldJob>) -> Option<u64> {
        match mailbox.poll_take(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(held)) => Some(held.job),
            _ => None,
        }
    }

    #[test]
    fn a_job_that_finds_its_consumer_dropped_goes_to_the_one_that_is_left() {
        let mut consumers = Consumers::default();
        let (one, two) = (add(&mut consumers, 1, 9), add(&mut consumers, 2, 1));
        // Dropped; the session has not heard of it yet.
        one.close();
        deliver(&mut consumers, 7);
        assert_eq!(take(&two), None);
        assert_eq!(consumers.remove(1).unwrap().prefetch, 1);
        assert_eq!(take(&two), Some(7));
    }

    #[test]
    fn a_job_that_finds_its_consumer_dropped_before_it_was_refused_is_not_lost_either() {
        let mut consumers = Consumers::default();
        let (one, two) = (add(&mut consumers, 1, 1), add(&mut consumers, 2, 9));
        two.close();
        deliver(&mut consumers, 7);
        assert_eq!(take(&one), None);
        consumers.refused(2, &QUEUE, &Refusal::new(Reason::LimitReached, "no"));
        assert_eq!(take(&one), Some(7));
    }
}
