//! Who receives what: the engine's outbox, over every connection's sending side.
//!
//! Publications for the same recipients are collected into one encoded batch, which all of them
//! share. Whatever is appended to a connection is written at the end of the turn.

mod batch;
mod flush;

use crate::outgoing::{Ledger, Outgoing};
use crate::peer::{Peer, State};
use crate::service::{Dialect, Push, Reply};
use crate::settings::{Settings, SlowConsumer};
use crate::stream::Writer;
use batch::Batch;
use workyard_engine::{Caller, Engine, Losses, Outbox, Publication, Route, SessionId, Slots, Time};
use workyard_planted::planted;
use workyard_protocol::{Reason, Refusal, Wire};

/// Empty buffers that are kept for the next connection that has something to send.
const SPARE_MAX: usize = 1024;

/// Buffers without an owner. Boxed, because a connection that has none should take no room for it.
type Spare = Vec<Box<Outgoing>>;

/// All connections' sending sides.
pub(crate) struct Delivery<E: Engine, D> {
    pub(crate) peers: Slots<Peer<D>>,
    generation: u32,
    batch: Batch<E>,
    dirty: Vec<usize>,
    drained: Vec<SessionId>,
    spare: Spare,
    ledger: Ledger,
    bounds: Bounds,
}

/// The limits of what waits to be sent.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Above, a connection is full: publications pass it by, jobs wait.
    write_buffer_bytes_max: usize,
    /// Above, all connections are.
    write_buffers_bytes_max: usize,
    slow_consumer: SlowConsumer,
}

impl Bounds {
    fn of(settings: &Settings) -> Self {
        Self {
            write_buffer_bytes_max: settings.write_buffer_bytes_max,
            write_buffers_bytes_max: settings.write_buffers_bytes_max,
            slow_consumer: settings.slow_consumer,
        }
    }
}

impl<E: Engine, D: Dialect<E>> Delivery<E, D> {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            peers: Slots::new(),
            generation: 0,
            batch: Batch::new(D::COUNT),
            dirty: Vec::new(),
            drained: Vec::new(),
            spare: Vec::new(),
            ledger: Ledger::default(),
            bounds: Bounds::of(settings),
        }
    }

    /// Takes over limits that may change while running.
    pub(crate) fn apply(&mut self, settings: &Settings) {
        self.bounds = Bounds::of(settings);
    }

    pub(crate) fn open(&mut self, writer: Writer, now: Time) -> SessionId {
        self.generation = self.generation.wrapping_add(1);
        let slot =
            u32::try_from(self.peers.next_index()).expect("sessions are bounded far below u32");
        let id = SessionId::new(slot, self.generation);
        self.peers.insert(Peer::new(id, writer, now));
        id
    }

    /// The greeting is done: from now on the connection is spoken to in this dialect.
    pub(crate) fn settle_dialect(&mut self, session: SessionId, dialect: D, now: Time) {
        if let Some(peer) = self.peer_mut(session) {
            peer.dialect = Some(dialect);
            peer.last_heard = now;
        }
    }

    /// Forgets the connection. Returns what it had still to be sent.
    pub(crate) fn remove(&mut self, session: SessionId) -> usize {
        if self.peer_mut(session).is_none() {
            return 0;
        }
        self.peers.remove(session.slot()).pending()
    }

    pub(crate) fn peer_mut(&mut self, session: SessionId) -> Option<&mut Peer<D>> {
        self.peers.get_mut(session.slot()).filter(|peer| peer.id == session)
    }

    /// How a connection is spoken to, once that is settled.
    fn dialect_of(&self, session: SessionId) -> Option<D> {
        self.peers.get(session.slot()).filter(|peer| peer.id == session)?.dialect
    }

    /// Appends to what a connection sends, in its dialect, in order with everything before.
    pub(crate) fn send(&mut self, session: SessionId, write: impl FnOnce(D, &mut Vec<u8>)) {
        if let Some(dialect) = self.dialect_of(session) {
            self.append(session.slot(), |out| write(dialect, out));
        }
    }

    /// Appends bytes to what a connection sends.
    pub(crate) fn send_raw(&mut self, session: SessionId, write: impl FnOnce(&mut Vec<u8>)) {
        if self.peer_mut(session).is_some() {
            self.append(session.slot(), write);
        }
    }

    /// The same, for the connection in a slot.
    #[inline]
    fn append(&mut self, slot: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let is_recipient = self.peers[slot].batch == self.batch.serial();
        if is_recipient && !planted!("reply-overtakes-message") {
            self.close_batch();
        }
        let peer = &mut self.peers[slot];
        if matches!(peer.state, State::Broken) {
            return;
        }
        outgoing(peer, &mut self.spare, &self.ledger).append(write);
        peer.list(slot, &mut self.dirty);
    }

    /// Whether the session's requests must wait until it has read more of the answers.
    ///
    /// Answers cannot be dropped, so they have as much room again as publications: a subscriber that
    /// is merely slow can still be heard. When all connections together hold too much, each is heard
    /// only once it has read everything.
    pub(crate) fn must_pause(&mut self, session: SessionId) -> bool {
        let limit = self.bounds.write_buffer_bytes_max.saturating_mul(2);
        let over = self.is_over();
        self.peer_mut(session).is_none_or(|peer| {
            let pending = peer.pending();
            let ending = matches!(peer.state, State::Doomed(_) | State::Closing);
            ending || pending >= limit || (over && pending > 0)
        })
    }

    /// Whether the turn has something to do at its end.
    pub(crate) fn has_work(&self) -> bool {
        !self.dirty.is_empty() || !self.drained.is_empty() || !self.batch.is_empty()
    }

    /// Whether all connections together hold as much as they may.
    fn is_over(&self) -> bool {
        self.ledger.bytes() >= self.bounds.write_buffers_bytes_max
    }

    /// Whether publications reach the connection; what it is found full by, it stays full by until
    /// it has read half of it.
    fn takes_publications(peer: &mut Peer<D>, bounds: &Bounds, over: bool) -> bool {
        peer.full |= peer.pending() >= bounds.write_buffer_bytes_max;
        !peer.full && !over
    }
}

