//! What each session is to have, message by message, until it was sent or is told to be lost.

use super::ledger::Ledger;
use crate::findings::expect;
use std::collections::BTreeMap;
use workyard_channel::WhenSlow;
use workyard_engine::SessionId;
use workyard_protocol::Pattern;
use workyard_protocol::channel::{Interest, Topic};

/// Name or pattern, and the group if any.
pub(super) type Wanted = (Vec<u8>, bool, Option<Vec<u8>>);

#[derive(Debug, Default)]
pub(super) struct Streams {
    sessions: BTreeMap<SessionId, Stream>,
}

#[derive(Debug, Default)]
struct Stream {
    interests: BTreeMap<Wanted, WhenSlow>,
    /// What was neither sent nor told to be lost, in the order of publishing.
    due: Vec<Due>,
    /// The last place of what it was sent as one of each group.
    last_shared: BTreeMap<Vec<u8>, usize>,
    /// It is being ended.
    is_doomed: bool,
}

#[derive(Clone, Debug)]
struct Due {
    place: usize,
    /// What the session said when this was published.
    when_slow: WhenSlow,
    /// It is held by the core.
    is_held: bool,
    /// The session has said nothing else since.
    is_settled: bool,
    /// A later one of its channel takes its place.
    is_replaced: bool,
    /// The session does not want the channel any more.
    is_forgiven: bool,
}

/// Losses of a channel, as they are told.
#[derive(Debug)]
pub(super) struct Told<'a> {
    pub(super) channel: &'a [u8],
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) missed: u64,
    /// The session has just asked for something else: what it does not want like that any more is lost.
    pub(super) is_by_change: bool,
}

pub(super) fn wanted(interest: &Interest<'_>) -> Wanted {
    let (name, is_pattern) = match interest.topic {
        Topic::Channel(name) => (name.as_bytes(), false),
        Topic::Pattern(pattern) => (pattern.as_bytes(), true),
    };
    (name.to_vec(), is_pattern, interest.group.map(|group| group.as_bytes().to_vec()))
}

impl Streams {
    /// A session has subscribed.
    pub(super) fn add(&mut self, session: SessionId, all: Vec<(Wanted, WhenSlow)>) {
        let stream = self.sessions.entry(session).or_default();
        stream.interests.extend(all);
        stream.change(|_| false);
    }

    /// A session has unsubscribed.
    pub(super) fn remove(&mut self, session: SessionId, all: &[Wanted], ledger: &Ledger) {
        let Some(stream) = self.sessions.get_mut(&session) else { return };
        stream.interests.retain(|one, _| !all.contains(one));
        let interests = std::mem::take(&mut stream.interests);
        stream.change(|due| strongest(&interests, &ledger.at(due.place).channel).is_none());
        stream.interests = interests;
    }

    pub(super) fn close(&mut self, session: SessionId) {
        self.sessions.remove(&session);
    }

    /// The core ends a session. Returns whether a subscription of it wants that.
    pub(super) fn disconnects(&mut self, session: SessionId) -> bool {
        let Some(stream) = self.sessions.get_mut(&session) else { return false };
        stream.is_doomed = true;
        stream.due.clear();
        stream.interests.values().any(|when_slow| *when_slow == WhenSlow::Disconnect)
    }

    /// How many subscriptions want more than to lose the newest.
    pub(super) fn careful_interests(&self) -> usize {
        let all = self.sessions.values().flat_map(|stream| stream.interests.values());
        all.filter(|when_slow| **when_slow != WhenSlow::DropNewest).count()
    }

    /// A message goes to a session directly, or is dropped as that has no room.
    pub(super) fn directly(
        &mut self,
        session: SessionId,
        place: usize,
        is_sent: bool,
        ledger: &Ledger,
    ) -> Result<(), String> {
        let stream = self.sessions.entry(session).or_default();
        if stream.is_doomed {
            return expect(!is_sent, || "it is being ended".to_owned());
        }
        let channel = &ledger.at(place).channel;
        let Some(when_slow) = strongest(&stream.interests, channel) else {
            return Err("that is not for it".to_owned());
        };
        expect(is_sent || when_slow == WhenSlow::DropNewest, || {
            format!("that is dropped, and its subscription says {when_slow:?}")
        })?;
        stream.due.push(Due::new(place, when_slow, false));
        if is_sent { stream.sent(place, ledger) } else { Ok(()) }
    }

    /// A message has gone to these directly. All others who want it have it held.
    pub(super) fn published(
        &mut self,
        place: usize,
        directly: &[SessionId],
        ledger: &Ledger,
    ) -> Result<(), String> {
        let channel = &ledger.at(place).channel;
        for (session, stream) in &mut self.sessions {
            let Some(when_slow) = strongest(&stream.interests, channel) else { continue };
            if stream.is_doomed || directly.contains(session) {
                continue;
            }
            expect(when_slow != WhenSlow::DropNewest, || format!("{session:?} is left out"))?;
            if when_slow == WhenSlow::Latest {
                stream.replace(|place| ledger.at(place).channel == *channel);
            }
            stream.due.push(Due::new(place, when_slow, true));
        }
        Ok(())
    }

    /// What was held is sent.
    pub(super) fn sent(
        &mut self,
        session: SessionId,
        place: usize,
        ledger: &Ledger,
    ) -> Result<(), String> {
        self.sessions.entry(session).or_default().sent(place, ledger)
    }

