//! A broker, of which it is seen after each step how much it holds for the slow.

use super::ledger::Ledger;
use crate::run::Counted;
use crate::world::lock;
use std::sync::{Arc, Mutex};
use workyard_channel_core::{Broker, BrokerLimits};
use workyard_engine::{Caller, Engine, Loss, Outbox, SessionId, Time};
use workyard_protocol::channel::{ChannelWire, Push, Request};

pub(super) struct Bounded {
    broker: Broker,
    limits: BrokerLimits,
    ledger: Arc<Mutex<Ledger>>,
}

impl Bounded {
    pub(super) fn new(broker: Broker, limits: BrokerLimits, ledger: Arc<Mutex<Ledger>>) -> Self {
        Self { broker, limits, ledger }
    }

    fn check(&self) {
        let census = self.broker.census();
        if census.slow_sessions == 0 {
            return;
        }
        let ledger = lock(&self.ledger);
        let interests = ledger.streams.careful_interests();
        let messages_max = self.limits.held_messages_per_subscription_max * interests;
        let of_all = self.limits.held_bytes_per_subscription_max.saturating_mul(interests);
        let bytes_max = self.limits.held_bytes_max.min(of_all);
        let (messages, bytes) = (census.held_messages, census.held_bytes);
        ledger.findings.check(messages <= messages_max && bytes <= bytes_max, || {
            format!(
                "{messages} messages of {bytes} bytes are held for {interests} subscriptions: \
                 more than {messages_max} or {bytes_max}"
            )
        });
    }
}

impl Counted for Bounded {
    fn leftover(&self) -> Option<String> {
        self.broker.leftover()
    }
}

impl Engine for Bounded {
    type Wire = ChannelWire;
    type Request<'a> = Request<'a>;

    fn handle(
        &mut self,
        now: Time,
        caller: Caller,
        request: Request<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        self.broker.handle(now, caller, request, outbox);
        self.check();
    }

    fn close(&mut self, now: Time, session: SessionId, outbox: &mut impl Outbox<ChannelWire>) {
        self.broker.close(now, session, outbox);
        self.check();
    }

    fn drained(&mut self, now: Time, session: SessionId, outbox: &mut impl Outbox<ChannelWire>) {
        self.broker.drained(now, session, outbox);
        self.check();
    }

    fn next_deadline(&self) -> Option<Time> {
        self.broker.next_deadline()
    }

    fn expire(&mut self, now: Time, outbox: &mut impl Outbox<ChannelWire>) {
        self.broker.expire(now, outbox);
    }

    fn gap(loss: Loss<'_>) -> Option<Push<'_>> {
        Broker::gap(loss)
    }
}
