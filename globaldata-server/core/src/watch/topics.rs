//! Something for each topic: found by a key without a look at the topics that do not concern it.

use super::prefixes::Prefixes;
use hashbrown::HashMap;
use workyard_protocol::globaldata::WatchTopic;

/// What belongs to each of some topics.
pub(super) struct Topics<T> {
    keys: HashMap<Box<[u8]>, T>,
    prefixes: Prefixes<T>,
}

impl<T> Default for Topics<T> {
    fn default() -> Self {
        Self { keys: HashMap::default(), prefixes: Prefixes::default() }
    }
}

impl<T> Topics<T> {
    pub(super) fn len(&self) -> usize {
        self.keys.len() + self.prefixes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn get_mut(&mut self, topic: WatchTopic<'_>) -> Option<&mut T> {
        match topic {
            WatchTopic::Key(key) => self.keys.get_mut(key.as_bytes()),
            WatchTopic::Prefix(prefix) => self.prefixes.get_mut(prefix.as_bytes()),
        }
    }

    pub(super) fn insert(&mut self, topic: WatchTopic<'_>, what: T) -> Option<T> {
        match topic {
            WatchTopic::Key(key) => self.keys.insert(key.as_bytes().into(), what),
            WatchTopic::Prefix(prefix) => self.prefixes.insert(prefix.as_bytes(), what),
        }
    }

    pub(super) fn remove(&mut self, topic: WatchTopic<'_>) -> Option<T> {
        match topic {
            WatchTopic::Key(key) => self.keys.remove(key.as_bytes()),
            WatchTopic::Prefix(prefix) => self.prefixes.remove(prefix.as_bytes()),
        }
    }

    /// Shows what belongs to the topics that cover a key, in an order that depends on nothing else.
    pub(super) fn covering(&self, key: &[u8], mut show: impl FnMut(&T)) {
        if let Some(what) = self.keys.get(key) {
            show(what);
        }
        self.prefixes.covering(key, show);
    }

    /// All topics' kinds and names, in no particular order.
    pub(super) fn into_names(self) -> impl Iterator<Item = (bool, Box<[u8]>, T)> {
        let keys = self.keys.into_iter().map(|(name, what)| (false, name, what));
        keys.chain(self.prefixes.into_names().into_iter().map(|(name, what)| (true, name, what)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use workyard_protocol::Key;

    fn prefix(name: &str) -> WatchTopic<'_> {
        WatchTopic::Prefix(Key::new(name).unwrap())
    }

    fn covering(topics: &Topics<&'static str>, key: &str) -> Vec<&'static str> {
        let mut found = Vec::new();
        topics.covering(key.as_bytes(), |what| found.push(*what));
        found
    }

    #[test]
    fn every_prefix_of_a_key_is_found_and_no_other() {
        let names = ["", "a", "ab", "abc", "abd", "abcde", "abz", "b", "aa", "abca", "abcdz"];
        let mut topics = Topics::default();
        for name in names {
            topics.insert(prefix(name), name);
        }
        topics.insert(WatchTopic::Key(Key::new("abcd").unwrap()), "the key");
        for key in ["", "a", "abc", "abcd", "abcdef", "abcdy", "abczz", "ac", "b", "c", "abdz"] {
            let mut expected: Vec<_> =
                names.into_iter().filter(|name| key.starts_with(name)).collect();
            expected.sort_by_key(|name| name.len());
            if key == "abcd" {
                expected.insert(0, "the key");
            }
            assert_eq!(covering(&topics, key), expected, "{key}");
        }
        assert_eq!(topics.remove(prefix("abc")), Some("abc"));
        assert_eq!(covering(&topics, "abc"), ["", "a", "ab"]);
    }
}
