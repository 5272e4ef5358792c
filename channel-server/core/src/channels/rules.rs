//! Which channels' messages are kept, and how much of each.

use super::trie::Trie;
use crate::named::{Named, Page};
use workyard_protocol::Pattern;
use workyard_protocol::channel::{Histories, HistoryBounds, HistoryRule};

/// The rules, found by their patterns and by the channels that these match.
#[derive(Debug)]
pub(crate) struct Rules {
    rules: Named<HistoryBounds>,
    trie: Trie,
}

impl Rules {
    pub(crate) fn new() -> Self {
        Self { rules: Named::new(), trie: Trie::new() }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is a rule of exactly this pattern.
    pub(crate) fn contains(&self, pattern: Pattern<'_>) -> bool {
        self.rules.find(pattern.as_bytes()).is_some()
    }

    /// Adds a rule, or replaces the one of the same pattern.
    pub(crate) fn set(&mut self, pattern: Pattern<'_>, bounds: HistoryBounds) {
        match self.rules.find(pattern.as_bytes()) {
            Some(at) => self.rules[at] = bounds,
            None => {
                let at = self.rules.insert(pattern.as_bytes(), bounds);
                self.trie.insert(pattern, at);
            }
        }
    }

    /// Takes a rule out. Returns whether it was there.
    pub(crate) fn remove(&mut self, pattern: Pattern<'_>) -> bool {
        let Some(at) = self.rules.find(pattern.as_bytes()) else { return false };
        self.rules.remove(at);
        self.trie.remove(pattern);
        true
    }

    /// How much is kept of a channel, if anything: of all rules that match, the greatest of each bound.
    /// So the order in which rules are made makes no difference.
    pub(crate) fn bounds(&self, channel: &[u8]) -> Option<HistoryBounds> {
        let mut bounds: Option<HistoryBounds> = None;
        if self.rules.len() > 0 {
            self.trie.matching(channel, |at| {
                let rule = self.rules[at];
                bounds = Some(bounds.map_or(rule, |bounds| bounds.max(rule)));
            });
        }
        bounds
    }

    /// The rules from the cursor on whose patterns begin with the prefix, and the next cursor.
    pub(crate) fn page(&self, request: Histories<'_>) -> (u64, Vec<HistoryRule<'_>>) {
        let Histories { prefix, cursor, limit } = request;
        self.rules.page(Page { cursor, limit, prefix }, |name, bounds| {
            let pattern = Pattern::new(name).expect("it was a pattern when it came");
            HistoryRule { pattern, bounds: *bounds }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use workyard_protocol::Ttl;

    fn bounds(messages_max: u64, bytes_max: u64, age_ms: u64) -> HistoryBounds {
        HistoryBounds { messages_max, bytes_max, age: Ttl::from_millis(age_ms).unwrap() }
    }

    #[test]
    fn of_several_rules_each_bound_is_the_greatest() {
        let mut rules = Rules::new();
        assert_eq!(rules.bounds(b"a.b"), None);
        rules.set(Pattern::new("a.*").unwrap(), bounds(1, 20, 3));
        rules.set(Pattern::new("a.>").unwrap(), bounds(2, 10, 30));
        assert_eq!(rules.bounds(b"a.b"), Some(bounds(2, 20, 30)));
        assert_eq!(rules.bounds(b"a.b.c"), Some(bounds(2, 10, 30)));
        rules.set(Pattern::new("a.>").unwrap(), bounds(1, 1, 1));
        assert_eq!(rules.bounds(b"a.b"), Some(bounds(1, 20, 3)));
        assert!(rules.remove(Pattern::new("a.*").unwrap()));
        assert!(!rules.remove(Pattern::new("a.*").unwrap()));
        assert_eq!(rules.bounds(b"a.b"), Some(bounds(1, 1, 1)));
        assert_eq!(rules.bounds(b"b"), None);
    }
}
