//! Things found by a small index, in chunks that never move: to grow copies nothing, and leaves no
//! smaller table behind.

use std::array::from_fn;
use std::mem::replace;
use std::ops::{Index, IndexMut};

/// Places of a chunk: so few that an empty table costs little, so many that the list of chunks is short.
const CHUNK_PLACES: usize = 64;

/// A table in which each thing has an index until it is taken out. Then another one may have it: the one
/// that was left last is used first.
#[derive(Debug)]
pub struct Slots<T> {
    chunks: Vec<Box<[Place<T>; CHUNK_PLACES]>>,
    /// The place that is used next; the one behind all others if all are in use.
    vacant: u32,
    len: usize,
}

#[derive(Debug)]
enum Place<T> {
    Used(T),
    /// Which place is used after this one: so small that it hides in most things.
    Vacant(u32),
}

impl<T> Slots<T> {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { chunks: Vec::new(), vacant: 0, len: 0 }
    }

    /// How many things there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many things there is memory for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.chunks.len() * CHUNK_PLACES
    }

    /// The index that the next thing will have.
    #[must_use]
    pub fn next_index(&self) -> usize {
        self.vacant as usize
    }

    /// Adds a thing and returns its index.
    ///
    /// # Panics
    /// When there are more things than a `u32` counts.
    pub fn insert(&mut self, thing: T) -> usize {
        let index = self.next_index();
        if index == self.capacity() {
            self.grow();
        }
        match replace(self.place_mut(index), Place::Used(thing)) {
            Place::Vacant(next) => self.vacant = next,
            Place::Used(_) => unreachable!("the list of vacant places holds only those"),
        }
        self.len += 1;
        index
    }

    /// Takes a thing out.
    ///
    /// # Panics
    /// When there is none of this index.
    pub fn remove(&mut self, index: usize) -> T {
        let next = self.vacant;
        match replace(self.place_mut(index), Place::Vacant(next)) {
            Place::Used(thing) => {
                self.vacant = link(index);
                self.len -= 1;
                thing
            }
            Place::Vacant(_) => panic!("nothing has the index {index}"),
        }
    }

    /// The thing of this index, if there is one.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> Option<&T> {
        self.chunks.get(index / CHUNK_PLACES)?[index % CHUNK_PLACES].used()
    }

    /// The same, to change it.
    #[must_use]
    #[inline]
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.chunks.get_mut(index / CHUNK_PLACES)?[index % CHUNK_PLACES].used_mut()
    }

    /// All things with their indices, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let places = self.chunks.iter().flat_map(|chunk| chunk.iter());
        places.enumerate().filter_map(|(index, place)| Some((index, place.used()?)))
    }

    /// The same, to change them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut T)> {
        let places = self.chunks.iter_mut().flat_map(|chunk| chunk.iter_mut());
        places.enumerate().filter_map(|(index, place)| Some((index, place.used_mut()?)))
    }

    /// The index behind the last thing: what is looked at is what is vacant behind it.
    #[must_use]
    pub fn end(&self) -> usize {
        let chunks = self.chunks.iter().enumerate().rev();
        let mut ends = chunks.filter_map(|(at, chunk)| {
            let last = chunk.iter().rposition(|place| place.used().is_some())?;
            Some(at * CHUNK_PLACES + last + 1)
        });
        ends.next().unwrap_or(0)
    }

    /// Gives back the memory behind the last thing, if there is any. Then it looks at every place, and the
    /// lowest are used first from then on: so there is the more to give back the next time.
    pub fn shrink(&mut self) {
        let kept = self.end().div_ceil(CHUNK_PLACES);
        if kept == self.chunks.len() {
            return;
        }
        self.chunks.truncate(kept);
        self.chunks.shrink_to_fit();
        self.vacant = link(self.capacity());
        for (chunk_at, chunk) in self.chunks.iter_mut().enumerate().rev() {
            for (at, place) in chunk.iter_mut().enumerate().rev() {
                if let Place::Vacant(next) = place {
                    *next = replace(&mut self.vacant, link(chunk_at * CHUNK_PLACES + at));
                }
            }
        }
    }

    #[cold]
    fn grow(&mut self) {
        let begin = self.capacity();
        let places = from_fn(|at| Place::Vacant(link(begin + at + 1)));
        self.chunks.push(Box::new(places));
    }

    fn place_mut(&mut self, index: usize) -> &mut Place<T> {
        &mut self.chunks[index / CHUNK_PLACES][index % CHUNK_PLACES]
    }
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Index<usize> for Slots<T> {
    type Output = T;

    /// # Panics
    /// When nothing has this index.
    #[inline]
    fn index(&self, index: usize) -> &T {
        self.get(index).expect("whoever has an index has it of a thing that is there")
    }
}

