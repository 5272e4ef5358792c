//! What was published to each channel: the number of its last message, and the messages that are kept.

use super::ring::Ring;
use crate::named::Named;
use std::ops::{Index, IndexMut};
use std::time::Duration;
use workyard_engine::Time;
use workyard_planted::planted;
use workyard_protocol::ChannelName;
use workyard_protocol::channel::HistoryBounds;

/// What a channel takes here beside its name.
const OVERHEAD_BYTES: usize = 64;

/// Stands for the log of one channel, until another channel's is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LogId(u32);

/// The logs of the channels that were published to lately.
///
/// Any client can publish to any number of channels, so they are not kept for ever. Above a bound those
/// of channels that nobody has published to for a while are forgotten; a channel whose log is made anew
/// goes on above every number that it can have had. Those with messages that are kept stay, and do not
/// count here.
#[derive(Debug)]
pub(crate) struct Logs {
    logs: Named<Log>,
    bytes_max: usize,
    /// What those take that messages are kept of.
    held_bytes: usize,
    /// Every number of a forgotten log is below it: who stands at one cannot tell what it has missed.
    floor: u64,
    /// No forgotten log had kept a message of a greater position.
    floor_position: u64,
    /// How often some were forgotten.
    forgettings: u64,
}

/// One channel's.
#[derive(Debug)]
pub(crate) struct Log {
    /// The numbers up to it are not this log's.
    begun: u64,
    /// The number of the last message.
    last: u64,
    /// The last messages, if they are kept; the last of all is among them, if any is.
    pub(crate) ring: Ring,
    /// When it will be looked whether the oldest of these is too old.
    pub(crate) is_armed: Option<Time>,
    /// It was looked for since it was last decided what is forgotten.
    is_used: bool,
}

impl Logs {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let (held_bytes, floor, floor_position, forgettings) = (0, 0, 0, 0);
        Self { logs: Named::new(), bytes_max, held_bytes, floor, floor_position, forgettings }
    }

    /// The log of this channel, if there is one.
    pub(crate) fn find(&mut self, channel: ChannelName<'_>) -> Option<LogId> {
        let at = self.logs.find(channel.as_bytes())?;
        self.logs[at].is_used = true;
        Some(LogId(at))
    }

    /// The log of this channel, made if there is none. Making one may end others.
    pub(crate) fn find_or_add(&mut self, channel: ChannelName<'_>) -> LogId {
        self.find(channel).unwrap_or_else(|| {
            self.make_room(channel.as_bytes().len() + OVERHEAD_BYTES);
            let log = Log {
                begun: self.floor,
                last: self.floor,
                ring: Ring::default(),
                is_armed: None,
                is_used: true,
            };
            LogId(self.logs.insert(channel.as_bytes(), log))
        })
    }

    /// The channel of a log.
    pub(crate) fn name(&self, id: LogId) -> ChannelName<'_> {
        ChannelName::new(self.logs.name(id.0)).expect("it was a channel's name when it came")
    }

    /// The log in a slot, if it has one.
    pub(crate) fn at(&self, slot: usize) -> Option<LogId> {
        self.logs.slot(slot)?;
        u32::try_from(slot).ok().map(LogId)
    }

    /// No slot at or above it has a log.
    pub(crate) fn end(&self) -> usize {
        self.logs.end()
    }

    /// Every number of a channel without a log is above it.
    pub(crate) fn floor(&self) -> u64 {
        self.floor
    }

    /// No log that is forgotten had kept a message of a greater position.
    pub(crate) fn floor_position(&self) -> u64 {
        self.floor_position
    }

    /// How often logs were forgotten. An id from before may be another log's.
    pub(crate) fn forgettings(&self) -> u64 {
        self.forgettings
    }

    /// Messages are kept of this log from now on. Returns what its name takes.
    pub(crate) fn hold(&mut self, id: LogId) -> usize {
        let bytes = self.logs.name(id.0).len();
        self.held_bytes += bytes + OVERHEAD_BYTES;
        bytes
    }

    /// None is kept any more. Returns what its name takes.
    pub(crate) fn release(&mut self, id: LogId) -> usize {
        let bytes = self.logs.name(id.0).len();
        self.held_bytes -= bytes + OVERHEAD_BYTES;
        bytes
    }

    fn make_room(&mut self, bytes: usize) {
        if self.bytes() + bytes <= self.bytes_max {
            return;
        }
        self.forget(|log| !std::mem::take(&mut log.is_used));
        // If most are in use, the next one would have to look through all of them again.
        if self.bytes() + bytes > self.bytes_max / 2 {
            self.forget(|_| true);
        }
    }

    fn forget(&mut self, mut is_idle: impl FnMut(&mut Log) -> bool) {
        self.forgettings += 1;
        let mut idle = Vec::new();
        for (at, log) in self.logs.iter_mut() {
            if log.ring.is_empty() && is_idle(log) {
                let above = u64::from(!planted!("forgotten-number-is-resumed"));
                self.floor = self.floor.max(log.last + above);
                self.floor_position = self.floor_position.max(log.ring.gone());
                idle.push(at);
            }
        }
        for at in idle {
            self.logs.remove(at);
        }
    }

    fn bytes(&self) -> usize {
        self.logs.name_bytes() + self.logs.len() * OVERHEAD_BYTES - self.held_bytes
    }
}

