//! What a subscription's next message has to tell: the messages that are missing before it.

use crate::message::Message;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Messages that a subscription should have had.
#[derive(Debug, Default)]
pub(crate) struct Missed {
    count: u64,
    whose: Whose,
}

/// Which they were, as far as it is known.
#[derive(Debug, Default)]
enum Whose {
    #[default]
    None,
    /// All of one channel, with the numbers of the first and the last.
    Channel(Bytes, u64, u64),
    /// Of several channels, or without numbers.
    Several,
}

/// What was dropped in this process, by channel, since it was last asked for.
#[derive(Debug, Default)]
pub(super) struct Gaps(BTreeMap<Bytes, Missed>);

impl Gaps {
    /// One message was dropped, for so many who wanted it.
    pub(super) fn add(&mut self, channel: &Bytes, number: u64, count: u64) {
        let gap = self.0.entry(channel.clone()).or_default();
        gap.add(Some(channel), number, number, count);
    }

    /// The channels, with the numbers and how many.
    pub(super) fn take(
        &mut self,
    ) -> impl Iterator<Item = (Bytes, Option<RangeInclusive<u64>>, u64)> {
        std::mem::take(&mut self.0).into_iter().map(|(channel, gap)| {
            let numbers = gap.numbers(&channel);
            (channel, numbers, gap.count())
        })
    }
}

impl Missed {
    /// What a message tells to be missing before it.
    pub(crate) fn before(message: &Message) -> Self {
        let whose = match &message.missed_numbers {
            _ if message.missed == 0 => Whose::None,
            Some(numbers) => {
                Whose::Channel(message.channel.clone(), *numbers.start(), *numbers.end())
            }
            None => Whose::Several,
        };
        Self { count: message.missed, whose }
    }

    /// Adds later ones.
    pub(crate) fn add_all(&mut self, later: Self) {
        match later.whose {
            Whose::None => {}
            Whose::Channel(channel, from, to) => self.add(Some(&channel), from, to, later.count),
            Whose::Several => self.add(None, 0, 0, later.count),
        }
    }

    /// Adds later ones. Numbers of 0 are none.
    pub(crate) fn add(&mut self, channel: Option<&Bytes>, from: u64, to: u64, count: u64) {
        self.count += count;
        self.whose = match (std::mem::take(&mut self.whose), channel) {
            (Whose::None, Some(channel)) if from > 0 => Whose::Channel(channel.clone(), from, to),
            (Whose::Channel(known, first, last), Some(channel)) if known == channel && from > 0 => {
                // Two subscriptions may lose the same, and not in the same order.
                Whose::Channel(known, first.min(from), last.max(to))
            }
            _ => Whose::Several,
        };
    }

    /// How many.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The numbers of the first and the last, if all were of this channel.
    pub(crate) fn numbers(&self, channel: &[u8]) -> Option<RangeInclusive<u64>> {
        match &self.whose {
            Whose::Channel(known, from, to) if known == channel => Some(*from..=*to),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_only_where_all_were_of_one_channel() {
        let (a, b) = (Bytes::from_static(b"a"), Bytes::from_static(b"b"));
        let mut missed = Missed::default();
        assert_eq!((missed.count(), missed.numbers(b"a")), (0, None));
        missed.add(Some(&a), 3, 5, 2);
        missed.add(Some(&a), 9, 9, 1);
        assert_eq!((missed.count(), missed.numbers(b"a")), (3, Some(3..=9)));
        assert_eq!(missed.numbers(b"b"), None);
        missed.add(Some(&b), 1, 1, 1);
        missed.add(Some(&a), 10, 10, 1);
        assert_eq!((missed.count(), missed.numbers(b"a")), (5, None));
    }

    #[test]
    fn what_has_no_number_is_counted() {
        let a = Bytes::from_static(b"a");
        for (channel, from) in [(None, 0), (Some(&a), 0)] {
            let mut missed = Missed::default();
            missed.add(channel, from, from, 4);
            missed.add(Some(&a), 7, 7, 1);
            assert_eq!((missed.count(), missed.numbers(b"a")), (5, None));
        }
    }
}
