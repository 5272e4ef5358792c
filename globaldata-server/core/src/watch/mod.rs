//! Who watches what, and how changes get there: as they happen, or later from the log.
//!
//! A session's watches form one set of topics. It is told of a change once, however many of them cover
//! it, in the order of the log. A session that has no room falls behind: it is told nothing until it has,
//! and then reads the log from where it was. What the log has forgotten by then cannot be told, and that is
//! told instead.

mod announce;
mod follower;
mod load;
mod log;
mod note;
mod prefixes;
mod replays;
mod request;
mod topics;

pub(crate) use load::Load;

use crate::limits::StoreLimits;
use follower::{Follower, Read, Reader, wants};
use log::ChangeLog;
use replays::Named;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use topics::Topics;
use workyard_engine::{BySession, Outbox, SessionId, Time};
use workyard_protocol::Key;
use workyard_protocol::globaldata::{GlobalDataWire, Push, WatchTopic};

/// Everything about watches. Without any it is one word, and writes find it empty.
#[derive(Default)]
pub(crate) struct Watches {
    state: Option<Box<State>>,
}

/// What there is while there are watches, and for a while after.
struct State {
    log: ChangeLog,
    /// The place in the log up to which everybody has been told, but those who are behind.
    announced: u64,
    /// Which sessions are told of what, and whether with values. Sorted, so that effects have one order.
    live: Topics<BTreeMap<SessionId, bool>>,
    followers: BySession<Follower>,
    /// What all sessions watch.
    load: Load,
    /// Sessions with something left to read and room for it, each once.
    ready: VecDeque<SessionId>,
    /// Since when nothing is watched.
    idle_since: Option<Time>,
    /// Where the log was, in changes and bytes, when everybody was last told how far it is.
    progressed: (u64, u64),
}

impl Watches {
    /// When there is something to do, if ever.
    pub(crate) fn next_deadline(&self, limits: &StoreLimits) -> Option<Time> {
        let state = self.state.as_ref()?;
        match state.ready.is_empty() {
            false => Some(Time::default()),
            true => state.idle_since.map(|since| since + linger(limits)),
        }
    }

    /// Tells those who are ready another portion, and ends a log that nobody has come back to.
    pub(crate) fn expire(
        &mut self,
        now: Time,
        revision: u64,
        limits: &StoreLimits,
        outbox: &mut impl Outbox<GlobalDataWire>,
    ) {
        let Some(state) = &mut self.state else { return };
        let mut portion = limits.watch_portion_changes_max.max(1);
        while portion > 0
            && let Some(session) = state.next_ready()
        {
            state.advance(now, session, revision, &mut portion, outbox);
        }
        if state.idle_since.is_some_and(|since| since + linger(limits) <= now) {
            self.state = None;
        }
    }

    /// Tells a session a portion of what it has not been told: it has room again, or asked for it.
    pub(crate) fn advance(
        &mut self,
        now: Time,
        session: SessionId,
        revision: u64,
        limits: &StoreLimits,
        outbox: &mut impl Outbox<GlobalDataWire>,
    ) {
        if let Some(state) = &mut self.state {
            let mut portion = limits.watch_portion_changes_max.max(1);
            state.advance(now, session, revision, &mut portion, outbox);
        }
    }

    /// Whether anything is watched has perhaps changed.
    fn note_idleness(&mut self, now: Time) {
        if let Some(state) = &mut self.state {
            state.note_idleness(now);
        }
    }

    /// The session is gone.
    pub(crate) fn close(&mut self, now: Time, session: SessionId) {
        let Some(state) = &mut self.state else { return };
        let Some(follower) = state.followers.remove(session) else { return };
        state.load -= follower.load;
        state.end_live(session, follower.live);
        state.note_idleness(now);
    }
}

impl State {
    fn new(now: Time, revision: u64) -> Self {
        Self {
            log: ChangeLog::after(revision),
            announced: 0,
            live: Topics::default(),
            followers: BySession::new(),
            load: Load::default(),
            ready: VecDeque::new(),
            idle_since: Some(now),
            progressed: (0, 0),
        }
    }

    /// Tells a session what it has not been told, as far as its room and the portion go.
    fn advance(
        &mut self,
        now: Time,
        session: SessionId,
        revision: u64,
        portion: &mut usize,
        outbox: &mut impl Outbox<GlobalDataWire>,
    ) {
        let Some(follower) = self.followers.get_mut(session) else { return };
        if let Some(cursor) = &mut follower.behind {
            let live = &follower.live;
            let reader = Reader { log: &self.log, now, session, watch: None };
            match reader.read(cursor, portion, |key| wants(live, key), outbox) {
                Read::All if !outbox.has_room(session) => return,
                Read::All => {
                    follower.behind = None;
                    outbox.push(session, Push::Reached { watch: None, revision, live: true });
                }
                Read::Compacted => {
                    let topics = self.end_compacted(now, session, outbox);
                    *portion = portion.saturating_sub(topics);
                }
                Read::Full => return,
                Read::Spent => return self.queue(session),
            }
        }
        self.replay(now, session, revision, portion, outbox);
    }