impl Index<LogId> for Logs {
    type Output = Log;

    fn index(&self, id: LogId) -> &Log {
        &self.logs[id.0]
    }
}

impl IndexMut<LogId> for Logs {
    fn index_mut(&mut self, id: LogId) -> &mut Log {
        &mut self.logs[id.0]
    }
}

impl LogId {
    /// No log's.
    pub(crate) const NONE: Self = Self(u32::MAX);

    /// Its slot.
    pub(crate) fn slot(self) -> usize {
        self.0 as usize
    }
}

impl Log {
    /// The numbers up to it are not this log's: nobody knows who had them.
    pub(crate) fn begun(&self) -> u64 {
        self.begun
    }

    /// The number of the last message.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// The number of the oldest message that is kept; that of the next one if there is none.
    pub(crate) fn first_kept(&self) -> u64 {
        self.last + 1 - self.ring.len() as u64
    }

    /// Whether more is kept than the bounds allow.
    pub(crate) fn is_above(&self, bounds: &HistoryBounds) -> bool {
        let (messages, bytes) = (self.ring.len() as u64, self.ring.byte_len() as u64);
        messages > bounds.messages_max || bytes > bounds.bytes_max
    }

    /// When its oldest message is to be forgotten, if it has any: at once if nothing keeps it.
    pub(crate) fn deadline(&self, bounds: Option<&HistoryBounds>) -> Option<Time> {
        let first = self.ring.first()?;
        let bounds = bounds.filter(|bounds| !self.is_above(bounds));
        Some(bounds.map_or(Time::default(), |bounds| first.at + Duration::from(bounds.age)))
    }

    /// Takes the number of the next message.
    pub(crate) fn next(&mut self) -> u64 {
        if planted!("number-comes-twice") && self.last == 4 {
            return self.last;
        }
        self.last += 1;
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(logs: &mut Logs, channel: &str) -> u64 {
        let id = logs.find_or_add(ChannelName::new(channel).unwrap());
        logs[id].next()
    }

    #[test]
    fn each_channel_counts_for_itself() {
        let mut logs = Logs::new(1000);
        let numbers = ["a", "a", "b", "a"].map(|channel| publish(&mut logs, channel));
        assert_eq!(numbers, [1, 2, 1, 3]);
    }

    #[test]
    fn what_was_forgotten_goes_on_above_what_it_had() {
        // Room for three names of one byte.
        let mut logs = Logs::new(3 * (OVERHEAD_BYTES + 1));
        let numbers = ["a", "a", "b", "c"].map(|channel| publish(&mut logs, channel));
        assert_eq!(numbers, [1, 2, 1, 1]);
        assert_eq!(publish(&mut logs, "d"), 4, "all were in use, and all are forgotten");
        assert_eq!(publish(&mut logs, "a"), 4);
        assert_eq!(publish(&mut logs, "a"), 5);
        assert_eq!(publish(&mut logs, "b"), 4);
        assert_eq!(publish(&mut logs, "b"), 5);
    }

    #[test]
    fn what_is_in_use_outlives_what_is_not() {
        let mut logs = Logs::new(8 * (OVERHEAD_BYTES + 3));
        let numbers: Vec<u64> = (0..8).map(|at| publish(&mut logs, &format!("a{at}"))).collect();
        assert_eq!(numbers, [1; 8]);
        // Forgets all eight, and the first of these is made after it.
        assert_eq!(publish(&mut logs, "b"), 3);
        (0..7).for_each(|at| assert_eq!(publish(&mut logs, &format!("c{at}")), 3));
        assert_eq!(logs.logs.len(), 8);
    }

    #[test]
    fn any_number_of_channels_takes_bounded_memory() {
        let mut logs = Logs::new(100 * OVERHEAD_BYTES);
        let mut last = 0;
        for at in 0..10_000 {
            let number = publish(&mut logs, &format!("channel {at}"));
            assert!(number >= last, "numbers of one channel never go back");
            last = number;
            assert!(logs.bytes() <= logs.bytes_max);
        }
    }
}
