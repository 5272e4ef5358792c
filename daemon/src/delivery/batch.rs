//! The open batch: publications for the same recipients, encoded once for all of them.

use super::{Delivery, miss, outgoing};
use crate::outgoing::{COPY_BYTES_MAX, Ledger, SharedBytes};
use crate::service::{Dialect, Push};
use std::marker::PhantomData;
use std::rc::Rc;
use workyard_engine::{Engine, Losses, Route, SessionId};

/// A batch of this size is handed out, and the next one begun.
const BATCH_BYTES_MAX: usize = 256 * 1024;

/// Publications that have the same recipients and have not been handed to them yet.
pub(super) struct Batch<E> {
    route: Option<Route>,
    /// Those that had room when the batch was opened.
    recipients: Vec<SessionId>,
    /// Those that had none; their losses are counted when it is closed.
    missing: Vec<SessionId>,
    /// What is published, if anybody misses it.
    topics: Topics,
    /// For each dialect, whether a recipient speaks it.
    spoken: Vec<bool>,
    /// For each dialect, what its speakers will receive.
    encoded: Vec<Vec<u8>>,
    /// The memory of the list of sealed ones.
    sealed: Vec<Sealed>,
    /// Grows with each batch; recipients carry the number of theirs.
    serial: u64,
    engine: PhantomData<E>,
}

/// How many publications of which topics there are, in their order. A pattern's subscribers share a
/// route over many topics.
#[derive(Default)]
struct Topics {
    names: Vec<u8>,
    /// Where each name ends, and the publications that stand in a row under it.
    runs: Vec<(usize, Losses)>,
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
            missing: Vec::new(),
            topics: Topics::default(),
            spoken: vec![false; dialects],
            encoded: vec![Vec::new(); dialects],
            sealed: Vec::with_capacity(dialects),
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
        self.route.is_none()
    }

    pub(super) fn is_large(&self) -> bool {
        self.encoded.iter().any(|encoded| encoded.len() >= BATCH_BYTES_MAX)
    }

    /// Encodes a publication for every dialect that a recipient speaks.
    pub(super) fn add<D: Dialect<E>>(&mut self, topic: &[u8], number: u64, push: &Push<'_, E>) {
        if !self.missing.is_empty() {
            self.topics.add(topic, number);
        }
        self.encode::<D>(push);
    }

    fn encode<D: Dialect<E>>(&mut self, push: &Push<'_, E>) {
        for (index, encoded) in self.encoded.iter_mut().enumerate() {
            if self.spoken[index] {
                D::at(index).push(push, encoded);
            }
        }
    }

    fn seal(&mut self, ledger: &Ledger) -> Vec<Sealed> {
        let seal = |encoded: &mut Vec<u8>| {
            let mut bytes = std::mem::take(encoded);
            if bytes.len() <= COPY_BYTES_MAX {
                return Sealed::Copied(bytes);
            }
            // The next batch is likely to be about as large. If this one is much smaller than the
            // one before, its readers should not hold what that one needed.
            *encoded = Vec::with_capacity(bytes.len().min(BATCH_BYTES_MAX));
            if bytes.capacity() / 2 > bytes.len() {
                bytes.shrink_to_fit();
            }
            Sealed::Shared(SharedBytes::new(bytes, ledger))
        };
        let mut sealed = std::mem::take(&mut self.sealed);
        sealed.extend(self.encoded.iter_mut().map(seal));
        sealed
    }

    /// Takes the buffers back and is ready for the next batch.
    fn reset(&mut self, mut sealed: Vec<Sealed>, recipients: Vec<SessionId>) {
        for (encoded, sealed) in self.encoded.iter_mut().zip(sealed.drain(..)) {
            if let Sealed::Copied(mut bytes) = sealed {
                bytes.clear();
                bytes.shrink_to(BATCH_BYTES_MAX);
                *encoded = bytes;
            }
        }
        self.sealed = sealed;
        self.recipients = recipients;
        self.recipients.clear();
        self.missing.clear();
        self.topics.clear();
        self.spoken.fill(false);
        self.serial += 1;
    }
}

