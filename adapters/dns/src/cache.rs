//! Answers that are kept for as long as they hold: pure, time passed in.

use crate::question::Question;
use lru::LruCache;
use std::time::{Duration, Instant};

/// The bounds of how long answers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) ttl_min: Duration,
    pub(crate) ttl_max: Duration,
    pub(crate) negative_ttl_max: Duration,
}

/// The answers to so many questions; the one that was not asked for longest gives way.
pub(crate) struct Cache<T> {
    entries: Option<LruCache<Question, Entry<T>>>,
    hits: u64,
    misses: u64,
}

struct Entry<T> {
    answer: T,
    until: Instant,
}

impl Bounds {
    /// How long an answer is kept that holds for as long as its server says.
    pub(crate) fn positive(&self, said: Duration) -> Duration {
        said.max(self.ttl_min).min(self.ttl_max)
    }

    /// The same, for an answer that there is nothing. One that does not say how long it holds is not kept
    /// ([RFC 2308](https://www.rfc-editor.org/rfc/rfc2308#section-5)).
    pub(crate) fn negative(&self, said: Option<Duration>) -> Duration {
        said.unwrap_or_default().min(self.negative_ttl_max)
    }
}

impl<T: Clone> Cache<T> {
    /// With 0 entries nothing is kept.
    pub(crate) fn new(entries_max: usize) -> Self {
        let entries = std::num::NonZeroUsize::new(entries_max).map(LruCache::new);
        Self { entries, hits: 0, misses: 0 }
    }

    pub(crate) fn find(&mut self, question: &Question, now: Instant) -> Option<T> {
        let found = self.look(question, now);
        match found {
            Some(_) => self.hits += 1,
            None => self.misses += 1,
        }
        found
    }

    pub(crate) fn keep(&mut self, question: Question, answer: T, ttl: Duration, now: Instant) {
        if let (Some(entries), Some(until)) = (&mut self.entries, now.checked_add(ttl))
            && !ttl.is_zero()
        {
            entries.put(question, Entry { answer, until });
        }
    }

    pub(crate) fn clear(&mut self) {
        if let Some(entries) = &mut self.entries {
            entries.clear();
        }
    }

    pub(crate) fn entries(&self) -> usize {
        self.entries.as_ref().map_or(0, LruCache::len)
    }

    pub(crate) fn hits(&self) -> u64 {
        self.hits
    }

    pub(crate) fn misses(&self) -> u64 {
        self.misses
    }

    /// The same, uncounted.
    pub(crate) fn look(&mut self, question: &Question, now: Instant) -> Option<T> {
        let entries = self.entries.as_mut()?;
        let entry = entries.get(question)?;
        if now < entry.until {
            return Some(entry.answer.clone());
        }
        entries.pop(question);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::proto::rr::RecordType;

    const SECOND: Duration = Duration::from_secs(1);

    fn question(number: u32) -> Question {
        Question::new(&format!("h{number}.example"), RecordType::A).unwrap()
    }

    #[test]
    fn an_answer_is_kept_for_as_long_as_it_holds() {
        let (mut cache, now) = (Cache::new(8), Instant::now());
        assert_eq!(cache.find(&question(1), now), None);
        cache.keep(question(1), 7, SECOND * 2, now);
        assert_eq!(cache.find(&question(1), now + SECOND), Some(7));
        assert_eq!(cache.find(&question(1), now + SECOND * 2), None);
        assert_eq!((cache.entries(), cache.hits(), cache.misses()), (0, 1, 2));
        cache.keep(question(1), 7, Duration::ZERO, now);
        assert_eq!(cache.find(&question(1), now), None);
    }

    #[test]
    fn what_was_not_asked_for_longest_gives_way() {
        let (mut cache, now) = (Cache::new(3), Instant::now());
        for number in 0..3 {
            cache.keep(question(number), number, SECOND, now);
        }
        cache.find(&question(0), now);
        cache.keep(question(3), 3, SECOND, now);
        let found: Vec<_> = (0..4).map(|number| cache.find(&question(number), now)).collect();
        assert_eq!(found, [Some(0), None, Some(2), Some(3)]);
        cache.clear();
        assert_eq!(cache.entries(), 0);
    }

    #[test]
    fn without_room_nothing_is_kept() {
        let (mut cache, now) = (Cache::new(0), Instant::now());
        cache.keep(question(1), 7, SECOND, now);
        assert_eq!((cache.find(&question(1), now), cache.entries()), (None, 0));
    }

    #[test]
    fn times_have_bounds() {
        let bounds =
            Bounds { ttl_min: SECOND * 5, ttl_max: SECOND * 60, negative_ttl_max: SECOND * 10 };
        for (said, expected) in [(0, 5), (5, 5), (30, 30), (3600, 60)] {
            assert_eq!(bounds.positive(SECOND * said), SECOND * expected);
        }
        for (said, expected) in [(None, 0), (Some(0), 0), (Some(7), 7), (Some(3600), 10)] {
            assert_eq!(bounds.negative(said.map(|said| SECOND * said)), SECOND * expected);
        }
    }
}
