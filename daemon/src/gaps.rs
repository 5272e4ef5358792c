//! What a receiver that was too slow has missed, counted until it can be told.

use std::collections::HashMap;

/// Above so many topics, or so many bytes in their names, the rest is counted together: counting is
/// bounded too.
const GAP_TOPICS_MAX: usize = 256;
const GAP_NAMES_BYTES_MAX: usize = 16 * 1024;

/// Missed publications by topic.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    by_topic: HashMap<Box<[u8]>, u64>,
    name_bytes: usize,
    others: u64,
}

impl Gaps {
    pub(crate) fn add(&mut self, topic: &[u8], missed: u64) {
        if let Some(count) = self.by_topic.get_mut(topic) {
            *count += missed;
        } else if self.by_topic.len() < GAP_TOPICS_MAX
            && self.name_bytes + topic.len() <= GAP_NAMES_BYTES_MAX
        {
            self.name_bytes += topic.len();
            self.by_topic.insert(topic.into(), missed);
        } else {
            self.others += missed;
        }
    }

    /// Every topic with its count; last, without a name, those beyond the bound.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Option<&[u8]>, u64)> {
        let named = self.by_topic.iter().map(|(topic, missed)| (Some(topic.as_ref()), *missed));
        named.chain((self.others > 0).then_some((None, self.others)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_miss_is_counted_once_beyond_the_bound_too() {
        let mut gaps = Gaps::default();
        for round in 0..3u64 {
            for topic in 0..GAP_TOPICS_MAX as u64 + 10 {
                gaps.add(&topic.to_be_bytes(), round + 1);
            }
        }
        let counts: Vec<_> = gaps.iter().collect();
        assert_eq!(counts.len(), GAP_TOPICS_MAX + 1);
        assert_eq!(counts.last(), Some(&(None, 60)));
        assert!(counts[..GAP_TOPICS_MAX].iter().all(|(_, missed)| *missed == 6));
    }

    #[test]
    fn long_names_are_counted_together_sooner() {
        let mut gaps = Gaps::default();
        for topic in 0..10u8 {
            gaps.add(&[topic; 4096], 1);
        }
        let counts: Vec<_> = gaps.iter().collect();
        assert_eq!((counts.len(), counts.last()), (5, Some(&(None, 6))));
    }
}
