//! Replays under way: whose they are, how far they have come, and whose turn it is.

use super::TopicId;
use crate::BrokerLimits;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use workyard_engine::{BySession, SessionId};
use workyard_protocol::{Reason, Refusal};

/// What the session asked for by one start that is not live.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) session: SessionId,
    /// What the session calls it.
    pub(crate) number: u32,
    /// What it subscribed to. The subscription is there as long as the replay.
    pub(crate) topic: TopicId,
    /// Before it there are messages of which nobody knows how many are lost.
    pub(crate) is_broken: bool,
    pub(crate) cursor: Cursor,
}

/// How far a replay has come.
#[derive(Debug)]
pub(crate) enum Cursor {
    /// Of one channel: the number of the next message.
    Channel { next: u64 },
    /// Of all channels that match.
    Pattern(PatternCursor),
}

/// How far the replay of a pattern has come. It takes the same memory whatever becomes of it.
#[derive(Debug)]
pub(crate) struct PatternCursor {
    /// The position of the last message that was looked at.
    pub(crate) after: u64,
    /// The next slot of the logs in which to look for messages that were lost before it began.
    pub(crate) scan: Option<usize>,
    /// Of what there was when it began, only so many of each channel.
    pub(crate) last: Option<LastOf>,
    /// How many messages had gone when it last looked which.
    pub(crate) seen_gone: u64,
    /// It knows that nothing is known of logs that were forgotten with positions up to here.
    pub(crate) floor: u64,
}

/// The last messages of each channel, of those up to a position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastOf {
    pub(crate) count: u64,
    pub(crate) until: u64,
}

/// All of them, by session.
#[derive(Debug)]
pub(crate) struct Replays {
    by_session: BySession<Own>,
    /// Whose they are of each topic, with their numbers.
    by_topic: BTreeSet<(TopicId, SessionId, u32)>,
    /// The sessions whose replays can go on, in turn.
    ready: BTreeMap<u64, SessionId>,
    last_turn: u64,
    patterns: usize,
    max: usize,
    per_session_max: usize,
}

/// Those of one session. They take turns among themselves.
#[derive(Debug, Default)]
struct Own {
    by_number: BTreeMap<u32, Replay>,
    /// The one that went on last.
    last: u32,
    /// Where the session stands among those that are ready; nowhere while it has no room.
    turn: Option<u64>,
}

