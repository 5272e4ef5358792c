//! The end of a turn: every connection that has something to send is written once, directly.

use super::{Delivery, SPARE_MAX, outgoing};
use crate::outgoing::Flushed;
use crate::service::Dialect;
use std::task::{Context, Poll, ready};
use workyard_engine::{Engine, SessionId};

impl<E: Engine, D: Dialect<E>> Delivery<E, D> {
    /// Writes every connection that something was appended to.
    pub(crate) fn flush_dirty(&mut self) {
        self.close_batch();
        let mut dirty = std::mem::take(&mut self.dirty);
        for slot in dirty.drain(..) {
            if let Some(peer) = self.peers.get_mut(slot) {
                peer.dirty = false;
                if !peer.blocked {
                    self.flush(slot);
                }
            }
        }
        // Gap notices may have been appended meanwhile; they are for the next round.
        dirty.append(&mut self.dirty);
        self.dirty = dirty;
    }

    /// Goes on sending to a connection whose socket took no more. Ready when it is not blocked.
    pub(crate) fn poll_unblock(&mut self, session: SessionId, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(peer) = self.peer_mut(session)
            && peer.blocked
        {
            let Some(writer) = &peer.writer else { return Poll::Ready(()) };
            if ready!(writer.poll_ready(cx)).is_err() {
                peer.fail();
                return Poll::Ready(());
            }
            peer.blocked = false;
            peer.reads = true;
            self.flush(session.slot());
        }
        Poll::Ready(())
    }

    /// Ready when everything is with the kernel, or the socket is broken.
    pub(crate) fn poll_sent(&mut self, session: SessionId, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(peer) = self.peer_mut(session)
            && !peer.blocked
        {
            self.flush(session.slot());
        }
        self.poll_unblock(session, cx)
    }

    /// Wakes the session's task when less is waiting to be sent.
    pub(crate) fn await_room(&mut self, session: SessionId) {
        if let Some(peer) = self.peer_mut(session) {
            peer.paused = true;
        }
    }

    /// Sessions that the engine found without room and that have some again.
    pub(crate) fn take_drained(&mut self) -> Vec<SessionId> {
        std::mem::take(&mut self.drained)
    }

    /// Lets a connection that went over its limit, and came down again, be served as before.
    pub(crate) fn recover(&mut self, slot: usize) {
        let over = self.is_over();
        let Some(peer) = self.peers.get_mut(slot) else { return };
        if over || peer.pending() > self.bounds.write_buffer_bytes_max / 2 || !peer.is_open() {
            return;
        }
        peer.full = false;
        if std::mem::take(&mut peer.awaited) {
            self.drained.push(peer.id);
        }
        if peer.gaps.is_some() {
            self.tell_gaps(slot);
        }
    }

    /// Appends a notice for every topic of which the connection missed something.
    pub(super) fn tell_gaps(&mut self, slot: usize) {
        let peer = &mut self.peers[slot];
        let (Some(gaps), Some(dialect)) = (peer.gaps.take(), peer.dialect) else { return };
        let outgoing = outgoing(peer, &mut self.spare, &self.ledger);
        for loss in gaps.iter() {
            if let Some(push) = E::gap(loss) {
                outgoing.append(|out| dialect.push(&push, out));
            }
        }
        peer.list(slot, &mut self.dirty);
    }

    fn flush(&mut self, slot: usize) {
        let peer = &mut self.peers[slot];
        let (Some(outgoing), Some(writer)) = (&mut peer.outgoing, &peer.writer) else { return };
        match outgoing.flush(writer) {
            Ok(Flushed::All) => {
                let outgoing = peer.outgoing.take().filter(|_| self.spare.len() < SPARE_MAX);
                self.spare.extend(outgoing);
            }
            Ok(Flushed::Blocked) => {
                peer.blocked = true;
                peer.wake();
            }
            Err(_) => peer.fail(),
        }
        if std::mem::take(&mut peer.paused) {
            peer.wake();
        }
        if peer.full || peer.awaited || peer.gaps.is_some() {
            self.recover(slot);
        }
    }
}
