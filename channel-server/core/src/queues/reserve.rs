//! Consumers that ask for each job: they watch queues, and every `reserve` takes one from each.

use super::Queues;
use super::holder::{Appetite, Share};
use workyard_engine::{Outbox, SessionId};
use workyard_protocol::channel::ChannelWire;
use workyard_protocol::{QueueName, Refusal};

impl Queues {
    /// Makes the session a consumer that takes nothing yet. One that consumes already, in whatever
    /// way, goes on as it does. `held` says whether the jobs that it will take are its own until it
    /// acknowledges them, or done with when they are sent.
    pub(crate) fn watch(
        &mut self,
        session: SessionId,
        queue: QueueName<'_>,
        held: bool,
    ) -> Result<(), Refusal> {
        let at = self.queues.find(queue.as_bytes());
        let share = at.and_then(|at| self.holders.get(session)?.shares.get(&at));
        if share.is_none_or(|share| share.appetite.is_none()) {
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

    /// Finishes the job that the session has held longest, if it holds any.
    pub(crate) fn finish_oldest(&mut self, session: SessionId) {
        let leases = self.holders.get(session).into_iter().flat_map(|holder| &holder.leases);
        let oldest = leases.min_by_key(|(_, lease)| lease.serial).map(|(job, _)| *job);
        if let Some(job) = oldest {
            let at = self.finish(session, job).expect("the session holds it");
            self.forget_if_unused(at);
        }
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
