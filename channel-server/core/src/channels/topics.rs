//! Everything that somebody subscribed to: channels by name, and patterns.

use super::audience::Audience;
use super::trie::Trie;
use crate::named::Named;
use std::ops::{Index, IndexMut};
use workyard_protocol::channel::Topic;
use workyard_protocol::{ChannelName, Pattern};

/// Stands for one channel or one pattern as long as somebody subscribes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TopicId(u32);

/// The bit that tells a pattern from a channel, so that an id takes four bytes and not eight.
const PATTERN: u32 = 1 << 31;

/// The audiences of all channels and patterns.
#[derive(Debug)]
pub(crate) struct Topics {
    channels: Named<Audience>,
    patterns: Named<Audience>,
    trie: Trie,
}

impl Topics {
    pub(crate) fn new() -> Self {
        Self { channels: Named::new(), patterns: Named::new(), trie: Trie::new() }
    }

    /// How many channels there are.
    pub(crate) fn channels(&self) -> usize {
        self.channels.len()
    }

    /// How many patterns there are.
    pub(crate) fn patterns(&self) -> usize {
        self.patterns.len()
    }

    /// The bytes of all their names together.
    pub(crate) fn name_bytes(&self) -> usize {
        self.channels.name_bytes() + self.patterns.name_bytes()
    }

    /// The channel of this name, if somebody subscribed to it.
    pub(crate) fn channel(&self, name: ChannelName<'_>) -> Option<TopicId> {
        self.channels.find(name.as_bytes()).map(TopicId)
    }

    /// The channel or pattern, if somebody subscribed to it.
    pub(crate) fn find(&self, topic: Topic<'_>) -> Option<TopicId> {
        match topic {
            Topic::Channel(name) => self.channel(name),
            Topic::Pattern(pattern) => {
                self.patterns.find(pattern.as_bytes()).map(TopicId::of_pattern)
            }
        }
    }

    /// The channel or pattern of an id.
    pub(crate) fn topic(&self, id: TopicId) -> Topic<'_> {
        const KNOWN: &str = "it was one when it came";
        match id.pattern() {
            None => Topic::Channel(ChannelName::new(self.channels.name(id.0)).expect(KNOWN)),
            Some(at) => Topic::Pattern(Pattern::new(self.patterns.name(at)).expect(KNOWN)),
        }
    }

    /// Adds a channel or pattern, without audience, that nobody subscribed to.
    pub(crate) fn add(&mut self, topic: Topic<'_>) -> TopicId {
        match topic {
            Topic::Channel(name) => TopicId(self.channels.insert(name.as_bytes(), Audience::new())),
            Topic::Pattern(pattern) => {
                let at = self.patterns.insert(pattern.as_bytes(), Audience::new());
                self.trie.insert(pattern, at);
                TopicId::of_pattern(at)
            }
        }
    }

    /// Forgets a channel or pattern.
    pub(crate) fn remove(&mut self, id: TopicId) {
        let Some(at) = id.pattern() else {
            self.channels.remove(id.0);
            return;
        };
        let name = self.patterns.remove(at);
        self.trie.remove(Pattern::new(&name).expect("it was a pattern when it came"));
    }

    /// Lists the channel of this name, if anybody subscribed to it, and then every pattern that
    /// matches it.
    pub(crate) fn matching(&self, name: ChannelName<'_>, found: &mut Vec<TopicId>) {
        found.extend(self.channel(name));
        self.trie.matching(name.as_bytes(), |at| found.push(TopicId::of_pattern(at)));
    }
}

impl TopicId {
    /// No topic's.
    pub(crate) const NONE: Self = Self(u32::MAX);

    fn of_pattern(at: u32) -> Self {
        Self(at | PATTERN)
    }

    /// Whether it is a pattern's.
    pub(crate) fn is_pattern(self) -> bool {
        self.pattern().is_some()
    }

    fn pattern(self) -> Option<u32> {
        (self.0 & PATTERN != 0).then_some(self.0 & !PATTERN)
    }
}

impl Index<TopicId> for Topics {
    type Output = Audience;

    fn index(&self, id: TopicId) -> &Audience {
        match id.pattern() {
            None => &self.channels[id.0],
            Some(at) => &self.patterns[at],
        }
    }
}

impl IndexMut<TopicId> for Topics {
    fn index_mut(&mut self, id: TopicId) -> &mut Audience {
        match id.pattern() {
            None => &mut self.channels[id.0],
            Some(at) => &mut self.patterns[at],
        }
    }
}