impl Topics {
    fn add(&mut self, topic: &[u8], number: u64) {
        let last_begins = self.runs.len().checked_sub(2).map_or(0, |before| self.runs[before].0);
        match self.runs.last_mut() {
            Some((end, run)) if self.names[last_begins..*end] == *topic => {
                run.add(Losses::one(number));
            }
            _ => {
                self.names.extend_from_slice(topic);
                self.runs.push((self.names.len(), Losses::one(number)));
            }
        }
    }

    fn iter(&self) -> impl Iterator<Item = (&[u8], Losses)> {
        let begins = std::iter::once(0).chain(self.runs.iter().map(|(end, _)| *end));
        begins.zip(&self.runs).map(|(begin, (end, run))| (&self.names[begin..*end], *run))
    }

    fn clear(&mut self) {
        self.names.clear();
        self.runs.clear();
    }
}

impl<E: Engine, D: Dialect<E>> Delivery<E, D> {
    pub(super) fn open_batch(
        &mut self,
        route: Route,
        recipients: impl IntoIterator<Item = SessionId>,
    ) {
        let over = self.is_over();
        let batch = &mut self.batch;
        batch.route = Some(route);
        for session in recipients {
            let peer = self.peers.get_mut(session.slot());
            let Some(peer) = peer.filter(|peer| peer.id == session && peer.is_open()) else {
                continue;
            };
            peer.batch = batch.serial;
            let Some(dialect) = peer.dialect else { continue };
            if Self::takes_publications(peer, &self.bounds, over) {
                batch.spoken[dialect.index()] = true;
                batch.recipients.push(session);
            } else {
                batch.missing.push(session);
            }
        }
    }

    /// Hands the open batch to its recipients.
    pub(crate) fn close_batch(&mut self) {
        if self.batch.route.take().is_none() {
            return;
        }
        for session in &self.batch.missing {
            if let Some(peer) = self.peers.get_mut(session.slot()) {
                for (topic, run) in self.batch.topics.iter() {
                    miss(peer, &self.bounds, topic, run);
                }
            }
        }
        let recipients = std::mem::take(&mut self.batch.recipients);
        let sealed = self.batch.seal(&self.ledger);
        for session in &recipients {
            self.hand_out(*session, &sealed);
        }
        self.batch.reset(sealed, recipients);
    }

    /// Sends to several what none of them may miss, encoded once for each dialect that is spoken.
    pub(super) fn send_all(&mut self, to: &[SessionId], push: &Push<'_, E>) {
        self.close_batch();
        for session in to {
            let dialect = self.dialect_of(*session);
            dialect.into_iter().for_each(|dialect| self.batch.spoken[dialect.index()] = true);
        }
        self.batch.encode::<D>(push);
        let sealed = self.batch.seal(&self.ledger);
        for session in to {
            self.hand_out(*session, &sealed);
        }
        let recipients = std::mem::take(&mut self.batch.recipients);
        self.batch.reset(sealed, recipients);
    }

    fn hand_out(&mut self, session: SessionId, sealed: &[Sealed]) {
        let slot = session.slot();
        let peer = self.peers.get_mut(slot).filter(|peer| peer.id == session && peer.is_open());
        let Some(peer) = peer else { return };
        let Some(dialect) = peer.dialect else { return };
        if peer.gaps.is_some() {
            self.tell_gaps(slot);
        }
        let peer = &mut self.peers[slot];
        let outgoing = outgoing(peer, &mut self.spare, &self.ledger);
        match &sealed[dialect.index()] {
            Sealed::Copied(bytes) => outgoing.append(|tail| tail.extend_from_slice(bytes)),
            Sealed::Shared(shared) => outgoing.append_shared(shared),
        }
        peer.list(slot, &mut self.dirty);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_counted_in_runs() {
        let mut topics = Topics::default();
        for (topic, number) in ["a", "a", "b", "", "", "ab", "b", "a"].iter().zip(1..) {
            topics.add(topic.as_bytes(), number);
        }
        let runs: Vec<_> = topics.iter().map(|(name, run)| (name.to_vec(), run)).collect();
        let expected =
            [("a", 1, 2), ("b", 3, 3), ("", 4, 5), ("ab", 6, 6), ("b", 7, 7), ("a", 8, 8)];
        assert_eq!(
            runs,
            expected.map(|(name, from, to)| {
                (name.as_bytes().to_vec(), Losses { from, to, missed: to + 1 - from })
            })
        );
        topics.clear();
        assert_eq!(topics.iter().count(), 0);
    }
}
