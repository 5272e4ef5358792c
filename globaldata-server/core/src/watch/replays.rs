//! What a session wants to be told again, found in its order and by topic.

use super::follower::Cursor;
use super::topic;
use super::topics::Topics;
use std::collections::{BTreeMap, VecDeque};
use workyard_protocol::globaldata::{Watch, WatchTopic};

/// One session's requests to be told again, which are told one after the other.
#[derive(Default)]
pub(super) struct Replays {
    /// By numbers that grow.
    queue: BTreeMap<u64, Replay>,
    /// Which of them have a topic, in the same order: a topic that is ended costs what it was in.
    having: Topics<VecDeque<u64>>,
    last: u64,
}

/// What a request wants to be told again. It is live when that is done.
pub(super) struct Replay {
    pub(super) watch: u32,
    pub(super) topics: Topics<()>,
    pub(super) values: bool,
    pub(super) cursor: Cursor,
}

/// A topic's kind and name.
pub(super) type Named = (bool, Box<[u8]>);

impl Replays {
    pub(super) fn push(&mut self, request: &Watch<'_>, cursor: Cursor) {
        self.last += 1;
        let mut topics = Topics::default();
        for topic in &request.topics {
            topics.insert(*topic, ());
            match self.having.get_mut(*topic) {
                Some(numbers) => numbers.push_back(self.last),
                None => drop(self.having.insert(*topic, VecDeque::from([self.last]))),
            }
        }
        let &Watch { watch, values, .. } = request;
        self.queue.insert(self.last, Replay { watch, topics, values, cursor });
    }

    pub(super) fn first(&mut self) -> Option<&mut Replay> {
        self.queue.first_entry().map(std::collections::btree_map::OccupiedEntry::into_mut)
    }

    /// Ends the first one, and returns its topics.
    pub(super) fn end_first(&mut self) -> Vec<Named> {
        let Some((number, replay)) = self.queue.pop_first() else { return Vec::new() };
        let topics = replay.topics.into_names().map(|(is_prefix, name, ())| (is_prefix, name));
        let topics: Vec<Named> = topics.collect();
        for (is_prefix, name) in &topics {
            let topic = topic(*is_prefix, name);
            let numbers = self.having.get_mut(topic).expect("each topic knows where it is");
            assert_eq!(numbers.pop_front(), Some(number), "they end in their order");
            if numbers.is_empty() {
                self.having.remove(topic);
            }
        }
        topics
    }

    /// Takes a topic out of all of them; one without topics is no more. How many had it.
    pub(super) fn remove(&mut self, topic: WatchTopic<'_>) -> usize {
        let Some(numbers) = self.having.remove(topic) else { return 0 };
        for number in &numbers {
            let replay = self.queue.get_mut(number).expect("it has the topic");
            replay.topics.remove(topic);
            if replay.topics.is_empty() {
                self.queue.remove(number);
            }
        }
        numbers.len()
    }
}
