//! Replays under way: whose they are, how far they have come, and whose turn it is.

use super::TopicId;
use super::history::Gone;
use super::logs::Logs;
use crate::BrokerLimits;
use std::collections::{BTreeMap, VecDeque};
use workyard_engine::{BySession, SessionId};
use workyard_protocol::{ChannelName, Pattern, Reason, Refusal};

/// Above so many channels, or so many bytes in their names, what a replay lost is counted together.
const LOST_CHANNELS_MAX: usize = 256;
const LOST_NAMES_BYTES_MAX: usize = 16 * 1024;

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
    /// The session has no room.
    is_waiting: bool,
}

/// How far a replay has come.
#[derive(Debug)]
pub(crate) enum Cursor {
    /// Of one channel: the number of the next message.
    Channel { next: u64 },
    /// Of all channels that match.
    Pattern(Box<PatternCursor>),
}

/// How far the replay of a pattern has come.
#[derive(Debug)]
pub(crate) struct PatternCursor {
    pub(crate) pattern: Box<[u8]>,
    /// The position of the last message that was looked at.
    pub(crate) after: u64,
    /// The next slot of the logs in which to look for messages that were lost before it began.
    pub(crate) scan: Option<usize>,
    /// Of what there was when it began, only so many of each channel.
    pub(crate) last: Option<LastOf>,
    /// What was lost since.
    pub(crate) lost: Lost,
}

/// The last messages of each channel, of those up to a position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastOf {
    pub(crate) count: u64,
    pub(crate) until: u64,
}

/// Messages that a replay came too late for.
#[derive(Debug, Default)]
pub(crate) struct Lost {
    /// By channel, the numbers of the first and the last: all that lie between are lost.
    pub(crate) by_channel: BTreeMap<Box<[u8]>, (u64, u64)>,
    name_bytes: usize,
    /// How many more.
    pub(crate) others: u64,
}

/// All of them, oldest first.
#[derive(Debug)]
pub(crate) struct Replays {
    all: BTreeMap<u64, Replay>,
    /// Those that can go on, in turn. Some of them may have ended.
    ready: VecDeque<u64>,
    by_session: BySession<BTreeMap<u32, u64>>,
    patterns: usize,
    max: usize,
    per_session_max: usize,
}

