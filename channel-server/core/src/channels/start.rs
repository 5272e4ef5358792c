//! Where subscriptions begin: live, or with a replay of what was kept.

use super::logs::Log;
use super::replays::{Cursor, LastOf, PatternCursor, Replay};
use super::{Channels, TopicId};
use smallvec::SmallVec;
use workyard_engine::SessionId;
use workyard_planted::planted;
use workyard_protocol::channel::{self, Start, Topic};
use workyard_protocol::{Reason, Refusal};

/// What is asked of a replay.
#[derive(Clone, Copy)]
enum Origin {
    /// The last so many messages of each channel.
    Last(u64),
    /// What stands behind a mark.
    Mark(u64),
    /// Everything, behind an unknown number that is lost.
    Anew,
}

impl Channels {
    /// Whether the session may begin these replays.
    pub(super) fn check_replays(
        &self,
        session: SessionId,
        wanted: &[channel::Subscription<'_>],
    ) -> Result<(), Refusal> {
        let mut numbers: SmallVec<[u32; 4]> = SmallVec::new();
        for number in wanted.iter().filter_map(|wanted| wanted.start.replay()) {
            self.replays.check(session, number, numbers.len())?;
            numbers.push(number);
        }
        numbers.sort_unstable();
        if numbers.windows(2).any(|pair| pair[0] == pair[1]) {
            let text = "two replays of one number: expected a number for each";
            return Err(Refusal::new(Reason::InvalidArgument, text));
        }
        Ok(())
    }

    /// Begins what was added.
    pub(super) fn start_all(&mut self, session: SessionId, wanted: &[channel::Subscription<'_>]) {
        for wanted in wanted {
            let subscription = self.find(&wanted.interest).expect("it was added before");
            let (replay, from) = match wanted.start {
                Start::Live => {
                    self.join(session, subscription);
                    continue;
                }
                Start::Last { replay, count } => (replay, Origin::Last(count)),
                Start::Resume { replay, epoch, mark }
                    if epoch == self.epoch || planted!("old-epoch-is-resumed") =>
                {
                    (replay, Origin::Mark(mark))
                }
                Start::Resume { replay, .. } => (replay, Origin::Anew),
            };
            self.begin(session, replay, subscription.topic, from);
        }
    }

    /// Where an interest in this stands: what it is to be resumed from if nothing more comes.
    pub(super) fn mark(&mut self, topic: Topic<'_>) -> u64 {
        match topic {
            Topic::Pattern(_) => self.history.position(),
            Topic::Channel(channel) => match self.logs.find(channel) {
                Some(log) => self.logs[log].last(),
                None => self.logs.floor(),
            },
        }
    }

    fn begin(&mut self, session: SessionId, number: u32, topic: TopicId, from: Origin) {
        let cursor = match self.topics.topic(topic) {
            Topic::Channel(channel) => {
                // Counted from now on, whoever is there: when this one comes back it is told how many.
                let log = self.logs.find_or_add(channel);
                self.changed = self.numbers.next();
                Cursor::Channel { next: first_number(from, &self.logs[log]) }
            }
            Topic::Pattern(_) => Cursor::Pattern(self.pattern_cursor(from)),
        };
        let is_broken = match from {
            Origin::Anew => true,
            Origin::Mark(mark) => topic.is_pattern() && mark < self.logs.floor_position(),
            Origin::Last(_) => false,
        };
        self.replays.begin(Replay { session, number, topic, is_broken, cursor });
        self.note_gone();
    }

    fn pattern_cursor(&self, from: Origin) -> PatternCursor {
        let until = self.history.position();
        let (after, scan, last) = match from {
            Origin::Mark(mark) if planted!("pattern-repeats-its-mark") => {
                (mark.saturating_sub(1), Some(0), None)
            }
            Origin::Mark(mark) => (mark, Some(0), None),
            Origin::Anew => (0, None, None),
            Origin::Last(0) => (until, None, None),
            Origin::Last(count) => (0, None, Some(LastOf { count, until })),
        };
        let (seen_gone, floor) = (self.history.gone.count(), self.logs.floor_position());
        PatternCursor { after, scan, last, seen_gone, floor }
    }
}

/// The number of the first message that a channel's replay looks for.
fn first_number(from: Origin, log: &Log) -> u64 {
    match from {
        Origin::Mark(mark) if planted!("replay-repeats-its-mark") => mark,
        Origin::Mark(mark) => mark.saturating_add(1),
        Origin::Anew => log.first_kept(),
        Origin::Last(count) => log.first_kept().max((log.last() + 1).saturating_sub(count)),
    }
}