impl<E: Engine, D: Dialect<E>> Outbox<E::Wire> for Delivery<E, D> {
    fn reply(&mut self, to: Caller, reply: Reply<'_, E>) {
        let dialect = self.dialect_of(to.session);
        if let Some(dialect) = dialect.filter(|dialect| dialect.expects_reply(to.request)) {
            self.append(to.session.slot(), |out| dialect.reply(to.request, reply, out));
        }
    }

    fn refuse(&mut self, to: Caller, refusal: Refusal) {
        self.send(to.session, |dialect, out| dialect.refuse(to.request, refusal, out));
    }

    fn push(&mut self, to: SessionId, push: Push<'_, E>) {
        self.send(to, |dialect, out| dialect.push(&push, out));
    }

    fn push_all(&mut self, to: &[SessionId], push: Push<'_, E>) {
        self.send_all(to, &push);
    }

    fn publish(
        &mut self,
        publication: Publication<'_, <E::Wire as Wire>::Push<'_>>,
        recipients: impl IntoIterator<Item = SessionId>,
    ) {
        if !self.batch.is_for(publication.route) {
            self.close_batch();
            self.open_batch(publication.route, recipients);
        }
        let Publication { topic, number, push, .. } = publication;
        self.batch.add::<D>(topic, number, &push);
        if self.batch.is_large() {
            self.close_batch();
        }
    }

    fn continues(&mut self, route: Route) -> bool {
        let continues = self.batch.is_for(route);
        if !continues {
            // What it leaves behind counts when room is asked for.
            self.close_batch();
        }
        continues
    }

    fn has_room(&mut self, session: SessionId) -> bool {
        let serial = self.batch.serial();
        if self.peer_mut(session).is_some_and(|peer| peer.batch == serial) {
            self.close_batch();
        }
        let (bounds, over) = (self.bounds, self.is_over());
        let Some(peer) = self.peer_mut(session) else { return false };
        let room = peer.is_open() && Self::takes_publications(peer, &bounds, over);
        peer.awaited |= !room;
        room
    }

    fn disconnect(&mut self, session: SessionId, refusal: Refusal) {
        if let Some(peer) = self.peer_mut(session) {
            peer.doom(refusal);
        }
    }
}

/// Counts a loss, and ends the connection if that is the policy.
fn miss<D>(peer: &mut Peer<D>, bounds: &Bounds, topic: &[u8], losses: Losses) {
    if bounds.slow_consumer == SlowConsumer::Disconnect {
        let limit = bounds.write_buffer_bytes_max;
        let text = format!("more than {limit} bytes are waiting to be read");
        peer.doom(Refusal::new(Reason::SlowConsumer, text));
    }
    peer.gaps.get_or_insert_default().add(topic, losses);
}

/// The peer's buffer, one that another has left if it has none.
fn outgoing<'a, D>(peer: &'a mut Peer<D>, spare: &mut Spare, ledger: &Ledger) -> &'a mut Outgoing {
    peer.outgoing
        .get_or_insert_with(|| spare.pop().unwrap_or_else(|| Box::new(Outgoing::new(ledger))))
}