impl<T> IndexMut<usize> for Slots<T> {
    #[inline]
    fn index_mut(&mut self, index: usize) -> &mut T {
        self.get_mut(index).expect("whoever has an index has it of a thing that is there")
    }
}

impl<T> Place<T> {
    #[inline]
    fn used(&self) -> Option<&T> {
        match self {
            Self::Used(thing) => Some(thing),
            Self::Vacant(_) => None,
        }
    }

    #[inline]
    fn used_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Used(thing) => Some(thing),
            Self::Vacant(_) => None,
        }
    }
}

fn link(index: usize) -> u32 {
    u32::try_from(index).expect("limits keep tables below four thousand million")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn things<T: Copy>(slots: &Slots<T>) -> Vec<(usize, T)> {
        slots.iter().map(|(index, thing)| (index, *thing)).collect()
    }

    #[test]
    fn a_vacant_place_takes_no_room_beside_a_thing_that_has_some() {
        assert_eq!(size_of::<Place<(Box<[u8]>, u64)>>(), 24);
    }

    #[test]
    fn what_was_left_last_is_used_first() {
        let mut slots = Slots::new();
        for thing in 0..200 {
            assert_eq!((slots.next_index(), slots.insert(thing)), (thing, thing));
        }
        assert_eq!([70, 3, 199].map(|index| slots.remove(index)), [70, 3, 199]);
        assert_eq!((slots.len(), slots.get(3), slots.get(4)), (197, None, Some(&4)));
        assert_eq!(slots.get_mut(70), None);
        assert_eq!([0; 4].map(|thing| slots.insert(thing)), [199, 3, 70, 200]);
        slots[70] += 7;
        assert_eq!((slots[70], slots.len(), slots.get(9999)), (7, 201, None));
    }

    #[test]
    fn a_crowd_that_leaves_takes_the_memory_behind_the_last_along() {
        let mut slots = Slots::new();
        (0..1000).for_each(|thing| assert_eq!(slots.insert(thing), thing));
        (0..1000).filter(|index| ![1, 65].contains(index)).for_each(|index| {
            slots.remove(index);
        });
        slots.shrink();
        assert_eq!((things(&slots), slots.capacity()), (vec![(1, 1), (65, 65)], 128));
        let filled: Vec<usize> = (0..127).map(|_| slots.insert(0)).collect();
        let expected = (0..129).filter(|index| ![1, 65].contains(index));
        assert!(filled.iter().copied().eq(expected), "the lowest first: {filled:?}");
        assert_eq!(slots.end(), 129);
        for (_, thing) in slots.iter_mut() {
            *thing = 5;
        }
        assert!(slots.iter().all(|(_, thing)| *thing == 5));
    }

    #[test]
    fn where_nothing_can_be_given_back_all_stays_as_it_is() {
        let mut slots = Slots::new();
        (0..1000).for_each(|thing| assert_eq!(slots.insert(thing), thing));
        (0..999).for_each(|index| assert_eq!(slots.remove(index), index));
        slots.shrink();
        assert_eq!((slots.capacity(), slots.end(), slots.next_index()), (1024, 1000, 998));
        slots.remove(999);
        assert_eq!(slots.end(), 0);
        slots.shrink();
        assert_eq!((slots.capacity(), slots.next_index()), (0, 0));
    }

    #[test]
    #[should_panic(expected = "nothing has the index 1")]
    fn nothing_is_taken_out_twice() {
        let mut slots = Slots::new();
        (0..2).for_each(|_| assert!(slots.insert(()) < 2));
        slots.remove(1);
        slots.remove(1);
    }
}
