//! What a subscription's next message has to tell: the messages that are missing before it.

use bytes::Bytes;
use std::ops::RangeInclusive;

/// Messages that a subscription should have had.
#[derive(Debug, Default)]
pub(super) struct Missed {
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

impl Missed {
    /// Adds later ones. Numbers of 0 are none.
    pub(super) fn add(&mut self, channel: Option<&Bytes>, from: u64, to: u64, count: u64) {
        self.count += count;
        self.whose = match (std::mem::take(&mut self.whose), channel) {
            (Whose::None, Some(channel)) if from > 0 => Whose::Channel(channel.clone(), from, to),
            (Whose::Channel(known, first, _), Some(channel)) if known == channel && from > 0 => {
                Whose::Channel(known, first, to)
            }
            _ => Whose::Several,
        };
    }

    /// How many.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The numbers of the first and the last, if all were of this channel.
    pub(super) fn numbers(&self, channel: &[u8]) -> Option<RangeInclusive<u64>> {
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
