//! The newest messages of one channel, their bytes one behind the other.

use std::collections::VecDeque;
use workyard_engine::Time;
use workyard_protocol::{Encoding, ValueRef};

/// Memory is given back when this many times as much is held as is used.
const SLACK_FACTOR: usize = 4;

/// Below this many bytes, memory is not worth giving back.
const SHRINK_BYTES_MIN: usize = 4096;

/// Messages that stand in a row: added behind, taken away in front.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    kept: VecDeque<Kept>,
    bytes: VecDeque<u8>,
    /// Where the first byte stands of all that there ever were.
    begin: u64,
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
    Bytes { encoding: Encoding, begin: u64, length: usize },
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

    /// Adds the newest message.
    pub(crate) fn push(&mut self, position: u64, at: Time, value: ValueRef<'_>) {
        let content = match value {
            ValueRef::Int(int) => Content::Int(int),
            ValueRef::Float(float) => Content::Float(float),
            ValueRef::Encoded { encoding, bytes } => {
                let begin = self.begin + self.bytes.len() as u64;
                self.bytes.extend(bytes);
                Content::Bytes { encoding, begin, length: bytes.len() }
            }
        };
        self.kept.push_back(Kept { position, at, content });
    }

    /// Takes the oldest message away.
    pub(crate) fn pop(&mut self) -> Option<Kept> {
        let kept = self.kept.pop_front()?;
        self.gone = kept.position;
        let length = kept.byte_len();
        self.bytes.drain(..length);
        self.begin += length as u64;
        if self.bytes.capacity() > SHRINK_BYTES_MIN.max(SLACK_FACTOR * self.bytes.len()) {
            self.bytes.shrink_to(2 * self.bytes.len());
        }
        if self.kept.is_empty() {
            self.kept = VecDeque::new();
        }
        Some(kept)
    }

    /// What a message says; `scratch` is there for one that does not lie in one piece.
    pub(crate) fn value<'a>(&'a self, kept: &Kept, scratch: &'a mut Vec<u8>) -> ValueRef<'a> {
        match kept.content {
            Content::Int(int) => ValueRef::Int(int),
            Content::Float(float) => ValueRef::Float(float),
            Content::Bytes { encoding, begin, length } => {
                let begin = usize::try_from(begin - self.begin).expect("it lies in memory");
                ValueRef::Encoded { encoding, bytes: self.bytes(begin, length, scratch) }
            }
        }
    }

    fn bytes<'a>(&'a self, begin: usize, length: usize, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        let (front, back) = self.bytes.as_slices();
        let end = begin + length;
        if end <= front.len() {
            return &front[begin..end];
        }
        if begin >= front.len() {
            return &back[begin - front.len()..end - front.len()];
        }
        scratch.clear();
        scratch.extend_from_slice(&front[begin..]);
        scratch.extend_from_slice(&back[..end - front.len()]);
        scratch
    }
}

impl Kept {
    /// The bytes that its value takes in the ring.
    pub(crate) fn byte_len(&self) -> usize {
        match self.content {
            Content::Bytes { length, .. } => length,
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
            }
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
        assert!(ring.bytes.capacity() <= SHRINK_BYTES_MIN, "{}", ring.bytes.capacity());
        ring.pop();
        assert!(ring.is_empty() && ring.pop().is_none());
    }
}
