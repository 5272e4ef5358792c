//! Work queues: jobs that stay until the session that holds them acknowledges them.

mod dead;
mod dispatch;
mod expire;
mod fresh;
mod give_back;
mod holder;
mod ids;
mod job;
mod list;
mod queue;
mod remove;
mod reserve;
mod settings;
mod store;
mod timers;

use crate::named::Named;
use crate::numbers::Numbers;
use crate::{BrokerLimits, Census};
use give_back::Return;
use holder::{Appetite, Holder, Lease, Share};
use queue::Queue;
use std::collections::BTreeMap;
use timers::{Timer, Timers};
use workyard_engine::{BySession, Caller, Outbox, SessionId, Time};
use workyard_planted::planted;
use workyard_protocol::channel::{Ack, Cancel, Cause, ChannelWire, Consume, Nack, Renew, Reply};
use workyard_protocol::{QueueName, Reason, Refusal};

/// Every queue, and what every session has to do with them.
#[derive(Debug)]
pub(crate) struct Queues {
    limits: BrokerLimits,
    queues: Named<Queue>,
    holders: BySession<Holder>,
    timers: Timers,
    last_job: u64,
    last_lease: u64,
    job_bytes: usize,
    ids: usize,
    numbers: Numbers,
}

impl Queues {
    pub(crate) fn new(limits: BrokerLimits) -> Self {
        Self {
            limits,
            queues: Named::new(),
            holders: BySession::new(),
            timers: Timers::default(),
            last_job: 0,
            last_lease: 0,
            job_bytes: 0,
            ids: 0,
            numbers: Numbers::default(),
        }
    }

    /// Makes the session a consumer or changes its prefetch, and hands out what it may take now.
    pub(crate) fn consume(
        &mut self,
        now: Time,
        caller: Caller,
        request: Consume<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let appetite = Appetite::Window(request.prefetch);
        match self.set_appetite(caller.session, request.queue, appetite) {
            Ok(at) => {
                outbox.reply(caller, Reply::Done);
                self.dispatch(now, at, outbox);
            }
            Err(refusal) => outbox.refuse(caller, refusal),
        }
        self.heard(now, caller.session, outbox);
    }

    /// Forgets a job that the session holds, and hands out what may follow.
    pub(crate) fn ack(
        &mut self,
        now: Time,
        caller: Caller,
        request: Ack,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        match self.finish(caller.session, request.lease) {
            Ok(at) => {
                outbox.reply(caller, Reply::Done);
                self.dispatch(now, at, outbox);
                self.forget_if_unused(at);
            }
            Err(_) if planted!("late-ack-is-accepted") => outbox.reply(caller, Reply::Done),
            Err(refusal) => outbox.refuse(caller, refusal),
        }
        self.heard(now, caller.session, outbox);
    }

    /// Takes back a job that the session holds, and hands it out again when that is due.
    pub(crate) fn nack(
        &mut self,
        now: Time,
        caller: Caller,
        request: Nack<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        match self.release(caller.session, request.lease) {
            Ok(Lease { queue: at, job, .. }) => {
                outbox.reply(caller, Reply::Done);
                let Nack { delay, reason, .. } = request;
                let dead =
                    self.put_back(now, at, job, Return { cause: Cause::Nack, delay, reason });
                self.change_share(caller.session, at, |share| share.held -= 1);
                for at in dead.into_iter().chain([at]) {
                    self.dispatch(now, at, outbox);
                    self.forget_if_unused(at);
                }
            }
            Err(refusal) => outbox.refuse(caller, refusal),
        }
        self.heard(now, caller.session, outbox);
    }

    /// Prolongs leases of the session.
    pub(crate) fn renew(
        &mut self,
        now: Time,
        caller: Caller,
        request: &Renew,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let Self { holders, timers, .. } = self;
        let mut holder = holders.get_mut(caller.session);
        let mut is_lost = |lease: &u64| {
            let held = holder.as_mut().and_then(|holder| holder.leases.get_mut(lease));
            held.map(|held| held.renew(now, caller.session, *lease, timers)).is_none()
        };
        let lost = request.leases.iter().filter(|lease| is_lost(lease)).copied().collect();
        outbox.reply(caller, Reply::Renewed { lost });
        self.heard(now, caller.session, outbox);
    }

