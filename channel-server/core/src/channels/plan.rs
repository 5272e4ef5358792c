//! Which topics the last message concerned and who receives it, remembered until something changes.

use super::audience::Audience;
use super::history::History;
use super::logs::{LogId, Logs};
use super::{GroupId, TopicId, Topics};
use crate::numbers::Numbers;
use std::collections::BTreeMap;
use workyard_engine::{Route, SessionId};
use workyard_planted::planted;
use workyard_protocol::ChannelName;
use workyard_protocol::channel::HistoryBounds;

/// So many channels are known beside the last one.
const KNOWN_MAX: usize = 256;

/// Of a channel that concerns more topics, these are found anew whenever it comes back.
const KNOWN_TOPICS_MAX: usize = 4;

/// What the last channel published to comes to.
///
/// Only its recipients are remembered: when the channel changes, whoever delivers reads them anew in any
/// case, and remembering more would take memory in proportion to them. Of some more channels it is
/// remembered which topics they concern, and what is kept of them.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    channel: Vec<u8>,
    /// The number of the change after which it was made; 0 is before the first.
    made_after: u64,
    makes: u64,
    found: Vec<TopicId>,
    /// The channel's log; none if nobody is there, and nobody ever was.
    log: Option<LogId>,
    /// How much of the channel is kept.
    kept: Option<HistoryBounds>,
    merged: Option<Box<Merged>>,
    /// By the last digits of their logs' numbers.
    known: Vec<Known>,
}

/// What a channel comes to, if nothing has changed since.
#[derive(Clone, Copy, Debug)]
struct Known {
    log: LogId,
    as_of: AsOf,
    topics: [TopicId; KNOWN_TOPICS_MAX],
    count: usize,
    kept: Option<HistoryBounds>,
}

/// What was the last change to any subscription or rule, and the last time that logs were forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct AsOf {
    changed: u64,
    forgettings: u64,
}

/// The audiences of several topics as one.
#[derive(Debug)]
pub(crate) struct Merged {
    pub(crate) audience: Audience,
    /// What it was made of. An equal list makes an equal audience, as every change to a topic gives
    /// it another route.
    sources: Vec<(TopicId, Route)>,
    /// The topic that remembers whose turn it is among everybody.
    home: Option<TopicId>,
    /// The same for each group.
    group_homes: BTreeMap<GroupId, TopicId>,
    seen: Seen,
    /// Where members are put together.
    scratch: Vec<(u64, SessionId)>,
}

/// Tells which sessions were seen already in the current round.
#[derive(Debug, Default)]
struct Seen {
    round: u64,
    by_slot: Vec<u64>,
}

impl Plan {
    /// Finds what this channel's messages concern; `changed` is the number of the last change to any
    /// subscription or rule.
    pub(crate) fn make(
        &mut self,
        channel: ChannelName<'_>,
        changed: u64,
        topics: &Topics,
        history: &History,
        logs: &mut Logs,
    ) {
        let name = channel.as_bytes();
        if self.made_after != changed || self.channel != name {
            self.makes += 1;
            self.made_after = changed;
            self.channel.clear();
            self.channel.extend_from_slice(name);
            self.log = logs.find(channel);
            if !self.recall(changed, logs) {
                self.find(channel, topics, history, logs);
                self.remember(changed, logs);
            }
        }
    }

    /// How often it was made anew.
    pub(crate) fn makes(&self) -> u64 {
        self.makes
    }

    /// The topics that the last channel's messages concern.
    pub(crate) fn topics(&self) -> &[TopicId] {
        &self.found
    }

    /// How much is kept of the last channel.
    pub(crate) fn kept(&self) -> Option<&HistoryBounds> {
        self.kept.as_ref()
    }

    /// The last channel's log.
    pub(crate) fn log(&self) -> Option<LogId> {
        self.log
    }

    /// The audiences of the topics of the last channel as one.
    pub(crate) fn merged(&mut self, topics: &Topics, numbers: &mut Numbers) -> &mut Merged {
        let merged = self.merged.get_or_insert_with(|| Box::new(Merged::new()));
        let sources = self.found.iter().map(|id| (*id, topics[*id].route));
        if !sources.clone().eq(merged.sources.iter().copied()) {
            merged.sources.clear();
            merged.sources.extend(sources);
            merged.audience.route = numbers.next_route();
            merged.merge_everybody(topics);
            merged.merge_groups(topics);
        }
        merged
    }

