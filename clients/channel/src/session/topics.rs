//! Local subscriptions of one kind, plain ones or those of one group, by what they want.

use super::missed::Missed;
use super::{Done, LocalId};
use crate::message::Message;
use crate::wanted::{TopicKind, Wanted};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use workyard_link::{Mailbox, Offered};
use workyard_protocol::Pattern;

/// A subscription of this process.
#[derive(Debug)]
pub(super) struct Local {
    pub(super) id: LocalId,
    pub(super) mailbox: Arc<Mailbox<Message>>,
    /// What the next message has to tell.
    pub(super) missed: Missed,
    pub(super) interrupted: bool,
}

impl Local {
    pub(super) fn new(id: LocalId, mailbox: Arc<Mailbox<Message>>) -> Self {
        Self { id, mailbox, missed: Missed::default(), interrupted: false }
    }

    /// Hands a message over, with what is known to be missing before it. Returns whether it was lost
    /// for want of room.
    pub(super) fn offer(&mut self, message: &Message) -> bool {
        let mut message = message.clone();
        message.missed = self.missed.count();
        message.missed_numbers = self.missed.numbers(&message.channel);
        message.interrupted = self.interrupted;
        let (channel, number) = (message.channel.clone(), message.sequence);
        let offered = self.mailbox.offer(message.byte_len(), message);
        match offered {
            Offered::Taken => {
                self.missed = Missed::default();
                self.interrupted = false;
            }
            Offered::Full => self.missed.add(Some(&channel), number, number, 1),
            Offered::Closed => {}
        }
        offered == Offered::Full
    }
}

/// Whatever ends a subscription ends its stream.
impl Drop for Local {
    fn drop(&mut self) {
        self.mailbox.close();
    }
}

/// The subscriptions that share one interest of the server's.
#[derive(Debug, Default)]
pub(super) struct Sharers {
    pub(super) locals: Vec<Local>,
    /// The request that asks the server for it, and whether it was answered.
    pub(super) asked: u64,
    pub(super) confirmed: bool,
    pub(super) waiting: Vec<(LocalId, Done)>,
}

#[derive(Debug, Default)]
pub(super) struct Topics {
    channels: HashMap<Bytes, Sharers>,
    patterns: BTreeMap<Bytes, Sharers>,
    turn: usize,
}

impl Topics {
    pub(super) fn is_empty(&self) -> bool {
        self.channels.is_empty() && self.patterns.is_empty()
    }

    pub(super) fn of(&mut self, wanted: &Wanted) -> Option<&mut Sharers> {
        match wanted.kind {
            TopicKind::Channel => self.channels.get_mut(&wanted.name),
            TopicKind::Pattern => self.patterns.get_mut(&wanted.name),
        }
    }

    pub(super) fn or_new(&mut self, wanted: &Wanted) -> &mut Sharers {
        let name = wanted.name.clone();
        match wanted.kind {
            TopicKind::Channel => self.channels.entry(name).or_default(),
            TopicKind::Pattern => self.patterns.entry(name).or_default(),
        }
    }

    pub(super) fn remove(&mut self, wanted: &Wanted) -> Option<Sharers> {
        match wanted.kind {
            TopicKind::Channel => self.channels.remove(&wanted.name),
            TopicKind::Pattern => self.patterns.remove(&wanted.name),
        }
    }

    /// Everything that the server has to be asked for.
    pub(super) fn interests(&self) -> impl Iterator<Item = (TopicKind, &Bytes)> {
        let channels = self.channels.keys().map(|name| (TopicKind::Channel, name));
        channels.chain(self.patterns.keys().map(|name| (TopicKind::Pattern, name)))
    }

    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Sharers> {
        self.channels.values_mut().chain(self.patterns.values_mut())
    }

    /// Those that want the messages of a channel.
    pub(super) fn matching(&mut self, channel: &[u8]) -> impl Iterator<Item = &mut Local> {
        let patterns = self.patterns.iter_mut().filter(move |(pattern, _)| {
            Pattern::new(pattern).is_ok_and(|pattern| pattern.matches(channel))
        });
        let exactly = self.channels.get_mut(channel);
        exactly
            .into_iter()
            .chain(patterns.map(|(_, sharers)| sharers))
            .flat_map(|sharers| &mut sharers.locals)
    }

    /// One of those, each in its turn, one with room rather than one without.
    pub(super) fn one_matching(&mut self, message: &Message) -> Option<&mut Local> {
        self.turn = self.turn.wrapping_add(1);
        let (turn, bytes) = (self.turn, message.byte_len());
        let mut all: Vec<_> = self.matching(&message.channel).collect();
        let first = turn % all.len().max(1);
        let in_turn = (first..all.len()).chain(0..first);
        let chosen = in_turn.clone().find(|index| all[*index].mailbox.has_room(bytes));
        let index = chosen.or(in_turn.into_iter().next())?;
        Some(all.swap_remove(index))
    }
}
