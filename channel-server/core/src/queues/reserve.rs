//! Consumers that ask for each job: they watch queues, and every `reserve` takes one from each.

use super::Queues;
use super::holder::{Appetite, Share};
use workyard_engine::{Outbox, SessionId, Time};
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
    pub(crate) fn reserve(
        &mut self,
        now: Time,
        session: SessionId,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let Some(holder) = self.holders.get_mut(session) else {
            return;
        };
        let asked = std::mem::take(&mut holder.closed);
        for at in asked.values() {
            let share = holder.shares.get_mut(at).expect("it consumes from the queue");
            share.open();
            share.settle(session, &mut self.queues[*at], &mut self.numbers);
        }
        for at in asked.into_values() {
            self.dispatch(now, at, outbox);
        }
    }

    /// Forgets the job that the session has held longest of those it asked for, if it holds any, and
    /// hands out what may follow.
    pub(crate) fn ack_oldest(
        &mut self,
        now: Time,
        session: SessionId,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let Some(holder) = self.holders.get_mut(session) else {
            return;
        };
        let held = |lease: &u64| holder.leases.contains_key(lease);
        if let Some(lease) = std::iter::from_fn(|| holder.asked.pop_front()).find(held) {
            let at = self.finish(session, lease).expect("the session holds it");
            self.dispatch(now, at, outbox);
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
    fn open(&mut self) {
        if let Some(Appetite::Credit { open, .. }) = &mut self.appetite {
            *open = true;
        }
    }
}
