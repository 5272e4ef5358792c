//! The questions that wait for an answer, found by number, by deadline and by whose they are.

use super::Party;
use hashbrown::HashMap;
use std::collections::BTreeSet;
use workyard_engine::{BySession, SessionId, Time};
use workyard_protocol::{ChannelName, Value};

/// A question without an answer yet.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) asker: SessionId,
    pub(super) responder: SessionId,
    pub(super) deadline: Time,
    /// To how many it has been handed.
    pub(super) attempt: u32,
    /// What another responder would need, if it may be asked.
    pub(super) copy: Option<Box<Copy>>,
}

/// A question as it was asked.
#[derive(Debug)]
pub(super) struct Copy {
    channel: Box<[u8]>,
    pub(super) value: Value,
}

/// Every open question. It is in all of its places, or in none.
#[derive(Debug)]
pub(super) struct Table {
    by_number: HashMap<u64, Open>,
    by_deadline: BTreeSet<(Time, u64)>,
    /// What the copies take.
    copied_bytes: usize,
}

impl Table {
    pub(super) fn new() -> Self {
        Self { by_number: HashMap::new(), by_deadline: BTreeSet::new(), copied_bytes: 0 }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_number.len()
    }

    /// The bytes of all copies together.
    pub(super) fn copied_bytes(&self) -> usize {
        self.copied_bytes
    }

    /// The question of this number.
    pub(super) fn get(&self, number: u64) -> Option<&Open> {
        self.by_number.get(&number)
    }

    /// The earliest deadline, and whose it is.
    pub(super) fn first_due(&self) -> Option<(Time, u64)> {
        self.by_deadline.first().copied()
    }

    pub(super) fn insert(&mut self, number: u64, open: Open, parties: &mut BySession<Party>) {
        parties.get_or_default(open.asker).asked.insert(number);
        parties.get_or_default(open.responder).held.insert(number);
        self.by_deadline.insert((open.deadline, number));
        self.copied_bytes += open.copied_bytes();
        self.by_number.insert(number, open);
    }

    pub(super) fn remove(&mut self, number: u64, parties: &mut BySession<Party>) -> Option<Open> {
        let open = self.by_number.remove(&number)?;
        self.by_deadline.remove(&(open.deadline, number));
        self.copied_bytes -= open.copied_bytes();
        super::change(parties, open.asker, |party| {
            party.asked.remove(&number);
        });
        super::change(parties, open.responder, |party| {
            party.held.remove(&number);
        });
        Some(open)
    }
}

impl Open {
    fn copied_bytes(&self) -> usize {
        self.copy.as_ref().map_or(0, |copy| copy.byte_len())
    }
}

impl Copy {
    pub(super) fn new(channel: ChannelName<'_>, value: Value) -> Self {
        Self { channel: channel.as_bytes().into(), value }
    }

    pub(super) fn channel(&self) -> ChannelName<'_> {
        ChannelName::new(&self.channel).expect("it was a channel's name when it came")
    }

    fn byte_len(&self) -> usize {
        self.channel.len() + self.value.as_ref().byte_len()
    }
}
