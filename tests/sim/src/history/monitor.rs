//! Who asks for what is kept, and whether the replays at the server's door are what was asked for.

use super::ledger::Ledger;
use crate::channel::value_id;
use crate::monitor::Monitor;
use crate::world::lock;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use workyard_engine::{SessionId, Time};
use workyard_protocol::channel::{
    ChannelWire, HistoryBounds, Interest, Push, Reply, Request, Start, Subscription, Topic,
};
use workyard_protocol::{Refusal, RequestId};

/// Looks on at the server's door.
pub(super) struct HistoryMonitor {
    ledger: Arc<Mutex<Ledger>>,
    /// What the model of a new process knows.
    restart: Box<dyn Fn() -> super::kept::Kept>,
    epoch: u64,
    current: Option<Doing>,
    replays: BTreeMap<(SessionId, u32), Replay>,
}

/// What is being carried out.
enum Doing {
    Subscribe(Vec<(u32, Replay)>),
    Unsubscribe(Vec<(bool, Vec<u8>)>),
    Keep(Vec<u8>, Option<HistoryBounds>),
}

/// One that is under way.
struct Replay {
    topic: (bool, Vec<u8>),
    /// It goes on from another epoch, and has to say so first.
    is_anew: bool,
    /// Messages that it has had: each comes once.
    places: BTreeSet<usize>,
}

impl HistoryMonitor {
    pub(super) fn new(
        ledger: Arc<Mutex<Ledger>>,
        restart: Box<dyn Fn() -> super::kept::Kept>,
    ) -> Self {
        Self { ledger, restart, epoch: 0, current: None, replays: BTreeMap::new() }
    }

    fn report(&self, text: String) {
        lock(&self.ledger).findings.report(text);
    }

    fn begun(&self, wanted: &Subscription<'_>) -> Option<(u32, Replay)> {
        let (replay, is_anew) = match wanted.start {
            Start::Live => return None,
            Start::Last { replay, .. } => (replay, false),
            Start::Resume { replay, epoch, .. } => (replay, epoch != self.epoch),
        };
        let topic = wanted_topic(&wanted.interest);
        Some((replay, Replay { topic, is_anew, places: BTreeSet::new() }))
    }

    /// The replay that a part is of, which is the first one if it has to begin with a gap.
    fn part(&mut self, session: SessionId, number: u32, is_gap: bool) -> Option<&mut Replay> {
        let ledger = Arc::clone(&self.ledger);
        let findings = &lock(&ledger).findings;
        let Some(replay) = self.replays.get_mut(&(session, number)) else {
            findings.report(format!("{session:?}: replay {number} is not under way"));
            return None;
        };
        let is_right = !std::mem::take(&mut replay.is_anew) || is_gap;
        findings.check(is_right, || {
            format!("{session:?}: replay {number} does not say that the epoch is another one")
        });
        Some(replay)
    }
}

impl Monitor<ChannelWire> for HistoryMonitor {
    fn at(&mut self, _: Time) {}

    fn started(&mut self, epoch: u64) {
        if self.epoch > 0 {
            lock(&self.ledger).started((self.restart)());
        }
        self.epoch = epoch;
    }

    fn crashed(&mut self) {
        self.replays.clear();
    }

    fn closed(&mut self, session: SessionId) {
        self.replays.retain(|(whose, _), _| *whose != session);
    }

    fn asked(&mut self, _: SessionId, _: RequestId, request: &Request<'_>) -> bool {
        self.current = match request {
            Request::Publish(request) => {
                let bytes = request.value.byte_len() as u64;
                let value = value_id(request.value);
                lock(&self.ledger).publish(request.channel.as_bytes(), value, bytes);
                None
            }
            Request::Subscribe(request) => {
                let begun = request.subscriptions.iter().filter_map(|wanted| self.begun(wanted));
                Some(Doing::Subscribe(begun.collect()))
            }
            Request::Unsubscribe(request) => {
                let topics = request.interests.iter().map(wanted_topic);
                Some(Doing::Unsubscribe(topics.collect()))
            }
            Request::KeepHistory(request) => {
                Some(Doing::Keep(request.pattern.as_bytes().to_vec(), Some(request.bounds)))
            }
            Request::DropHistory(request) => {
                Some(Doing::Keep(request.pattern.as_bytes().to_vec(), None))
            }
            _ => None,
        };
        false
    }

    fn answered(&mut self, session: SessionId, _: RequestId, _: &Reply<'_>) {
        match self.current.take() {
            Some(Doing::Subscribe(begun)) => {
                let begun = begun.into_iter().map(|(number, replay)| ((session, number), replay));
                self.replays.extend(begun);
            }
            Some(Doing::Unsubscribe(topics)) => self
                .replays
                .retain(|(whose, _), replay| *whose != session || !topics.contains(&replay.topic)),
            Some(Doing::Keep(pattern, bounds)) => {
                lock(&self.ledger).kept.set_rule(&pattern, bounds);
            }
            None => {}
        }
    }

    fn refused(&mut self, session: SessionId, _: RequestId, refusal: &Refusal) {
        let is_missing_rule = matches!(self.current.take(), Some(Doing::Keep(_, None)));
        if !is_missing_rule {
            self.report(format!("{session:?} was refused: {refusal}"));
        }
    }

    fn pushed(&mut self, session: SessionId, push: &Push<'_>) {
        match push {
            Push::Replayed { replay, sequence, position, value, .. } => {
                let value = value_id(*value);
                let place = {
                    let mut ledger = lock(&self.ledger);
                    ledger.number(value, *sequence, *position);
                    ledger.place(value)
                };
                let Some((part, place)) = self.part(session, *replay, false).zip(place) else {
                    return;
                };
                let is_next = part.places.last().is_none_or(|last| *last < place);
                part.places.insert(place);
                if !is_next {
                    self.report(format!("{session:?}: replay {replay} repeats value {value}"));
                }
            }
            Push::Gap { replay, missed, .. } if *replay > 0 => {
                self.part(session, *replay, *missed == 0);
            }
            Push::CaughtUp { replay, .. } => {
                self.part(session, *replay, false);
                self.replays.remove(&(session, *replay));
            }
            _ => {}
        }
    }

    fn published(&mut self, _: &[SessionId], push: &Push<'_>) {
        if let Push::Message { sequence, position, value, .. } = push {
            lock(&self.ledger).number(value_id(*value), *sequence, *position);
        }
    }
}

/// Whether it is a pattern, and its name.
fn wanted_topic(interest: &Interest<'_>) -> (bool, Vec<u8>) {
    match interest.topic {
        Topic::Channel(name) => (false, name.as_bytes().to_vec()),
        Topic::Pattern(pattern) => (true, pattern.as_bytes().to_vec()),
    }
}
