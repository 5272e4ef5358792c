//! `watch` and `unwatch`: which changes a session wants to hear of.

use crate::Key;
use crate::wire::{self, DecodeError, List};
use bincode::{BorrowDecode, Encode};

pub(super) const WATCH: u8 = 0x39;
pub(super) const UNWATCH: u8 = 0x3A;

/// Tells the session of every change of these variables; answered by `Watching`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch<'a> {
    /// Names this request in the pushes that bring what it asks to be told again.
    pub watch: u32,
    /// What is watched from now on, beside what the session watches already.
    pub topics: Vec<WatchTopic<'a>>,
    /// Whether the pushes bring the values too.
    pub values: bool,
    /// The revision after which changes are told again; nothing: changes from now on.
    pub after: Option<u64>,
}

/// Tells the session no more of the changes of these variables; answered by `Unwatched`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwatch<'a> {
    /// What is watched no more, exactly as it was when it began.
    pub topics: Vec<WatchTopic<'a>>,
}

/// Which variables are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WatchTopic<'a> {
    /// The one of this name.
    Key(Key<'a>),
    /// All whose names begin so.
    Prefix(Key<'a>),
}

/// How a watch began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, bincode::Decode)]
pub enum Watching {
    /// The changes after this revision will be told, and those told again up to it.
    From(u64),
    /// Nothing is watched: changes after the revision asked for are known no more, or it is of another
    /// epoch. Those after this one are.
    Compacted(u64),
}

#[derive(Encode, BorrowDecode)]
enum TopicHeader<'a> {
    Key(&'a [u8]),
    Prefix(&'a [u8]),
}

impl<'a> Watch<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.watch, headers(&self.topics), self.values, self.after));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        type Header<'a> = (u32, List<TopicHeader<'a>>, bool, Option<u64>);
        let (watch, topics, values, after): Header<'a> = wire::take_all(body, "watch")?;
        Ok(Self { watch, topics: decode_topics(topics)?, values, after })
    }
}

impl<'a> Unwatch<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, headers(&self.topics));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(Self { topics: decode_topics(wire::take_all(body, "unwatch")?)? })
    }
}

impl<'a> WatchTopic<'a> {
    /// The key, or how the keys begin.
    #[must_use]
    pub fn name(self) -> Key<'a> {
        match self {
            Self::Key(name) | Self::Prefix(name) => name,
        }
    }
}

fn headers<'a>(topics: &[WatchTopic<'a>]) -> List<TopicHeader<'a>> {
    let header = |topic: &WatchTopic<'a>| match topic {
        WatchTopic::Key(key) => TopicHeader::Key(key.as_bytes()),
        WatchTopic::Prefix(prefix) => TopicHeader::Prefix(prefix.as_bytes()),
    };
    List(topics.iter().map(header).collect())
}

fn decode_topics(List(topics): List<TopicHeader<'_>>) -> Result<Vec<WatchTopic<'_>>, DecodeError> {
    let decode = |header| {
        Ok(match header {
            TopicHeader::Key(key) => WatchTopic::Key(Key::new(key)?),
            TopicHeader::Prefix(prefix) => WatchTopic::Prefix(Key::new(prefix)?),
        })
    };
    topics.into_iter().map(decode).collect()
}
