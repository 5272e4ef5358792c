//! Who watches what, and how changes get there: as they happen, or later from the log.
//!
//! A session's watches form one set of topics. It is told of a change once, however many of them cover
//! it, in the order of the log. A session that has no room falls behind: it is told nothing until it has,
//! and then reads the log from where it was. What the log has forgotten by then cannot be told, and that is
//! told instead.

mod announce;
mod follower;
mod log;
mod note;
mod request;
mod topics;

use crate::limits::StoreLimits;
use follower::{Follower, Read, Reader, wants};
use log::ChangeLog;
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
    /// How many topics there are in all.
    topics: usize,
    /// Sessions with something left to read and room for it.
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
            && let Some(session) = state.ready.pop_front()
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
        state.topics -= follower.count;
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
            topics: 0,
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
        // It may be gone since it was queued.
        if !self.followers.has(session) {
            return;
        }
        let Some(follower) = self.followers.get_mut(session) else { return };
        follower.queued = false;
        if let Some(cursor) = &mut follower.behind {
            let live = &follower.live;
            let reader = Reader { log: &self.log, now, session, watch: None };
            match reader.read(cursor, portion, |key| wants(live, key), outbox) {
                Read::All => follower.behind = None,
                Read::Compacted => self.end_compacted(now, session, outbox),
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
            && let Some(replay) = follower.replays.front_mut()
        {
            let (topics, watch) = (&replay.topics, Some(replay.watch));
            let reader = Reader { log: &self.log, now, session, watch };
            let covers = |key: &[u8]| {
                let mut covered = None;
                topics.covering(key, |()| covered = Some(replay.values));
                covered
            };
            match reader.read(&mut replay.cursor, portion, covers, outbox) {
                Read::All => {
                    let replay = follower.replays.pop_front().expect("it is the first");
                    outbox.push(session, Push::Reached { watch, revision, live: true });
                    for (is_prefix, name, ()) in replay.topics.into_names() {
                        self.make_live(session, topic(is_prefix, &name), replay.values);
                    }
                }
                Read::Compacted => {
                    let replay = follower.replays.pop_front().expect("it is the first");
                    self.uncount(session, replay.topics.len());
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
                self.uncount(session, 1);
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

    /// Ends what a session was told of as it happened.
    fn end_live(&mut self, session: SessionId, live: Topics<bool>) {
        for (is_prefix, name, _) in live.into_names() {
            self.forget_live(session, topic(is_prefix, &name));
        }
    }

    fn forget_live(&mut self, session: SessionId, topic: WatchTopic<'_>) {
        if let Some(sessions) = self.live.get_mut(topic) {
            sessions.remove(&session);
            if sessions.is_empty() {
                self.live.remove(topic);
            }
        }
    }

    /// What the session would have to be told next is known no more.
    fn end_compacted(
        &mut self,
        now: Time,
        session: SessionId,
        outbox: &mut impl Outbox<GlobalDataWire>,
    ) {
        let oldest = self.log.since();
        let Some(follower) = self.followers.get_mut(session) else { return };
        follower.behind = None;
        let live = std::mem::take(&mut follower.live);
        self.uncount(session, live.len());
        self.end_live(session, live);
        outbox.push(session, Push::Compacted { watch: None, oldest });
        self.note_idleness(now);
    }

    fn count(&mut self, session: SessionId, topics: usize) {
        self.topics += topics;
        self.followers.get_or_default(session).count += topics;
    }

    fn uncount(&mut self, session: SessionId, topics: usize) {
        self.topics -= topics;
        self.followers.get_or_default(session).count -= topics;
    }

    fn queue(&mut self, session: SessionId) {
        if let Some(follower) = self.followers.get_mut(session)
            && !std::mem::replace(&mut follower.queued, true)
        {
            self.ready.push_back(session);
        }
    }

    fn note_idleness(&mut self, now: Time) {
        self.idle_since = match self.topics {
            0 => Some(self.idle_since.unwrap_or(now)),
            _ => None,
        };
    }
}

fn topic(is_prefix: bool, name: &[u8]) -> WatchTopic<'_> {
    let name = Key::new(name).expect("it was a key when it came in");
    if is_prefix { WatchTopic::Prefix(name) } else { WatchTopic::Key(name) }
}

fn linger(limits: &StoreLimits) -> Duration {
    Duration::from_millis(limits.watch_log_linger_ms)
}
