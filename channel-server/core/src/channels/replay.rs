//! One replay's way through what is kept: messages, what is missing, and the end.

use super::gone::{GoneLately, Lost};
use super::logs::{Log, LogId, Logs};
use super::replays::{Cursor, LastOf, PatternCursor, Replay};
use super::{Channels, Subscription, TopicId};
use workyard_engine::{Outbox, SessionId};
use workyard_planted::planted;
use workyard_protocol::channel::{ChannelWire, Push, Topic};
use workyard_protocol::{ChannelName, Pattern};

/// How much all replays together may do before others get their turn.
#[derive(Debug)]
pub(crate) struct Budget {
    messages: usize,
    bytes: usize,
    /// Messages and channels that are looked at, wanted or not.
    looks: usize,
}

/// How far a replay came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// To the end of what is kept.
    Done,
    /// The session has no room.
    Full,
    /// There is more to do than the budget allows.
    Paused,
}

impl Default for Budget {
    fn default() -> Self {
        Self { messages: 512, bytes: 256 * 1024, looks: 10_000 }
    }
}

impl Budget {
    fn is_spent(&self) -> bool {
        self.messages == 0 || self.bytes == 0 || self.looks == 0
    }

    fn look(&mut self, at: u64) {
        self.looks = self.looks.saturating_sub(usize::try_from(at).unwrap_or(usize::MAX));
    }

    fn send(&mut self, bytes: usize) {
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

impl Channels {
    /// Lets replays go on, each in its turn, as far as the budget and their sessions' room allow.
    pub(crate) fn advance(&mut self, mut budget: Budget, outbox: &mut impl Outbox<ChannelWire>) {
        while !budget.is_spent()
            && let Some(mut replay) = self.replays.take_next()
        {
            budget.look(1);
            match self.step(&mut replay, &mut budget, outbox) {
                Progress::Done => self.catch_up(&replay, outbox),
                Progress::Full => self.replays.give_back(replay, false),
                Progress::Paused => self.replays.give_back(replay, true),
            }
        }
    }

    fn step(
        &mut self,
        replay: &mut Replay,
        budget: &mut Budget,
        outbox: &mut impl Outbox<ChannelWire>,
    ) -> Progress {
        let Replay { session, number, topic, .. } = *replay;
        let sink = &mut Sink { session, number, outbox };
        if self.slow.holds_for(session) || !sink.has_room() {
            let waits = !planted!("replay-ends-without-room");
            return if waits { Progress::Full } else { Progress::Done };
        }
        let is_broken = std::mem::take(&mut replay.is_broken);
        match &mut replay.cursor {
            Cursor::Channel { next } => {
                let Topic::Channel(channel) = self.topics.topic(topic) else {
                    unreachable!("the cursor of a channel is that of a channel");
                };
                let log = self.logs.find(channel);
                let begun = log.map_or(self.logs.floor(), |log| self.logs[log].begun());
                // Between the last number that the session had and the first of this log, nobody knows.
                if is_broken || *next <= begun {
                    sink.gap(Some(channel), 0, 0, 0);
                    *next = begun.saturating_add(1).max(*next);
                }
                match log {
                    Some(log) => self.step_channel(log, next, budget, sink),
                    None => Progress::Done,
                }
            }
            Cursor::Pattern(cursor) => {
                if is_broken {
                    sink.gap(None, 0, 0, 0);
                }
                self.step_pattern(topic, cursor, budget, sink)
            }
        }
    }

    fn step_channel<O: Outbox<ChannelWire>>(
        &mut self,
        id: LogId,
        next: &mut u64,
        budget: &mut Budget,
        sink: &mut Sink<'_, O>,
    ) -> Progress {
        let log = &self.logs[id];
        let channel = self.logs.name(id);
        while *next <= log.last() {
            if budget.is_spent() {
                return Progress::Paused;
            }
            if !sink.has_room() {
                return Progress::Full;
            }
            let first = log.first_kept();
            if *next < first {
                if !planted!("replay-hides-what-is-gone") {
                    sink.gap(Some(channel), *next, first - 1, first - *next);
                }
                *next = first;
                continue;
            }
            let index = usize::try_from(*next - first).expect("it lies in memory");
            budget.send(sink.message(channel, log, index, &mut self.scratch));
            *next += 1;
        }
        Progress::Done
    }

    fn step_pattern<O: Outbox<ChannelWire>>(
        &mut self,
        topic: TopicId,
        cursor: &mut PatternCursor,
        budget: &mut Budget,
        sink: &mut Sink<'_, O>,
    ) -> Progress {
        let Topic::Pattern(pattern) = self.topics.topic(topic) else {
            unreachable!("the cursor of a pattern is that of a pattern");
        };
        let (history, logs) = (&mut self.history, &self.logs);
        sink.look_again(cursor, &mut history.gone, logs);
        while cursor.seen_gone < history.gone.count() {
            if budget.is_spent() {
                return Progress::Paused;
            }
            if !sink.has_room() {
                return Progress::Full;
            }
            let seen = cursor.seen_gone;
            sink.lost(&history.gone.lost(cursor, pattern, logs), logs);
            // Where only the last are wanted, all were looked at.
            let until = cursor.last.map_or(cursor.seen_gone, |_| history.gone.count());
            budget.look(until - seen);
        }
        if let Some(slot) = cursor.scan {
            cursor.scan = scan(slot, cursor, pattern, logs, budget, sink);
            if cursor.scan.is_some() {
                return if sink.has_room() { Progress::Paused } else { Progress::Full };
            }
        }
        for (position, id) in history.behind(cursor.after) {
            if budget.is_spent() {
                return Progress::Paused;
            }
            budget.look(1);
            if cursor.wants(position, &logs[id]) && pattern.matches(logs.name(id).as_bytes()) {
                if !sink.has_room() {
                    return Progress::Full;
                }
                let (channel, log) = (logs.name(id), &logs[id]);
                let index = log.ring.count_to(position) - 1;
                budget.send(sink.message(channel, log, index, &mut self.scratch));
            }
            cursor.after = position;
        }
        Progress::Done
    }

    /// A replay has ended: its subscription takes part in what is published from now on.
    fn catch_up(&mut self, replay: &Replay, outbox: &mut impl Outbox<ChannelWire>) {
        self.replays.ended(replay);
        self.note_gone();
        self.join(replay.session, Subscription { topic: replay.topic, group: None });
        let mark = match &replay.cursor {
            Cursor::Pattern(_) => self.history.position(),
            Cursor::Channel { next } => *next - 1,
        };
        outbox.push(replay.session, Push::CaughtUp { replay: replay.number, mark });
    }
}

/// Tells of the channels from a slot on that messages behind the cursor are not kept any more of.
/// Returns where to go on.
fn scan<O: Outbox<ChannelWire>>(
    from: usize,
    cursor: &PatternCursor,
    pattern: Pattern<'_>,
    logs: &Logs,
    budget: &mut Budget,
    sink: &mut Sink<'_, O>,
) -> Option<usize> {
    for slot in from..logs.end() {
        if budget.is_spent() || !sink.has_room() {
            return Some(slot);
        }
        budget.look(1);
        let Some(id) = logs.at(slot) else { continue };
        let (log, channel) = (&logs[id], logs.name(id));
        if cursor.may_have_lost(log) && pattern.matches(channel.as_bytes()) {
            // Which of the channel's messages the session had is not in a position.
            sink.gap(Some(channel), 0, log.first_kept() - 1, 0);
        }
    }
    None
}

impl PatternCursor {
    /// Whether a message that is kept is not left out for being an older one than was asked for.
    fn wants(&self, position: u64, log: &Log) -> bool {
        self.last.is_none_or(|LastOf { count, until }| {
            let newer = || log.ring.count_to(until) - log.ring.count_to(position);
            position > until || (newer() as u64) < count
        })
    }

    /// Whether a message of this log went that it had not come to.
    fn may_have_lost(&self, log: &Log) -> bool {
        let is_wanted = |LastOf { count, until }| {
            log.ring.gone() > until || (log.ring.count_to(until) as u64) < count
        };
        log.ring.gone() > self.after && self.last.is_none_or(is_wanted)
    }
}

/// The session of a replay.
struct Sink<'o, O> {
    session: SessionId,
    number: u32,
    outbox: &'o mut O,
}

impl<O: Outbox<ChannelWire>> Sink<'_, O> {
    fn has_room(&mut self) -> bool {
        self.outbox.has_room(self.session)
    }

