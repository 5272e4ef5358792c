//! Which consumers there are, and who receives a job.

use super::{Done, HeldJob, LocalId};
use crate::mailbox::{Mailbox, Offered};
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use workyard_link::Error;
use workyard_protocol::Refusal;
use workyard_protocol::limits::PREFETCH_JOBS_MAX;

#[derive(Debug, Default)]
pub(super) struct Consumers {
    queues: HashMap<Bytes, Queue>,
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
    /// Jobs of consumers that are gone. The server believes them to be held here, so they are for
    /// the next one.
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
}

/// Whatever ends a consumer ends its stream.
impl Drop for Local {
    fn drop(&mut self) {
        self.mailbox.close();
    }
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
        queue.locals.push(Local { id, mailbox, prefetch, held, asked: 0, done: Some(done) });
        for orphan in std::mem::take(&mut queue.orphans) {
            queue.deliver(orphan);
        }
        Demand { prefetch: queue.prefetch(), queue: name, id: Some(id) }
    }

    pub(super) fn remove(&mut self, id: LocalId) -> Option<Demand> {
        let name = self.by_id.remove(&id)?;
        let queue = self.queues.get_mut(&name)?;
        queue.locals.retain(|local| local.id != id);
        let prefetch = queue.prefetch();
        if queue.is_empty() {
            self.queues.remove(&name);
        }
        // Not asked for anybody: whoever waits, waits for his own request.
        Some(Demand { queue: name, prefetch, id: Some(id) })
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
            match local.done.take() {
                Some(done) => drop(done.send(Err(Error::Refused(refusal.clone())))),
                None => established = true,
            }
        }
        if queue.is_empty() {
            self.queues.remove(name);
        }
        established
    }

    pub(super) fn deliver(&mut self, job: HeldJob) {
        self.queues.entry(job.queue.clone()).or_default().deliver(job);
    }

    /// The connection was lost, and with it every job that came by it.
    pub(super) fn interrupted(&mut self) {
        self.queues.retain(|_, queue| {
            queue.orphans.clear();
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

    /// To the consumer with the most room: one that is busy shall not keep a job waiting.
    fn deliver(&mut self, mut job: HeldJob) {
        let room = |local: &&Local| {
            i64::from(local.prefetch) - i64::from(local.held.load(Ordering::Relaxed))
        };
        let Some(local) = self.locals.iter().rev().max_by_key(room) else {
            return self.keep(job);
        };
        job.held = Arc::clone(&local.held);
        if local.mailbox.offer(0, job.clone()) == Offered::Taken {
            local.held.fetch_add(1, Ordering::Relaxed);
        } else {
            self.keep(job);
        }
    }

    fn keep(&mut self, job: HeldJob) {
        // No server hands out more than it was asked for; if one does, they go back with the connection.
        if self.orphans.len() < PREFETCH_JOBS_MAX as usize {
            self.orphans.push_back(job);
        }
    }
}
