//! What the server sends to whom, holds back and gives up, as its door shows it.

use super::ledger::Ledger;
use super::streams::{Streams, Told, Wanted, wanted};
use crate::channel::value_id;
use crate::monitor::Monitor;
use crate::world::lock;
use std::sync::{Arc, Mutex};
use workyard_channel::WhenSlow;
use workyard_engine::{SessionId, Time};
use workyard_protocol::channel::{ChannelWire, Delivery, Push, Reply, Request};
use workyard_protocol::{Reason, Refusal, RequestId};

/// Looks on at the server's door.
#[derive(Debug)]
pub(super) struct SlowMonitor {
    ledger: Arc<Mutex<Ledger>>,
    current: Option<Doing>,
}

/// What is being carried out.
#[derive(Debug)]
enum Doing {
    Subscribe(Vec<(Wanted, WhenSlow)>),
    Unsubscribe(Vec<Wanted>),
    /// The place of what is published, and to whom it went directly.
    Publish(usize, Vec<SessionId>),
}

impl SlowMonitor {
    pub(super) fn new(ledger: Arc<Mutex<Ledger>>) -> Self {
        Self { ledger, current: None }
    }

    /// Looks at what a session is sent.
    fn look(
        &mut self,
        session: SessionId,
        look: impl FnOnce(&mut Streams, &mut Ledger) -> Result<(), String>,
    ) {
        let mut ledger = lock(&self.ledger);
        let mut streams = std::mem::take(&mut ledger.streams);
        let looked = look(&mut streams, &mut ledger);
        ledger.streams = streams;
        if let Err(text) = looked {
            ledger.findings.report(format!("{session:?}: {text}"));
        }
    }

    fn gap(&mut self, session: SessionId, push: &Push<'_>) {
        let Push::Gap { channel: Some(channel), from, to, missed, replay: 0 } = *push else {
            return;
        };
        let channel = channel.as_bytes();
        if channel == super::SHARED.as_bytes() {
            return;
        }
        let is_by_change =
            matches!(self.current, Some(Doing::Subscribe(_) | Doing::Unsubscribe(_)));
        let told = Told { channel, from, to, missed, is_by_change };
        self.look(session, |streams, ledger| {
            if let Some(place) = streams.first_due(session, channel, ledger) {
                ledger.number(place, from);
            }
            streams.lost(session, &told, ledger)
        });
    }
}

impl Monitor<ChannelWire> for SlowMonitor {
    fn at(&mut self, _: Time) {}

    fn started(&mut self, _: u64) {}

    fn crashed(&mut self) {
        lock(&self.ledger).crashed();
    }

    fn closed(&mut self, session: SessionId) {
        lock(&self.ledger).streams.close(session);
    }

    fn asked(&mut self, _: SessionId, _: RequestId, request: &Request<'_>) -> bool {
        self.current = match request {
            Request::Publish(request) => {
                let value = value_id(request.value);
                let place = lock(&self.ledger).publish(request.channel.as_bytes(), value);
                Some(Doing::Publish(place, Vec::new()))
            }
            Request::Subscribe(request) => {
                let all = request.subscriptions.iter();
                let all = all.map(|one| (wanted(&one.interest), one.when_slow));
                Some(Doing::Subscribe(all.collect()))
            }
            Request::Unsubscribe(request) => {
                Some(Doing::Unsubscribe(request.interests.iter().map(wanted).collect()))
            }
            _ => None,
        };
        false
    }

    fn answered(&mut self, session: SessionId, _: RequestId, _: &Reply<'_>) {
        let current = self.current.take();
        self.look(session, |streams, ledger| {
            match current {
                Some(Doing::Subscribe(all)) => streams.add(session, all),
                Some(Doing::Unsubscribe(all)) => streams.remove(session, &all, ledger),
                Some(Doing::Publish(place, directly)) => {
                    return streams.published(place, &directly, ledger);
                }
                None => {}
            }
            Ok(())
        });
    }

    fn refused(&mut self, session: SessionId, _: RequestId, refusal: &Refusal) {
        let text = format!("{session:?} was refused: {refusal}");
        lock(&self.ledger).findings.report(text);
    }

    fn pushed(&mut self, session: SessionId, push: &Push<'_>) {
        let Push::Message { delivery, sequence, value, .. } = *push else {
            return self.gap(session, push);
        };
        self.look(session, |streams, ledger| {
            let Some(place) = ledger.place(value_id(value)) else {
                return Err("that was never published".to_owned());
            };
            ledger.number(place, sequence);
            match delivery {
                Delivery::Everybody => streams.sent(session, place, ledger),
                Delivery::Group(group) => streams.shared(session, group.as_bytes(), place),
                Delivery::One => Err("that is for one, and nobody published it so".to_owned()),
            }
        });
    }

    fn published(&mut self, _: &[SessionId], _: &Push<'_>) {}

    fn delivered(&mut self, session: SessionId, push: &Push<'_>, is_sent: bool) {
        let Push::Message { delivery, sequence, .. } = *push else { return };
        let Some(Doing::Publish(place, directly)) = &mut self.current else { return };
        let place = *place;
        if delivery == Delivery::Everybody {
            directly.push(session);
        }
        self.look(session, |streams, ledger| {
            ledger.number(place, sequence);
            match delivery {
                Delivery::Everybody => streams.directly(session, place, is_sent, ledger),
                Delivery::Group(group) if is_sent => {
                    streams.shared(session, group.as_bytes(), place)
                }
                _ => Ok(()),
            }
        });
    }

    fn told_lost(&mut self, session: SessionId, push: &Push<'_>) {
        self.gap(session, push);
    }

    fn disconnects(&mut self, session: SessionId, refusal: &Refusal) -> bool {
        let may_be = lock(&self.ledger).streams.disconnects(session);
        may_be && refusal.reason == Reason::SlowConsumer
    }
}
