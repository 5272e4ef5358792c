//! What a receiver that was too slow has missed, counted until it can be told.

use crate::Loss;
use std::collections::BTreeMap;
use workyard_planted::planted;

/// Above so many topics, or so many bytes in their names, the rest is counted together: counting is
/// bounded too.
const GAP_TOPICS_MAX: usize = 256;
const GAP_NAMES_BYTES_MAX: usize = 16 * 1024;

/// Publications of one topic: how many, and the numbers of the first and the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// The number of the first; 0 as long as none of them has one.
    pub from: u64,
    /// The number of the last; 0 with `from`.
    pub to: u64,
    /// How many.
    pub missed: u64,
}

impl Losses {
    /// A single one; 0 for one without a number.
    #[must_use]
    pub fn one(number: u64) -> Self {
        Self { from: number, to: number, missed: 1 }
    }

    /// The same, with whose they are; nothing for those of several topics together.
    #[must_use]
    pub fn of(self, topic: Option<&[u8]>) -> Loss<'_> {
        let Self { from, to, missed } = self;
        Loss { topic, from, to, missed }
    }

    /// Adds later ones.
    pub fn add(&mut self, later: Self) {
        if self.from == 0 {
            self.from = later.from;
        }
        if planted!("gap-ends-too-early") && self.to > 0 {
            return;
        }
        self.to = self.to.max(later.to);
        self.missed += later.missed;
    }
}

/// Missed publications by topic.
#[derive(Debug, Default)]
pub struct Gaps {
    by_topic: BTreeMap<Box<[u8]>, Losses>,
    name_bytes: usize,
    others: u64,
}

impl Gaps {
    /// Whether nothing was missed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_topic.is_empty() && self.others == 0
    }

    /// Adds losses that came after all that were added before.
    pub fn add(&mut self, topic: &[u8], losses: Losses) {
        if planted!("gap-is-not-told") {
            return;
        }
        if let Some(known) = self.by_topic.get_mut(topic) {
            known.add(losses);
        } else if self.by_topic.len() < GAP_TOPICS_MAX
            && self.name_bytes + topic.len() <= GAP_NAMES_BYTES_MAX
        {
            self.name_bytes += topic.len();
            self.by_topic.insert(topic.into(), losses);
        } else {
            self.others += losses.missed;
        }
    }

    /// Every topic with its losses; last, without a name, how many there are beyond the bound.
    pub fn iter(&self) -> impl Iterator<Item = Loss<'_>> {
        let named = self.by_topic.iter().map(|(topic, losses)| losses.of(Some(topic)));
        let others = Losses { missed: self.others, ..Losses::default() }.of(None);
        named.chain((self.others > 0).then_some(others))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn others(missed: u64) -> Loss<'static> {
        Loss { topic: None, from: 0, to: 0, missed }
    }

    #[test]
    fn every_miss_is_counted_once_beyond_the_bound_too() {
        let mut gaps = Gaps::default();
        for round in 1..=3u64 {
            for topic in 0..GAP_TOPICS_MAX as u64 + 10 {
                let losses = Losses { from: round * 10, to: round * 10 + round, missed: round };
                gaps.add(&topic.to_be_bytes(), losses);
            }
        }
        let losses: Vec<_> = gaps.iter().collect();
        assert_eq!(losses.len(), GAP_TOPICS_MAX + 1);
        assert_eq!(losses.last(), Some(&others(60)));
        let of_topic = |loss: &Loss<'_>| (loss.from, loss.to, loss.missed);
        assert!(losses[..GAP_TOPICS_MAX].iter().all(|loss| of_topic(loss) == (10, 33, 6)));
    }

    #[test]
    fn what_has_no_number_is_counted_and_leaves_the_range_as_it_is() {
        let mut losses = Losses::one(0);
        losses.add(Losses::one(0));
        assert_eq!(losses, Losses { from: 0, to: 0, missed: 2 });
        losses.add(Losses::one(7));
        losses.add(Losses::one(0));
        losses.add(Losses::one(9));
        assert_eq!(losses, Losses { from: 7, to: 9, missed: 5 });
    }

    #[test]
    fn long_names_are_counted_together_sooner() {
        let mut gaps = Gaps::default();
        for topic in 0..10u8 {
            gaps.add(&[topic; 4096], Losses::one(1));
        }
        let losses: Vec<_> = gaps.iter().collect();
        assert_eq!((losses.len(), losses.last()), (5, Some(&others(6))));
    }
}
