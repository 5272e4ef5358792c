//! Local subscriptions of one kind, plain ones or those of one group, by what they want.

use super::missed::Missed;
use super::room::Places;
use super::{Done, LocalId, ToSubscribe};
use crate::message::Message;
use crate::wanted::{TopicKind, Wanted};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use workyard_link::Mailbox;
use workyard_protocol::Pattern;
use workyard_protocol::channel::WhenSlow;

/// A subscription of this process.
#[derive(Debug)]
pub(super) struct Local {
    pub(super) id: LocalId,
    pub(super) mailbox: Arc<Mailbox<Message>>,
    pub(super) when_slow: WhenSlow,
    /// Set before it ends because it was too slow.
    pub(super) too_slow: Arc<AtomicBool>,
    /// Where messages wait, while only the latest of each channel is kept.
    pub(super) places: Option<Places>,
    /// What the next message has to tell.
    pub(super) missed: Missed,
    pub(super) interrupted: bool,
}

impl Local {
    pub(super) fn new(what: ToSubscribe) -> Self {
        let ToSubscribe { id, mailbox, when_slow, too_slow, .. } = what;
        let (missed, interrupted) = (Missed::default(), false);
        Self { id, mailbox, when_slow, too_slow, places: None, missed, interrupted }
    }

    /// It is over because it was too slow. Returns its id.
    pub(super) fn end_slow(&self) -> LocalId {
        self.too_slow.store(true, Ordering::Relaxed);
        self.mailbox.close();
        self.id
    }
}

/// Whatever ends a subscription ends its stream.
impl Drop for Local {
    fn drop(&mut self) {
        self.mailbox.close();
    }
}

impl Sharers {
    /// By which of their policies the server loses the least.
    pub(super) fn strongest(&self) -> WhenSlow {
        self.locals.iter().map(|local| local.when_slow).max().unwrap_or_default()
    }
}

/// The subscriptions that share one interest of the server's.
#[derive(Debug, Default)]
pub(super) struct Sharers {
    pub(super) locals: Vec<Local>,
    /// What the server was asked for last.
    pub(super) when_slow: WhenSlow,
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