impl Replays {
    pub(crate) fn new(limits: &BrokerLimits) -> Self {
        Self {
            by_session: BySession::new(),
            by_topic: BTreeSet::new(),
            ready: BTreeMap::new(),
            last_turn: 0,
            patterns: 0,
            max: limits.replays_max,
            per_session_max: limits.replays_per_session_max,
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_topic.len()
    }

    /// Whether one can go on.
    pub(crate) fn are_due(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Whether there are any of patterns.
    pub(crate) fn have_patterns(&self) -> bool {
        self.patterns > 0
    }

    /// Whether the session may begin one of this number beside so many others.
    ///
    /// # Errors
    /// `InvalidArgument`, `LimitReached`.
    pub(crate) fn check(
        &self,
        session: SessionId,
        number: u32,
        others: usize,
    ) -> Result<(), Refusal> {
        let own = self.by_session.get(session).map(|own| &own.by_number);
        if own.is_some_and(|own| own.contains_key(&number)) {
            let text = format!("replay {number} is under way: expected another number");
            return Err(Refusal::new(Reason::InvalidArgument, text));
        }
        if own.map_or(0, BTreeMap::len) + others >= self.per_session_max {
            return Err(BrokerLimits::reached("replays_per_session_max", self.per_session_max));
        }
        if self.len() + others >= self.max {
            return Err(BrokerLimits::reached("replays_max", self.max));
        }
        Ok(())
    }

    /// Begins one, behind all that wait for their turn.
    pub(crate) fn begin(&mut self, replay: Replay) {
        let Replay { session, number, topic, .. } = replay;
        self.patterns += usize::from(topic.is_pattern());
        self.by_topic.insert((topic, session, number));
        self.give_back(replay, true);
    }

    /// Takes the next one out that can go on. Give it back, or say that it has ended.
    pub(crate) fn take_next(&mut self) -> Option<Replay> {
        let (_, session) = self.ready.pop_first()?;
        let own = self.by_session.get_mut(session).expect("who is ready has a replay");
        own.turn = None;
        Some(own.take_next())
    }

    /// Gives one back that has not ended: it goes on when its session has room.
    pub(crate) fn give_back(&mut self, replay: Replay, has_room: bool) {
        let session = replay.session;
        self.by_session.get_or_default(session).by_number.insert(replay.number, replay);
        if has_room {
            self.drained(session);
        }
    }

    /// One that was taken out has ended.
    pub(crate) fn ended(&mut self, replay: &Replay) {
        self.forget(replay);
        self.drained(replay.session);
    }

    /// The session has room.
    pub(crate) fn drained(&mut self, session: SessionId) {
        let Some(own) = self.by_session.get_mut(session) else { return };
        if own.by_number.is_empty() {
            self.by_session.remove(session);
        } else if own.turn.is_none() {
            self.last_turn += 1;
            own.turn = Some(self.last_turn);
            self.ready.insert(self.last_turn, session);
        }
    }

    /// Ends those that the session has of a topic.
    pub(crate) fn end(&mut self, session: SessionId, topic: TopicId) {
        let meant = (topic, session, 0)..=(topic, session, u32::MAX);
        let numbers: Vec<u32> = self.by_topic.range(meant).map(|(.., number)| *number).collect();
        for number in numbers {
            let own = self.by_session.get_mut(session).expect("it has a replay");
            let replay = own.by_number.remove(&number).expect("none is taken out meanwhile");
            self.forget(&replay);
        }
        self.forget_if_none(session);
    }

    /// Ends all of a session.
    pub(crate) fn end_all(&mut self, session: SessionId) {
        let Some(own) = self.by_session.get_mut(session) else { return };
        for replay in std::mem::take(&mut own.by_number).into_values() {
            self.forget(&replay);
        }
        self.forget_if_none(session);
    }

    /// The sessions with a replay of a pattern among these topics, each once.
    pub(crate) fn sessions_of(&self, topics: &[TopicId]) -> Vec<SessionId> {
        let mut sessions = Vec::new();
        for topic in topics.iter().filter(|topic| topic.is_pattern()) {
            // No replay has the number 0; a session may have many of one pattern.
            let mut before = (*topic, SessionId::new(0, 0), 0);
            let behind = |before| self.by_topic.range((Bound::Excluded(before), Bound::Unbounded));
            while let Some((_, session, _)) = behind(before).next().filter(|at| at.0 == *topic) {
                sessions.push(*session);
                before = (*topic, *session, u32::MAX);
            }
        }
        sessions.sort_unstable();
        sessions.dedup();
        sessions
    }

    fn forget(&mut self, replay: &Replay) {
        self.patterns -= usize::from(replay.topic.is_pattern());
        self.by_topic.remove(&(replay.topic, replay.session, replay.number));
    }

    fn forget_if_none(&mut self, session: SessionId) {
        if self.by_session.get(session).is_some_and(|own| own.by_number.is_empty())
            && let Some(Own { turn: Some(turn), .. }) = self.by_session.remove(session)
        {
            self.ready.remove(&turn);
        }
    }
}

impl Own {
    /// Takes the one out that is behind the last one in turn.
    fn take_next(&mut self) -> Replay {
        let behind = self.by_number.range((Bound::Excluded(self.last), Bound::Unbounded)).next();
        let next = behind.or_else(|| self.by_number.first_key_value()).map(|(number, _)| *number);
        self.last = next.expect("who is ready has a replay");
        self.by_number.remove(&self.last).expect("it was just found")
    }
}
