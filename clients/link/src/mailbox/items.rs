//! What is in a mailbox, and its bounds.

use std::collections::VecDeque;

/// Items that wait to be taken, oldest first. Each has a place, which the next one is behind of.
#[derive(Debug)]
pub struct Items<T> {
    items_max: usize,
    bytes_max: usize,
    queue: VecDeque<(usize, T)>,
    bytes: usize,
    /// The place of the first.
    first: u64,
}

impl<T> Items<T> {
    pub(super) fn new(items_max: usize, bytes_max: usize) -> Self {
        Self { items_max, bytes_max, queue: VecDeque::new(), bytes: 0, first: 0 }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether there is room for one more. One that alone is above the limit fits when nothing else is in.
    #[must_use]
    pub fn fits(&self, bytes: usize) -> bool {
        let room = self.bytes.saturating_add(bytes) <= self.bytes_max || self.queue.is_empty();
        room && self.queue.len() < self.items_max
    }

    /// Whether there are more bytes than there should be, and not of one item alone.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.bytes > self.bytes_max && self.queue.len() > 1
    }

    /// Whether at most half of either bound is used.
    #[must_use]
    pub fn is_half_empty(&self) -> bool {
        self.queue.len() <= self.items_max / 2 && self.bytes <= self.bytes_max / 2
    }

    /// Puts one behind all others. Returns its place.
    pub fn push(&mut self, bytes: usize, item: T) -> u64 {
        self.bytes += bytes;
        self.queue.push_back((bytes, item));
        self.first + self.queue.len() as u64 - 1
    }

    /// Takes the oldest out.
    pub fn pop(&mut self) -> Option<T> {
        let (bytes, item) = self.queue.pop_front()?;
        self.bytes -= bytes;
        self.first += 1;
        Some(item)
    }

    /// The oldest, to change it.
    pub fn first_mut(&mut self) -> Option<&mut T> {
        self.queue.front_mut().map(|(_, item)| item)
    }

    /// The one in a place, if it was not taken yet.
    #[must_use]
    pub fn get(&self, place: u64) -> Option<&T> {
        self.queue.get(self.at(place)?).map(|(_, item)| item)
    }

    /// Puts one in the place of another, and returns that. Nothing is put where nothing is.
    pub fn replace(&mut self, place: u64, bytes: usize, item: T) -> Option<T> {
        let at = self.at(place)?;
        let slot = self.queue.get_mut(at)?;
        self.bytes = self.bytes - slot.0 + bytes;
        Some(std::mem::replace(slot, (bytes, item)).1)
    }

    /// Takes all out, to be put in again: places begin anew.
    pub fn take_all(&mut self) -> Vec<T> {
        self.bytes = 0;
        self.queue.drain(..).map(|(_, item)| item).collect()
    }

    fn at(&self, place: u64) -> Option<usize> {
        place.checked_sub(self.first).and_then(|at| usize::try_from(at).ok())
    }
}
