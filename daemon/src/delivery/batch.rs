//! The open batch: publications for the same recipients, encoded once for all of them.

use super::{Delivery, outgoing};
use crate::outgoing::{COPY_BYTES_MAX, Ledger, SharedBytes};
use crate::service::{Dialect, Push};
use std::marker::PhantomData;
use std::rc::Rc;
use workyard_engine::{Engine, Route, SessionId};

/// Publications that have the same recipients and have not been handed to them yet.
pub(super) struct Batch<E> {
    route: Option<Route>,
    recipients: Vec<SessionId>,
    topic: Vec<u8>,
    /// For each dialect, what its speakers will receive.
    encoded: Vec<Vec<u8>>,
    count: u64,
    /// Grows with each batch; recipients carry the number of theirs.
    serial: u64,
    engine: PhantomData<E>,
}

/// A batch in one dialect, ready to be handed out.
enum Sealed {
    /// Cheaper to copy; the buffer is used again.
    Copied(Vec<u8>),
    /// Cheaper to refer to.
    Shared(Rc<SharedBytes>),
}

impl<E: Engine> Batch<E> {
    pub(super) fn new(dialects: usize) -> Self {
        Self {
            route: None,
            recipients: Vec::new(),
            topic: Vec::new(),
            encoded: vec![Vec::new(); dialects],
            count: 0,
            serial: 1,
            engine: PhantomData,
        }
    }

    pub(super) fn serial(&self) -> u64 {
        self.serial
    }

    pub(super) fn is_for(&self, route: Route) -> bool {
        self.route == Some(route)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Encodes a publication for every dialect that somebody speaks.
    pub(super) fn add<D: Dialect<E>>(&mut self, push: Push<'_, E>, speakers: &[u32]) {
        self.count += 1;
        for ((dialect, encoded), speakers) in D::ALL.iter().zip(&mut self.encoded).zip(speakers) {
            if *speakers > 0 {
                dialect.push(push, encoded);
            }
        }
    }

    fn seal(&mut self, ledger: &Ledger) -> Vec<Sealed> {
        let seal = |encoded: &mut Vec<u8>| {
            let bytes = std::mem::take(encoded);
            if bytes.len() <= COPY_BYTES_MAX {
                return Sealed::Copied(bytes);
            }
            // The next batch is likely to be about as large.
            *encoded = Vec::with_capacity(bytes.len() + bytes.len() / 8);
            Sealed::Shared(SharedBytes::new(bytes, ledger))
        };
        self.encoded.iter_mut().map(seal).collect()
    }

    /// Takes the buffers back and is ready for the next batch.
    fn reset(&mut self, sealed: Vec<Sealed>, mut recipients: Vec<SessionId>) {
        for (encoded, sealed) in self.encoded.iter_mut().zip(sealed) {
            if let Sealed::Copied(mut bytes) = sealed {
                bytes.clear();
                *encoded = bytes;
            }
        }
        recipients.clear();
        self.recipients = recipients;
        self.topic.clear();
        self.count = 0;
        self.serial += 1;
    }
}

impl<E: Engine, D: Dialect<E>> Delivery<E, D> {
    pub(super) fn open_batch(
        &mut self,
        route: Route,
        topic: &[u8],
        recipients: impl IntoIterator<Item = SessionId>,
    ) {
        let batch = &mut self.batch;
        batch.route = Some(route);
        batch.topic.extend_from_slice(topic);
        for session in recipients {
            if let Some(peer) = self.peers.get_mut(session.slot())
                && peer.is(session)
            {
                peer.batch = batch.serial;
                batch.recipients.push(session);
            }
        }
    }

    /// Hands the open batch to its recipients.
    pub(crate) fn close_batch(&mut self) {
        if self.batch.route.take().is_none() {
            return;
        }
        let recipients = std::mem::take(&mut self.batch.recipients);
        let sealed = self.batch.seal(&self.ledger);
        let over = self.ledger.bytes() >= self.bounds.write_buffers_bytes_max;
        for session in &recipients {
            self.hand_out(*session, &sealed, over);
        }
        self.batch.reset(sealed, recipients);
    }

    fn hand_out(&mut self, session: SessionId, sealed: &[Sealed], over: bool) {
        let slot = session.slot();
        let Some(peer) = self.peers.get_mut(slot).filter(|peer| peer.is(session)) else {
            return;
        };
        let Some(dialect) = peer.dialect.filter(|_| peer.is_open()) else {
            return;
        };
        peer.full |= peer.pending() >= self.bounds.write_buffer_bytes_max;
        if peer.full || over {
            self.counters.missed += self.batch.count;
            Self::miss(peer, &self.bounds, &self.batch.topic, self.batch.count);
            return;
        }
        if peer.gaps.is_some() {
            self.tell_gaps(slot);
        }
        let peer = &mut self.peers[slot];
        let outgoing = outgoing(peer, &mut self.spare, &self.ledger);
        match &sealed[dialect.index()] {
            Sealed::Copied(bytes) => outgoing.append(|tail| tail.extend_from_slice(bytes)),
            Sealed::Shared(shared) => outgoing.append_shared(shared),
        }
        if !peer.dirty {
            peer.dirty = true;
            self.dirty.push(slot);
        }
    }
}
