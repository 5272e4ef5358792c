//! Consumers that ask for each job: they watch queues, and every `reserve` takes one from each.

use super::Queues;
use super::holder::{Appetite, Share};
use workyard_engine::{Outbox, SessionId};
use workyard_protocol::channel::ChannelWire;
use workyard_protocol::{QueueName, Refusal};

impl Queues {
    /// Makes the session a consumer that takes nothing yet. One that consumes already, in whatever
    /// way, goes on as it does.
    pub(crate) fn watch(
        &mut self,
        session: SessionId,
        queue: QueueName<'_>,
    ) -> Result<(), Refusal> {
        if self.consumed(session, queue).is_none() {
            let held = !self.limits.reserve_at_most_once;
            self.set_appetite(session, queue, Appetite::Credit { open: false, held })?;
        }
        Ok(())
    }

    /// Hands the session one job of each queue that it watches now, or as soon as there is one. To
    /// ask again before it has come changes nothing.
    pub(crate) fn reserve(&mut self, session: SessionId, outbox: &mut impl Outbox<ChannelWire>) {
        let Some(holder) = self.holders.get_mut(session) else {
            return;
        };
        let mut asked: Vec<(u64, u32)> = Vec::new();
        for (at, share) in &mut holder.shares {
            if share.ask() {
                share.settle(session, &mut self.queues[*at], &mut self.numbers);
                asked.push((share.since, *at));
            }
        }
        asked.sort_unstable();
        for (_, at) in asked {
            self.dispatch(at, outbox);
        }
    }

    /// Forgets the job that the session has held longest, if it holds any, and hands out what may
    /// follow.
    pub(crate) fn ack_oldest(&mut self, session: SessionId, outbox: &mut impl Outbox<ChannelWire>) {
        let leases = self.holders.get(session).into_iter().flat_map(|holder| &holder.leases);
        let oldest = leases.min_by_key(|(_, lease)| lease.serial).map(|(job, _)| *job);
        if let Some(job) = oldest {
            let at = self.finish(session, job).expect("the session holds it");
            self.dispatch(at, outbox);
            self.forget_if_unused(at);
        }
    }

    /// The queue of this name, if the session consumes from it.
    pub(crate) fn consumed(&self, session: SessionId, queue: QueueName<'_>) -> Option<u32> {
        let at = self.queues.find(queue.as_bytes())?;
        let share = self.holders.get(session)?.shares.get(&at)?;
        share.appetite.map(|_| at)
    }

    /// How many queues there are.
    pub(crate) fn len(&self) -> usize {
        self.queues.len()
    }

    /// Whether there is a queue of this name.
    pub(crate) fn exists(&self, queue: QueueName<'_>) -> bool {
        self.queues.find(queue.as_bytes()).is_some()
    }
}

impl Share {
    /// Opens the credit, if it is of that kind. Says whether it is.
    fn ask(&mut self) -> bool {
        match &mut self.appetite {
            Some(Appetite::Credit { open, .. }) => {
                *open = true;
                true
            }
            _ => false,
        }
    }
}