    /// Messages of a group come in order.
    pub(super) fn shared(
        &mut self,
        session: SessionId,
        group: &[u8],
        place: usize,
    ) -> Result<(), String> {
        let stream = self.sessions.entry(session).or_default();
        let last = stream.last_shared.insert(group.to_vec(), place);
        expect(last.is_none_or(|last| last < place), || format!("that comes behind {last:?}"))
    }

    /// A session is told that something is lost. Returns the place that has the number of the first, if
    /// it has to be learned from that.
    pub(super) fn first_due(
        &self,
        session: SessionId,
        channel: &[u8],
        ledger: &Ledger,
    ) -> Option<usize> {
        let due = &self.sessions.get(&session)?.due;
        let first = due.iter().find(|due| ledger.at(due.place).channel == channel)?;
        ledger.number_of(first.place).is_none().then_some(first.place)
    }

    /// Exactly what was not sent is told to be lost, and it is what the policy says.
    pub(super) fn lost(
        &mut self,
        session: SessionId,
        told: &Told<'_>,
        ledger: &Ledger,
    ) -> Result<(), String> {
        let stream = self.sessions.entry(session).or_default();
        let numbers = told.from..=told.to;
        let is_meant = |due: &&Due| {
            let is_in = ledger.number_of(due.place).is_some_and(|number| numbers.contains(&number));
            is_in && ledger.at(due.place).channel == told.channel
        };
        let lost: Vec<Due> = stream.due.iter().filter(is_meant).cloned().collect();
        let sure = lost.iter().filter(|due| !due.is_forgiven).count() as u64;
        let is_exact = (sure..=lost.len() as u64).contains(&told.missed);
        let number = |due: Option<&Due>| due.and_then(|due| ledger.number_of(due.place));
        let ends = (number(lost.first()), number(lost.last()));
        let has_ends = ends == (Some(told.from), Some(told.to)) || sure < lost.len() as u64;
        expect(is_exact && has_ends, || {
            format!("{told:?}, and {sure} of {ends:?} are missing: {lost:?}")
        })?;
        stream.due.retain(|due| lost.iter().all(|lost| lost.place != due.place));
        let is_free = |due: &Due| told.is_by_change || !due.is_held || !due.is_settled;
        match lost.iter().find(|due| !is_free(due) && !stream.may_lose(due, ledger)) {
            Some(due) => Err(format!("{told:?}, and {due:?} was not to be lost")),
            None => Ok(()),
        }
    }

    /// What was neither sent nor told to be lost.
    pub(super) fn left(&self) -> Option<String> {
        let left = |stream: &Stream| stream.due.iter().find(|due| !due.is_forgiven).cloned();
        self.sessions.iter().find_map(|(session, stream)| {
            Some(format!("{session:?} was neither sent nor told to lack {:?}", left(stream)?))
        })
    }
}

impl Stream {
    /// The session wants something else now, and some channels not at all.
    fn change(&mut self, is_forgiven: impl Fn(&Due) -> bool) {
        for due in &mut self.due {
            due.is_settled = false;
            due.is_forgiven |= is_forgiven(due);
        }
    }

    fn replace(&mut self, is_same: impl Fn(usize) -> bool) {
        let is_latest = |due: &&mut Due| {
            due.when_slow == WhenSlow::Latest && due.is_held && due.is_settled && is_same(due.place)
        };
        self.due.iter_mut().filter(is_latest).for_each(|due| due.is_replaced = true);
    }

    /// A message is sent: once, and behind all others of its channel.
    fn sent(&mut self, place: usize, ledger: &Ledger) -> Result<(), String> {
        let channel = &ledger.at(place).channel;
        let Some(at) = self.due.iter().position(|due| due.place == place) else {
            return Err("that is not due, or comes twice".to_owned());
        };
        let is_before = |due: &&Due| ledger.at(due.place).channel == *channel && !due.is_forgiven;
        let before = self.due[..at].iter().find(is_before);
        expect(before.is_none(), || format!("{before:?} is neither sent nor told to be lost"))?;
        let due = self.due.remove(at);
        expect(!due.is_replaced, || format!("another one has taken the place of {due:?}"))
    }

    /// The oldest may be lost, and what has been replaced; the newest never, unless others take its room.
    fn may_lose(&self, lost: &Due, ledger: &Ledger) -> bool {
        let channel = &ledger.at(lost.place).channel;
        let mut later = self.due.iter().filter(|due| due.place > lost.place && due.is_held);
        match lost.when_slow {
            WhenSlow::DropNewest => true,
            WhenSlow::Disconnect => false,
            WhenSlow::DropOldest => ledger.is_tight || later.next().is_some(),
            WhenSlow::Latest => {
                ledger.is_tight || later.any(|due| ledger.at(due.place).channel == *channel)
            }
        }
    }
}

impl Due {
    fn new(place: usize, when_slow: WhenSlow, is_held: bool) -> Self {
        Self { place, when_slow, is_held, is_settled: true, is_replaced: false, is_forgiven: false }
    }
}

/// What counts of what a session's interests say of a channel, groups apart; nothing if it is not for it.
fn strongest(interests: &BTreeMap<Wanted, WhenSlow>, channel: &[u8]) -> Option<WhenSlow> {
    let matches = |(name, is_pattern, group): &Wanted| match (group, is_pattern) {
        (Some(_), _) => false,
        (None, false) => name == channel,
        (None, true) => Pattern::new(name).is_ok_and(|pattern| pattern.matches(channel)),
    };
    interests.iter().filter(|(wanted, _)| matches(wanted)).map(|(_, when_slow)| *when_slow).max()
}