    /// Ends a consumer. The jobs that it holds stay its own.
    pub(crate) fn cancel(
        &mut self,
        caller: Caller,
        request: Cancel<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        match self.end_consumer(caller.session, request.queue) {
            Ok(at) => {
                outbox.reply(caller, Reply::Done);
                self.forget_if_unused(at);
            }
            Err(refusal) => outbox.refuse(caller, refusal),
        }
    }

    /// Adds its part to the census.
    pub(crate) fn count(&self, census: &mut Census) {
        census.queues = self.queues.len();
        census.holders = self.holders.len();
        census.job_bytes = self.job_bytes;
        census.ids = self.ids;
        for queue in self.queues.things() {
            census.consumers += queue.consumers as usize;
            census.ready += queue.ready();
            census.leased += queue.leased();
            census.delayed += queue.delayed();
        }
    }

    fn set_appetite(
        &mut self,
        session: SessionId,
        name: QueueName<'_>,
        appetite: Appetite,
    ) -> Result<u32, Refusal> {
        let known = self.queues.find(name.as_bytes());
        self.check_consumers(session, known)?;
        let at = known.map_or_else(|| self.add_queue(name), Ok)?;
        let queue = &mut self.queues[at];
        let holder = self.holders.get_or_default(session);
        let share = holder.shares.entry(at).or_default();
        if share.appetite.replace(appetite).is_none() {
            share.since = self.numbers.next();
            queue.consumers += 1;
        }
        if let Appetite::Credit { .. } = appetite {
            holder.closed.insert(share.since, at);
        }
        share.settle(session, queue, &mut self.numbers);
        Ok(at)
    }

    /// Forgets a job and returns its queue.
    fn finish(&mut self, session: SessionId, lease: u64) -> Result<u32, Refusal> {
        let Lease { queue: at, job, .. } = self.release(session, lease)?;
        self.job_bytes -= job.bytes();
        self.queues[at].forget(&job);
        self.change_share(session, at, |share| share.held -= 1);
        Ok(at)
    }

    /// Takes a job from the session that holds it.
    fn release(&mut self, session: SessionId, lease: u64) -> Result<Lease, Refusal> {
        let holder = self.holders.get_mut(session);
        let Some(held) = holder.and_then(|holder| holder.leases.remove(&lease)) else {
            let text = format!("lease {lease} is over, or was never this session's");
            return Err(Refusal::new(Reason::UnknownJob, text));
        };
        if let Some(deadline) = held.deadline {
            self.timers.unset(deadline, Timer::Lease { session, lease });
        }
        Ok(held)
    }

    fn end_consumer(&mut self, session: SessionId, name: QueueName<'_>) -> Result<u32, Refusal> {
        let Some(at) = self.consumed(session, name) else {
            let text = format!("this session does not consume from queue {name:?}");
            return Err(Refusal::new(Reason::NotConsuming, text));
        };
        self.queues[at].consumers -= 1;
        let holder = self.holders.get_mut(session).expect("a consumer is a holder");
        holder.closed.remove(&holder.shares[&at].since);
        self.change_share(session, at, |share| share.appetite = None);
        Ok(at)
    }

    /// Changes a share that is there, and forgets what is left of nothing.
    fn change_share(&mut self, session: SessionId, at: u32, change: impl FnOnce(&mut Share)) {
        let holder = self.holders.get_mut(session).expect("whoever has a share is a holder");
        let share = holder.shares.get_mut(&at).expect("the caller knows of the share");
        change(share);
        share.settle(session, &mut self.queues[at], &mut self.numbers);
        if share.is_unused() {
            holder.shares.remove(&at);
        }
        if holder.shares.is_empty() {
            self.holders.remove(session);
        }
    }

    fn check_consumers(&self, session: SessionId, known: Option<u32>) -> Result<(), Refusal> {
        let max = self.limits.consumers_per_session_max;
        match self.holders.get(session).map(|holder| &holder.shares) {
            Some(shares) if known.is_some_and(|at| shares.contains_key(&at)) => Ok(()),
            shares if shares.map_or(0, BTreeMap::len) < max => Ok(()),
            _ => Err(BrokerLimits::reached("consumers_per_session_max", max)),
        }
    }

    fn add_queue(&mut self, name: QueueName<'_>) -> Result<u32, Refusal> {
        if self.queues.len() >= self.limits.queues_max {
            return Err(BrokerLimits::reached("queues_max", self.limits.queues_max));
        }
        Ok(self.queues.insert(name.as_bytes(), Queue::default()))
    }

    fn forget_if_unused(&mut self, at: u32) {
        if self.queues[at].is_unused() {
            self.queues.remove(at);
        }
    }
}
