//! The newest messages of one channel, their bytes one behind the other.

use super::byte_row::ByteRow;
use std::collections::VecDeque;
use workyard_engine::Time;
use workyard_protocol::{Encoding, ValueRef};

/// Memory is given back when this many times as much is held as is used.
const SLACK_FACTOR: usize = 4;

/// Below this many messages, memory is not worth giving back.
const SHRINK_COUNT_MIN: usize = 128;

/// Messages that stand in a row: added behind, taken away in front.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    kept: VecDeque<Kept>,
    bytes: ByteRow,
    /// The position of the last message that was taken away, 0 before the first.
    gone: u64,
}

/// A message that is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    /// Its number among everything that was kept.
    pub(crate) position: u64,
    /// When it was published.
    pub(crate) at: Time,
    content: Content,
}

#[derive(Clone, Copy, Debug)]
enum Content {
    Int(i64),
    Float(f64),
    Bytes { encoding: Encoding, length: u32, begin: usize },
}

impl Ring {
    /// How many messages there are.
    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The bytes of their values together, numbers apart.
    pub(crate) fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// The position of the last message that was taken away, 0 before the first.
    pub(crate) fn gone(&self) -> u64 {
        self.gone
    }

    /// The oldest message.
    pub(crate) fn first(&self) -> Option<&Kept> {
        self.kept.front()
    }

    /// The message of a place, counted from the oldest.
    pub(crate) fn get(&self, index: usize) -> Option<&Kept> {
        self.kept.get(index)
    }

    /// How many messages have a position up to this one.
    pub(crate) fn count_to(&self, position: u64) -> usize {
        self.kept.partition_point(|kept| kept.position <= position)
    }

    /// Adds the newest message. Returns the bytes that its value takes here.
    pub(crate) fn push(&mut self, position: u64, at: Time, value: ValueRef<'_>) -> usize {
        let content = match value {
            ValueRef::Int(int) => Content::Int(int),
            ValueRef::Float(float) => Content::Float(float),
            ValueRef::Encoded { encoding, bytes } => {
                let length = u32::try_from(bytes.len()).expect("a frame's length has four bytes");
                Content::Bytes { encoding, length, begin: self.bytes.push(bytes) }
            }
        };
        let kept = Kept { position, at, content };
        self.kept.push_back(kept);
        kept.byte_len()
    }

    /// Takes the oldest message away.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Kept> {
        let kept = self.kept.pop_front()?;
        self.gone = kept.position;
        self.bytes.pop(kept.byte_len());
        if self.kept.capacity() > SHRINK_COUNT_MIN.max(SLACK_FACTOR * self.kept.len()) {
            self.shrink();
        }
        Some(kept)
    }

    #[cold]
    fn shrink(&mut self) {
        self.kept.shrink_to(2 * self.kept.len());
    }

    /// Gives the memory back that nothing is left in.
    pub(crate) fn give_back(&mut self) {
        assert!(self.is_empty(), "nothing is forgotten but message by message");
        (self.kept, self.bytes) = (VecDeque::new(), ByteRow::default());
    }

    /// What a message says; `scratch` is there for one that does not lie in one piece.
    pub(crate) fn value<'a>(&'a self, kept: &Kept, scratch: &'a mut Vec<u8>) -> ValueRef<'a> {
        match kept.content {
            Content::Int(int) => ValueRef::Int(int),
            Content::Float(float) => ValueRef::Float(float),
            Content::Bytes { encoding, length, begin } => {
                let bytes = self.bytes.get(begin, length as usize, scratch);
                ValueRef::Encoded { encoding, bytes }
            }
        }
    }
}

impl Kept {
    /// The bytes that its value takes in the ring.
    pub(crate) fn byte_len(&self) -> usize {
        match self.content {
            Content::Bytes { length, .. } => length as usize,
            Content::Int(_) | Content::Float(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_what_it_was_wherever_it_lies() {
        let mut ring = Ring::default();
        let mut scratch = Vec::new();
        let text = |number: u64| vec![number as u8; (number * 37 % 101) as usize];
        for number in 1..2000u64 {
            match number % 5 {
                0 => ring.push(number, Time::default(), ValueRef::Int(number as i64)),
                1 => ring.push(number, Time::default(), ValueRef::Float(number as f64)),
                _ => ring.push(number, Time::default(), ValueRef::raw(&text(number))),
            };
            if ring.len() > 10 {
                assert_eq!(ring.pop().unwrap().position, number - 10);
                assert_eq!(ring.gone(), number - 10);
            }
            let mut bytes = 0;
            for index in 0..ring.len() {
                let kept = *ring.get(index).unwrap();
                bytes += kept.byte_len();
                let number = kept.position;
                let text = text(number);
                let expected = match number % 5 {
                    0 => ValueRef::Int(number as i64),
                    1 => ValueRef::Float(number as f64),
                    _ => ValueRef::raw(&text),
                };
                assert_eq!(ring.value(&kept, &mut scratch), expected);
            }
            assert_eq!(ring.byte_len(), bytes);
        }
        assert_eq!((ring.count_to(1989), ring.count_to(1990), ring.count_to(9999)), (0, 1, 10));
    }

    #[test]
    fn what_was_large_gives_its_memory_back() {
        let mut ring = Ring::default();
        ring.push(1, Time::default(), ValueRef::raw(&vec![1; 1 << 20]));
        ring.push(2, Time::default(), ValueRef::raw(b"small"));
        ring.pop();
        assert!(ring.bytes.memory_len() <= 4096, "{}", ring.bytes.memory_len());
        ring.pop();
        assert!(ring.is_empty() && ring.pop().is_none());
        ring.give_back();
        assert_eq!((ring.kept.capacity(), ring.bytes.memory_len()), (0, 0));
        for number in 0..10_000 {
            ring.push(number, Time::default(), ValueRef::Int(0));
        }
        for _ in 1..10_000 {
            ring.pop();
        }
        assert!(ring.kept.capacity() <= SHRINK_COUNT_MIN, "{}", ring.kept.capacity());
    }
}