    fn gap(&mut self, channel: Option<ChannelName<'_>>, from: u64, to: u64, missed: u64) {
        let gap = Push::Gap { channel, from, to, missed, replay: self.number };
        self.outbox.push(self.session, gap);
    }

    /// Returns the size of its value.
    fn message(
        &mut self,
        channel: ChannelName<'_>,
        log: &Log,
        index: usize,
        scratch: &mut Vec<u8>,
    ) -> usize {
        let kept = log.ring.get(index).expect("the message is kept");
        let value = log.ring.value(kept, scratch);
        let sequence = log.first_kept() + index as u64;
        let (replay, position) = (self.number, kept.position);
        let message = Push::Replayed { replay, channel, sequence, position, value };
        self.outbox.push(self.session, message);
        value.byte_len()
    }

    fn lost(&mut self, lost: &[Lost], logs: &Logs) {
        for Lost { log, from, to } in lost {
            self.gap(Some(logs.name(*log)), *from, *to, to + 1 - from);
        }
    }

    /// If nobody knows any more what has gone since the cursor looked, it looks at every log again.
    /// Of those that are not there any more, nothing is known at all.
    fn look_again(&mut self, cursor: &mut PatternCursor, gone: &mut GoneLately, logs: &Logs) {
        let is_remembered = gone.are_remembered(cursor, logs);
        if !is_remembered {
            (cursor.scan, cursor.seen_gone) = (Some(0), gone.count());
        }
        let floor = std::mem::replace(&mut cursor.floor, logs.floor_position());
        if cursor.scan.is_some() && cursor.after.max(floor) < cursor.floor {
            self.gap(None, 0, 0, 0);
        }
    }
}
