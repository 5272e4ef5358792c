//! Who watches what, found by a key without a look at the topics that do not concern it.

use super::WatcherId;
use super::feed::Topic;
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Default)]
pub(super) struct Index {
    keys: HashMap<Bytes, Vec<WatcherId>>,
    /// By the length of the prefix: a key is looked up once for each length that there is.
    prefixes: BTreeMap<usize, HashMap<Bytes, Vec<WatcherId>>>,
}

impl Index {
    pub(super) fn add(&mut self, topic: &Topic, id: WatcherId) {
        let same = match topic {
            Topic::Key(key) => self.keys.entry(key.clone()),
            Topic::Prefix(prefix) => {
                self.prefixes.entry(prefix.len()).or_default().entry(prefix.clone())
            }
        };
        same.or_default().push(id);
    }

    pub(super) fn remove(&mut self, topic: &Topic, id: WatcherId) {
        match topic {
            Topic::Key(key) => remove(&mut self.keys, key, id),
            Topic::Prefix(prefix) => {
                let Some(same) = self.prefixes.get_mut(&prefix.len()) else { return };
                remove(same, prefix, id);
                if same.is_empty() {
                    self.prefixes.remove(&prefix.len());
                }
            }
        }
    }

    /// Those who watch exactly this.
    pub(super) fn of(&self, topic: &Topic) -> &[WatcherId] {
        let same = match topic {
            Topic::Key(key) => self.keys.get(key),
            Topic::Prefix(prefix) => {
                self.prefixes.get(&prefix.len()).and_then(|same| same.get(prefix))
            }
        };
        same.map_or(&[], Vec::as_slice)
    }

    /// Those whose topics cover a key.
    pub(super) fn covering(&self, key: &[u8]) -> impl Iterator<Item = WatcherId> {
        let prefixes = self.prefixes.range(..=key.len());
        let prefixes = prefixes.filter_map(|(length, same)| same.get(&key[..*length]));
        self.keys.get(key).into_iter().chain(prefixes).flatten().copied()
    }
}

fn remove(all: &mut HashMap<Bytes, Vec<WatcherId>>, name: &Bytes, id: WatcherId) {
    if let Some(ids) = all.get_mut(name) {
        ids.retain(|other| *other != id);
        if ids.is_empty() {
            all.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_covered_by_itself_and_by_whatever_it_begins_with() {
        let topics = [
            Topic::Key(Bytes::from("ab")),
            Topic::Prefix(Bytes::from("ab")),
            Topic::Prefix(Bytes::from("a")),
            Topic::Prefix(Bytes::new()),
            Topic::Prefix(Bytes::from("b")),
            Topic::Prefix(Bytes::from("abc")),
        ];
        let mut index = Index::default();
        for (topic, id) in topics.iter().zip(0..) {
            index.add(topic, id);
        }
        let covering = |index: &Index, key: &str| {
            let mut ids: Vec<_> = index.covering(key.as_bytes()).collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!(covering(&index, "ab"), [0, 1, 2, 3]);
        assert_eq!(covering(&index, "abcd"), [1, 2, 3, 5]);
        assert_eq!(covering(&index, ""), [3]);
        assert_eq!(covering(&index, "b"), [3, 4]);
        index.remove(&topics[1], 1);
        assert_eq!(covering(&index, "ab"), [0, 2, 3]);
        assert_eq!((index.of(&topics[1]), index.of(&topics[2])), (&[][..], &[2][..]));
    }
}
