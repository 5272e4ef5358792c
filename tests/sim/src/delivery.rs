//! The engine's outbox over simulated connections: bounded, with gaps where something was dropped.
//!
//! What the daemon promises a core is kept here in the simplest way: replies and pushes are never
//! dropped, publications are dropped for a session above its limit and counted, and the count is told
//! in the place of what was dropped.

use crate::findings::Findings;
use crate::monitor::Monitor;
use crate::network::Network;
use crate::peer::Peer;
use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::sync::Arc;
use workyard_engine::{Caller, Engine, Loss, Outbox, Publication, Route, SessionId};
use workyard_protocol::{NO_REPLY, Refusal, ToClient, Wire};

pub(crate) struct Delivery<E: Engine, M> {
    pub(crate) peers: BTreeMap<u32, Peer>,
    pub(crate) monitor: M,
    pub(crate) network: Arc<Network>,
    pub(crate) findings: Arc<Findings>,
    /// Those that something was appended for.
    pub(crate) dirty: BTreeSet<u32>,
    /// Those that the engine waits for and that have room again.
    pub(crate) drained: Vec<SessionId>,
    /// Those that the engine has ended, and why.
    pub(crate) doomed: Vec<(SessionId, Refusal)>,
    /// Above, a session is full.
    write_buffer_bytes_max: usize,
    route: Option<(Route, Vec<SessionId>)>,
    /// How far turns are apart. Above one, all that has come meanwhile is of one turn, and room is found
    /// once for messages of a turn that go the same way, as the daemon does it.
    pub(crate) turn_ms: u64,
    /// The way of the last messages, and who had room when they began.
    batch: Option<(Route, BTreeSet<SessionId>)>,
    engine: PhantomData<E>,
}

type Frame<'a, E> =
    ToClient<'a, <<E as Engine>::Wire as Wire>::Reply<'a>, <<E as Engine>::Wire as Wire>::Push<'a>>;

impl<E: Engine, M: Monitor<E::Wire>> Delivery<E, M> {
    pub(crate) fn new(
        network: Arc<Network>,
        findings: Arc<Findings>,
        monitor: M,
        write_buffer_bytes_max: usize,
    ) -> Self {
        Self {
            peers: BTreeMap::new(),
            monitor,
            network,
            findings,
            dirty: BTreeSet::new(),
            drained: Vec::new(),
            doomed: Vec::new(),
            write_buffer_bytes_max,
            route: None,
            turn_ms: 1,
            batch: None,
            engine: PhantomData,
        }
    }

    /// Hears all that comes in so long in one turn, and finds room once for messages that go the same way.
    pub(crate) fn in_turns_of(&mut self, turn_ms: u64) {
        self.turn_ms = turn_ms;
    }

    /// What is published next finds out anew who has room.
    pub(crate) fn close_batch(&mut self) {
        self.batch = None;
    }

    /// Everything that a process knows is gone with it.
    pub(crate) fn forget_everything(&mut self) {
        self.peers.clear();
        self.dirty.clear();
        self.drained.clear();
        self.doomed.clear();
        self.route = None;
        self.batch = None;
    }

    pub(crate) fn peer(&mut self, session: SessionId) -> Option<&mut Peer> {
        let slot = u32::try_from(session.slot()).expect("slots are small");
        self.peers.get_mut(&slot).filter(|peer| peer.id == session)
    }

    pub(crate) fn send(&mut self, session: SessionId, frame: &Frame<'_, E>) {
        self.batch.take_if(|(_, open)| open.contains(&session));
        self.append(session, frame);
    }

    fn append(&mut self, session: SessionId, frame: &Frame<'_, E>) {
        let slot = u32::try_from(session.slot()).expect("slots are small");
        let Some(peer) = self.peer(session).filter(|peer| !peer.is_ending) else { return };
        frame.encode(&mut peer.output);
        self.dirty.insert(slot);
    }

    /// Whether the session's requests must wait until it has read more.
    pub(crate) fn must_pause(&self, slot: u32) -> bool {
        let limit = self.write_buffer_bytes_max * 2;
        self.peers.get(&slot).is_none_or(|peer| peer.is_ending || peer.output.len() >= limit)
    }

    /// Hands to the socket what it takes.
    pub(crate) fn flush(&mut self, slot: u32) {
        let Some(peer) = self.peers.get_mut(&slot) else { return };
        let count = self.network.room(peer.connection).min(peer.output.len());
        if count > 0 {
            self.network.send_to_client(peer.connection, &peer.output[..count]);
            peer.output.drain(..count);
        }
        self.recover(slot);
    }

