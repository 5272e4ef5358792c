//! One replay's way through what is kept: messages, what is missing, and the end.

use super::logs::{Log, LogId};
use super::replays::{Cursor, LastOf, PatternCursor, Replay, parsed};
use super::{Channels, Subscription};
use workyard_engine::{Outbox, SessionId};
use workyard_planted::planted;
use workyard_protocol::ChannelName;
use workyard_protocol::channel::{ChannelWire, Push, Topic};

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

    fn look(&mut self) {
        self.looks = self.looks.saturating_sub(1);
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
            && let Some((serial, mut replay)) = self.replays.take_next()
        {
            match self.step(&mut replay, &mut budget, outbox) {
                Progress::Done => self.catch_up(&replay, outbox),
                Progress::Full => self.replays.give_back(serial, replay, false),
                Progress::Paused => self.replays.give_back(serial, replay, true),
            }
        }
        self.history.notes_gone = self.replays.have_patterns();
    }

    /// Tells replays what has gone meanwhile.
    pub(crate) fn tell_gone(&mut self) {
        if !self.history.gone.is_empty() {
            for gone in std::mem::take(&mut self.history.gone) {
                self.replays.note_gone(gone, &self.logs);
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
        if !sink.has_room() {
            return Progress::Full;
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
                self.step_pattern(cursor, budget, sink)
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
        cursor: &mut PatternCursor,
        budget: &mut Budget,
        sink: &mut Sink<'_, O>,
    ) -> Progress {
        if let Some(slot) = cursor.scan {
            cursor.scan = self.scan(slot, cursor, budget, sink);
            if cursor.scan.is_some() {
                return if sink.has_room() { Progress::Paused } else { Progress::Full };
            }
        }
        if !cursor.lost.is_empty() {
            sink.lost(cursor);
        }
        let pattern = parsed(&cursor.pattern);
        for (position, id) in self.history.behind(cursor.after) {
            if budget.is_spent() {
                return Progress::Paused;
            }
            budget.look();
            if self.logs.holds(id, position)
                && cursor.wants(position, &self.logs[id])
                && pattern.matches(self.logs.name(id).as_bytes())
            {
                if !sink.has_room() {
                    return Progress::Full;
                }
                let (channel, log) = (self.logs.name(id), &self.logs[id]);
                let index = log.ring.count_to(position) - 1;
                budget.send(sink.message(channel, log, index, &mut self.scratch));
            }
            cursor.after = position;
        }
        Progress::Done
    }

    /// Tells of the channels from a slot on that messages behind the cursor are not kept any more of.
    /// Returns where to go on.
    fn scan<O: Outbox<ChannelWire>>(
        &self,
        from: usize,
        cursor: &PatternCursor,
        budget: &mut Budget,
        sink: &mut Sink<'_, O>,
    ) -> Option<usize> {
        let pattern = parsed(&cursor.pattern);
        for slot in from..self.logs.end() {
            if budget.is_spent() || !sink.has_room() {
                return Some(slot);
            }
            budget.look();
            let Some(id) = self.logs.at(slot) else { continue };
            let (log, channel) = (&self.logs[id], self.logs.name(id));
            if log.ring.gone() > cursor.after && pattern.matches(channel.as_bytes()) {
                // Which of the channel's messages the session had is not in a position.
                sink.gap(Some(channel), 0, log.first_kept() - 1, 0);
            }
        }
        None
    }

    /// A replay has ended: its subscription takes part in what is published from now on.
    fn catch_up(&mut self, replay: &Replay, outbox: &mut impl Outbox<ChannelWire>) {
        self.replays.ended(replay);
        self.join(replay.session, Subscription { topic: replay.topic, group: None });
        let mark = match &replay.cursor {
            Cursor::Pattern(_) => self.history.position(),
            Cursor::Channel { next } => *next - 1,
        };
        outbox.push(replay.session, Push::CaughtUp { replay: replay.number, mark });
    }
}

impl PatternCursor {
    /// Whether a message that is kept is not left out for being an older one than was asked for.
    fn wants(&self, position: u64, log: &Log) -> bool {
        self.last.is_none_or(|LastOf { count, until }| {
            let newer = || log.ring.count_to(until) - log.ring.count_to(position);
            position > until || (newer() as u64) < count
        })
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

    fn lost(&mut self, cursor: &mut PatternCursor) {
        let lost = std::mem::take(&mut cursor.lost);
        for (name, (from, to)) in lost.by_channel {
            let channel = ChannelName::new(&name).expect("it was a channel's name when it came");
            self.gap(Some(channel), from, to, to + 1 - from);
        }
        if lost.others > 0 {
            self.gap(None, 0, 0, lost.others);
        }
    }
}