    /// The same for what it wants to be told again. What is live is at the log's end.
    fn replay(
        &mut self,
        now: Time,
        session: SessionId,
        revision: u64,
        portion: &mut usize,
        outbox: &mut impl Outbox<GlobalDataWire>,
    ) {
        while let Some(follower) = self.followers.get_mut(session)
            && let Some(replay) = follower.replays.first()
        {
            if *portion == 0 {
                return self.queue(session);
            }
            let (topics, values, watch) = (&replay.topics, replay.values, Some(replay.watch));
            let reader = Reader { log: &self.log, now, session, watch };
            let covers = |key: &[u8]| {
                let mut covered = None;
                topics.covering(key, |()| covered = Some(values));
                covered
            };
            match reader.read(&mut replay.cursor, portion, covers, outbox) {
                Read::All | Read::Compacted if !outbox.has_room(session) => return,
                Read::All => {
                    outbox.push(session, Push::Reached { watch, revision, live: true });
                    let topics = follower.replays.end_first();
                    *portion = portion.saturating_sub(topics.len());
                    for (is_prefix, name) in topics {
                        self.make_live(session, topic(is_prefix, &name), values);
                    }
                }
                Read::Compacted => {
                    let topics = follower.replays.end_first();
                    *portion = portion.saturating_sub(topics.len());
                    self.uncount(session, topics.iter().map(load_of).sum());
                    outbox.push(session, Push::Compacted { watch, oldest: self.log.since() });
                    self.note_idleness(now);
                }
                Read::Full => return,
                Read::Spent => return self.queue(session),
            }
        }
    }

    /// Has a session told of a topic as it happens. It is counted already, once more if it was live.
    fn make_live(&mut self, session: SessionId, topic: WatchTopic<'_>, values: bool) {
        let follower = self.followers.get_or_default(session);
        let values = match follower.live.get_mut(topic) {
            Some(before) => {
                *before |= values;
                let values = *before;
                self.uncount(session, Load::of(topic));
                values
            }
            None => {
                follower.live.insert(topic, values);
                values
            }
        };
        match self.live.get_mut(topic) {
            Some(sessions) => drop(sessions.insert(session, values)),
            None => drop(self.live.insert(topic, BTreeMap::from([(session, values)]))),
        }
    }

    /// Ends what a session was told of as it happened, and tells how much that was.
    fn end_live(&mut self, session: SessionId, live: Topics<bool>) -> Load {
        let mut load = Load::default();
        for (is_prefix, name, _) in live.into_names() {
            let topic = topic(is_prefix, &name);
            self.forget_live(session, topic);
            load += Load::of(topic);
        }
        load
    }

    fn forget_live(&mut self, session: SessionId, topic: WatchTopic<'_>) {
        if let Some(sessions) = self.live.get_mut(topic) {
            sessions.remove(&session);
            if sessions.is_empty() {
                self.live.remove(topic);
            }
        }
    }

    /// What the session would have to be told next is known no more. How many topics that ends.
    fn end_compacted(
        &mut self,
        now: Time,
        session: SessionId,
        outbox: &mut impl Outbox<GlobalDataWire>,
    ) -> usize {
        let oldest = self.log.since();
        let Some(follower) = self.followers.get_mut(session) else { return 0 };
        follower.behind = None;
        let live = std::mem::take(&mut follower.live);
        let load = self.end_live(session, live);
        self.uncount(session, load);
        outbox.push(session, Push::Compacted { watch: None, oldest });
        self.note_idleness(now);
        load.topics
    }

    fn count(&mut self, session: SessionId, load: Load) {
        self.load += load;
        self.followers.get_or_default(session).load += load;
    }

    fn uncount(&mut self, session: SessionId, load: Load) {
        self.load -= load;
        self.followers.get_or_default(session).load -= load;
    }

    /// The next of those with something left to read.
    fn next_ready(&mut self) -> Option<SessionId> {
        loop {
            let session = self.ready.pop_front()?;
            // It may be gone since it was queued.
            if self.followers.has(session)
                && let Some(follower) = self.followers.get_mut(session)
            {
                follower.queued = false;
                return Some(session);
            }
        }
    }

    fn queue(&mut self, session: SessionId) {
        if let Some(follower) = self.followers.get_mut(session)
            && !std::mem::replace(&mut follower.queued, true)
        {
            self.ready.push_back(session);
        }
    }

    fn note_idleness(&mut self, now: Time) {
        self.idle_since = match self.load.topics {
            0 => Some(self.idle_since.unwrap_or(now)),
            _ => None,
        };
    }
}

fn topic(is_prefix: bool, name: &[u8]) -> WatchTopic<'_> {
    let name = Key::new(name).expect("it was a key when it came in");
    if is_prefix { WatchTopic::Prefix(name) } else { WatchTopic::Key(name) }
}

fn load_of((is_prefix, name): &Named) -> Load {
    Load::of(topic(*is_prefix, name))
}

fn linger(limits: &StoreLimits) -> Duration {
    Duration::from_millis(limits.watch_log_linger_ms)
}