    fn find(
        &mut self,
        channel: ChannelName<'_>,
        topics: &Topics,
        history: &History,
        logs: &mut Logs,
    ) {
        self.found.clear();
        topics.matching(channel, &mut self.found);
        self.kept = history.bounds(channel.as_bytes());
        if self.log.is_none() && (!self.found.is_empty() || self.kept.is_some()) {
            self.log = Some(logs.find_or_add(channel));
        }
    }

    /// Takes over what is known of the channel of the log. Returns whether anything is.
    fn recall(&mut self, changed: u64, logs: &Logs) -> bool {
        let Some(log) = self.log else { return false };
        let as_of = AsOf { changed, forgettings: logs.forgettings() };
        let known = self.known.get(log.slot() % KNOWN_MAX);
        let Some(known) = known.filter(|known| known.log == log && known.as_of == as_of) else {
            return false;
        };
        self.found.clear();
        self.found.extend_from_slice(&known.topics[..known.count]);
        self.kept = known.kept;
        true
    }

    fn remember(&mut self, changed: u64, logs: &Logs) {
        let Some(log) = self.log else { return };
        let count = self.found.len();
        if count > KNOWN_TOPICS_MAX {
            return;
        }
        let as_of = AsOf { changed, forgettings: logs.forgettings() };
        let mut known = Known { log, as_of, topics: [TopicId::NONE; _], count, kept: self.kept };
        known.topics[..count].copy_from_slice(&self.found);
        let at = log.slot() % KNOWN_MAX;
        if self.known.len() <= at {
            self.known.resize(at + 1, Known { log: LogId::NONE, ..known });
        }
        self.known[at] = known;
    }

    /// Gives back what merging has taken, when it is not needed any more.
    pub(crate) fn forget_merged(&mut self) {
        self.merged = None;
    }
}

impl Merged {
    fn new() -> Self {
        Self {
            audience: Audience::new(),
            sources: Vec::new(),
            home: None,
            group_homes: BTreeMap::new(),
            seen: Seen::default(),
            scratch: Vec::new(),
        }
    }

    /// Tells the topics whose turn it was, for when this is made anew.
    pub(crate) fn keep_turns(&self, topics: &mut Topics) {
        if let Some(home) = self.home {
            topics[home].everybody.set_turn(self.audience.everybody.turn());
        }
        for (group, members) in self.audience.groups.iter() {
            let home = self.group_homes[&group];
            let own = topics[home].groups.get_mut(group).expect("a home has the group");
            own.set_turn(members.turn());
        }
    }

    fn merge_everybody(&mut self, topics: &Topics) {
        let sources = self.sources.iter().map(|(id, _)| *id);
        self.scratch.extend(sources.clone().flat_map(|id| topics[id].everybody.entries()));
        self.seen.keep_first(&mut self.scratch);
        self.audience.everybody.replace(self.scratch.drain(..));
        self.home = sources.clone().find(|id| !topics[*id].everybody.is_empty());
        let turn = self.home.map_or(0, |home| topics[home].everybody.turn());
        self.audience.everybody.set_turn(turn);
    }

    fn merge_groups(&mut self, topics: &Topics) {
        self.audience.groups.clear();
        self.group_homes.clear();
        let mut parts: BTreeMap<GroupId, Vec<TopicId>> = BTreeMap::new();
        for (id, _) in &self.sources {
            for (group, _) in topics[*id].groups.iter() {
                parts.entry(group).or_default().push(*id);
            }
        }
        for (group, ids) in parts {
            let members = |id: &TopicId| topics[*id].groups.get(group).expect("it was found here");
            let mut entries: Vec<_> = ids.iter().flat_map(|id| members(id).entries()).collect();
            self.seen.keep_first(&mut entries);
            let merged = self.audience.groups.get_or_default(group);
            merged.replace(entries);
            merged.set_turn(members(&ids[0]).turn());
            self.group_homes.insert(group, ids[0]);
        }
    }
}

impl Seen {
    /// Sorts by serial and keeps the first entry of each session.
    fn keep_first(&mut self, entries: &mut Vec<(u64, SessionId)>) {
        entries.sort_by_key(|(serial, _)| *serial);
        self.round += 1;
        entries
            .retain(|(_, session)| self.is_new(*session) || planted!("message-comes-per-interest"));
    }

    fn is_new(&mut self, session: SessionId) -> bool {
        if self.by_slot.len() <= session.slot() {
            self.by_slot.resize(session.slot() + 1, 0);
        }
        let last = std::mem::replace(&mut self.by_slot[session.slot()], self.round);
        last != self.round
    }
}