    fn recover(&mut self, slot: u32) {
        let Some(peer) = self.peers.get_mut(&slot) else { return };
        if peer.output.len() > self.write_buffer_bytes_max / 2 || peer.is_ending {
            return;
        }
        peer.is_full = false;
        if std::mem::take(&mut peer.is_awaited) {
            self.drained.push(peer.id);
        }
        let id = peer.id;
        for (topic, lost) in std::mem::take(&mut peer.lost) {
            let loss =
                Loss { topic: Some(&topic), from: lost.from, to: lost.to, missed: lost.missed };
            if let Some(push) = E::gap(loss) {
                self.monitor.told_lost(id, &push);
                self.send(id, &ToClient::Push(push));
            }
        }
    }

    fn takes(&mut self, session: SessionId) -> bool {
        let limit = self.write_buffer_bytes_max;
        self.peer(session).is_some_and(|peer| Self::has_room_for(peer, limit))
    }

    fn has_room_for(peer: &mut Peer, write_buffer_bytes_max: usize) -> bool {
        peer.is_full |= peer.output.len() >= write_buffer_bytes_max;
        !peer.is_full && !peer.is_ending
    }
}

impl<E: Engine, M: Monitor<E::Wire>> Outbox<E::Wire> for Delivery<E, M> {
    fn reply(&mut self, to: Caller, reply: <E::Wire as Wire>::Reply<'_>) {
        self.monitor.answered(to.session, to.request, &reply);
        let findings = Arc::clone(&self.findings);
        let Some(peer) = self.peer(to.session) else { return };
        peer.answer(to.request, &findings);
        if to.request != NO_REPLY {
            self.send(to.session, &ToClient::Reply(to.request, reply));
        }
    }

    fn refuse(&mut self, to: Caller, refusal: Refusal) {
        self.monitor.refused(to.session, to.request, &refusal);
        let findings = Arc::clone(&self.findings);
        let Some(peer) = self.peer(to.session) else { return };
        peer.answer(to.request, &findings);
        self.send(to.session, &ToClient::Refused(to.request, refusal));
    }

    fn push(&mut self, to: SessionId, push: <E::Wire as Wire>::Push<'_>) {
        self.monitor.pushed(to, &push);
        let is_known = self.peer(to).is_some();
        self.findings.check(is_known, || format!("{to:?} is gone and was sent something"));
        self.send(to, &ToClient::Push(push));
    }

    fn publish(
        &mut self,
        publication: Publication<'_, <E::Wire as Wire>::Push<'_>>,
        recipients: impl IntoIterator<Item = SessionId>,
    ) {
        let Publication { route, topic, number, push } = publication;
        let recipients: Vec<_> = recipients.into_iter().collect();
        if let Some((known, before)) = &self.route
            && *known == route
        {
            let same = *before == recipients;
            self.findings.check(same, || format!("{route:?}: {before:?}, now {recipients:?}"));
        }
        self.monitor.published(&recipients, &push);
        if self.turn_ms > 1 && self.batch.as_ref().is_none_or(|(open, _)| *open != route) {
            let open = recipients.iter().copied().filter(|session| self.takes(*session)).collect();
            self.batch = Some((route, open));
        }
        for session in &recipients {
            let has_room = match &self.batch {
                Some((_, open)) => open.contains(session),
                None => self.takes(*session),
            };
            self.monitor.delivered(*session, &push, has_room);
            let Some(peer) = self.peer(*session) else {
                self.findings.report(format!("{session:?} is gone and was sent a message"));
                continue;
            };
            if has_room {
                self.append(*session, &ToClient::Push(push));
            } else {
                let lost = peer.lost.entry(topic.to_vec()).or_default();
                lost.from = if lost.from == 0 { number } else { lost.from };
                lost.to = lost.to.max(number);
                lost.missed += 1;
            }
        }
        self.route = Some((route, recipients));
    }

    fn continues(&mut self, route: Route) -> bool {
        self.batch.take_if(|(open, _)| *open != route);
        self.batch.is_some()
    }

    fn has_room(&mut self, session: SessionId) -> bool {
        self.batch.take_if(|(_, open)| open.contains(&session));
        let limit = self.write_buffer_bytes_max;
        let Some(peer) = self.peer(session) else { return false };
        let room = Self::has_room_for(peer, limit);
        peer.is_awaited |= !room;
        room
    }

    fn disconnect(&mut self, session: SessionId, refusal: Refusal) {
        let may_be = self.monitor.disconnects(session, &refusal);
        self.findings.check(may_be, || format!("{session:?} is to be disconnected: {refusal}"));
        if let Some(peer) = self.peer(session).filter(|peer| !peer.is_ending) {
            peer.is_ending = true;
            self.doomed.push((session, refusal));
        }
    }
}