impl Replays {
    pub(crate) fn new(limits: &BrokerLimits) -> Self {
        Self {
            all: BTreeMap::new(),
            ready: VecDeque::new(),
            by_session: BySession::new(),
            patterns: 0,
            max: limits.replays_max,
            per_session_max: limits.replays_per_session_max,
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
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
        let own = self.by_session.get(session);
        if own.is_some_and(|own| own.contains_key(&number)) {
            let text = format!("replay {number} is under way: expected another number");
            return Err(Refusal::new(Reason::InvalidArgument, text));
        }
        if own.map_or(0, BTreeMap::len) + others >= self.per_session_max {
            return Err(BrokerLimits::reached("replays_per_session_max", self.per_session_max));
        }
        if self.all.len() + others >= self.max {
            return Err(BrokerLimits::reached("replays_max", self.max));
        }
        Ok(())
    }

    /// Begins one, under a serial of its own, behind all that wait for their turn.
    pub(crate) fn begin(
        &mut self,
        serial: u64,
        session: SessionId,
        number: u32,
        topic: TopicId,
        cursor: Cursor,
        is_broken: bool,
    ) {
        self.patterns += usize::from(cursor.is_pattern());
        let replay = Replay { session, number, topic, is_broken, cursor, is_waiting: false };
        self.all.insert(serial, replay);
        self.by_session.get_or_default(session).insert(number, serial);
        self.ready.push_back(serial);
    }

    /// Takes the next one out that can go on. Give it back, or say that it has ended.
    pub(crate) fn take_next(&mut self) -> Option<(u64, Replay)> {
        loop {
            let serial = self.ready.pop_front()?;
            if let Some(replay) = self.all.remove(&serial) {
                return Some((serial, replay));
            }
        }
    }

    /// Gives one back that has not ended: it goes on when its session has room.
    pub(crate) fn give_back(&mut self, serial: u64, mut replay: Replay, has_room: bool) {
        replay.is_waiting = !has_room;
        if has_room {
            self.ready.push_back(serial);
        }
        self.all.insert(serial, replay);
    }

    /// One that was taken out has ended.
    pub(crate) fn ended(&mut self, replay: &Replay) {
        self.patterns -= usize::from(replay.cursor.is_pattern());
        if let Some(own) = self.by_session.get_mut(replay.session) {
            own.remove(&replay.number);
            if own.is_empty() {
                self.by_session.remove(replay.session);
            }
        }
    }

    /// The session has room again.
    pub(crate) fn drained(&mut self, session: SessionId) {
        for serial in self.by_session.get(session).into_iter().flat_map(BTreeMap::values) {
            if let Some(replay) = self.all.get_mut(serial)
                && std::mem::take(&mut replay.is_waiting)
            {
                self.ready.push_back(*serial);
            }
        }
    }

    /// Ends those of a session, of one of its subscriptions or of all.
    pub(crate) fn end(&mut self, session: SessionId, topic: Option<TopicId>) {
        let Some(own) = self.by_session.get(session) else { return };
        let serials: Vec<u64> = own.values().copied().collect();
        for serial in serials {
            let is_meant = |replay: &mut Replay| topic.is_none_or(|topic| replay.topic == topic);
            if let Some(replay) = self.all.get_mut(&serial)
                && is_meant(replay)
                && let Some(replay) = self.all.remove(&serial)
            {
                self.ended(&replay);
            }
        }
    }

    /// The sessions with a replay of a pattern among these topics, each once.
    pub(crate) fn sessions_of(&self, topics: &[TopicId]) -> Vec<SessionId> {
        let is_meant =
            |replay: &&Replay| replay.cursor.is_pattern() && topics.contains(&replay.topic);
        let of_these = self.all.values().filter(is_meant);
        let mut sessions: Vec<_> = of_these.map(|replay| replay.session).collect();
        sessions.sort_unstable();
        sessions.dedup();
        sessions
    }

    /// A message is gone that some replays of patterns may still have wanted.
    pub(crate) fn note_gone(&mut self, gone: Gone, logs: &Logs) {
        for replay in self.all.values_mut() {
            if let Cursor::Pattern(cursor) = &mut replay.cursor {
                cursor.note_gone(gone, logs);
            }
        }
    }
}

impl Cursor {
    /// Whether it is that of a pattern.
    pub(crate) fn is_pattern(&self) -> bool {
        matches!(self, Self::Pattern(_))
    }
}

impl PatternCursor {
    fn note_gone(&mut self, Gone { log, position, sequence }: Gone, logs: &Logs) {
        let is_still_scanned = self.scan.is_some_and(|slot| slot <= log.slot());
        if position <= self.after || is_still_scanned {
            return;
        }
        let behind = |last: LastOf| logs[log].ring.count_to(last.until) as u64;
        if self.last.is_some_and(|last| position <= last.until && behind(last) >= last.count) {
            return;
        }
        let name = logs.name(log);
        if parsed(&self.pattern).matches(name.as_bytes()) {
            self.lost.add(name, sequence);
        }
    }
}

/// The pattern that these bytes are.
pub(crate) fn parsed(pattern: &[u8]) -> Pattern<'_> {
    Pattern::new(pattern).expect("it was a pattern when it came")
}

impl Lost {
    /// Whether nothing was lost.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_channel.is_empty() && self.others == 0
    }

    fn add(&mut self, channel: ChannelName<'_>, sequence: u64) {
        let name = channel.as_bytes();
        if let Some((_, to)) = self.by_channel.get_mut(name) {
            *to = sequence;
        } else if self.by_channel.len() < LOST_CHANNELS_MAX
            && self.name_bytes + name.len() <= LOST_NAMES_BYTES_MAX
        {
            self.name_bytes += name.len();
            self.by_channel.insert(name.into(), (sequence, sequence));
        } else {
            self.others += 1;
        }
    }
}
