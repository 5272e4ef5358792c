//! Where entries lie: slots that never move, in chunks, so that growing copies nothing.

use crate::entry::Entry;

/// Slots of a chunk: 32 KiB together, which an allocator gives and takes back cheaply.
const CHUNK_SLOTS: u32 = 1024;

/// The end of a chunk's list of free slots.
const NONE: u32 = u32::MAX;

/// The place of an entry, for as long as it exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Slot(u32);

/// All entries.
#[derive(Default)]
pub(crate) struct Arena {
    chunks: Vec<Chunk>,
    /// Chunks with room, and perhaps some that have none any more.
    open: Vec<u32>,
}

/// What a scan finds at a position.
pub(crate) enum Seen<'a> {
    /// An entry.
    Entry(&'a Entry),
    /// Nothing here, nor before the position given.
    Nothing(u64),
    /// Nothing here nor behind it.
    End,
}

/// Some slots side by side. Its memory comes with its first entry and goes with its last.
struct Chunk {
    places: Vec<Place>,
    /// How many places are used.
    used: u32,
    /// The place freed last, or `NONE`.
    free: u32,
    /// Whether `open` has this chunk.
    listed: bool,
}

enum Place {
    Used(Entry),
    Free { next: u32 },
}

const _: () = assert!(size_of::<Place>() == 32, "a free place hides in the entry's pointer");

impl Arena {
    pub(crate) fn entry(&self, slot: Slot) -> &Entry {
        let (chunk, place) = slot.split();
        match &self.chunks[chunk].places[place] {
            Place::Used(entry) => entry,
            Place::Free { .. } => unreachable!("slots are held of entries that exist"),
        }
    }

    pub(crate) fn entry_mut(&mut self, slot: Slot) -> &mut Entry {
        let (chunk, place) = slot.split();
        match &mut self.chunks[chunk].places[place] {
            Place::Used(entry) => entry,
            Place::Free { .. } => unreachable!("slots are held of entries that exist"),
        }
    }

    /// Whether an entry is here that a batch deleted.
    pub(crate) fn holds_gone(&self, slot: Slot) -> bool {
        let (chunk, place) = slot.split();
        let place = self.chunks[chunk].places.get(place);
        matches!(place, Some(Place::Used(entry)) if entry.is_gone())
    }

    /// Finds a place for an entry.
    pub(crate) fn insert(&mut self, entry: Entry) -> Slot {
        let chunk = self.open_chunk();
        let place = self.chunks[chunk as usize].put(entry);
        Slot(chunk * CHUNK_SLOTS + place)
    }

    /// Takes an entry out, and gives its chunk's memory back when it was the last one there.
    pub(crate) fn remove(&mut self, slot: Slot) -> Entry {
        let (chunk, place) = slot.split();
        let index = u32::try_from(chunk).expect("a part of a u32");
        let chunk = &mut self.chunks[chunk];
        if !chunk.listed {
            chunk.listed = true;
            self.open.push(index);
        }
        let entry = chunk.take(place);
        if chunk.used == 0 {
            chunk.places = Vec::new();
            chunk.free = NONE;
        }
        entry
    }

    /// Looks at one position; they are counted from 0.
    pub(crate) fn look(&self, position: u64) -> Seen<'_> {
        let Ok(slot) = u32::try_from(position) else { return Seen::End };
        let (index, place) = Slot(slot).split();
        let Some(chunk) = self.chunks.get(index) else { return Seen::End };
        match chunk.places.get(place) {
            Some(Place::Used(entry)) => Seen::Entry(entry),
            Some(Place::Free { .. }) => Seen::Nothing(position + 1),
            None if index + 1 == self.chunks.len() => Seen::End,
            None => Seen::Nothing((position | u64::from(CHUNK_SLOTS - 1)) + 1),
        }
    }

    fn open_chunk(&mut self) -> u32 {
        while let Some(&index) = self.open.last() {
            let chunk = &mut self.chunks[index as usize];
            if chunk.used < CHUNK_SLOTS {
                return index;
            }
            chunk.listed = false;
            self.open.pop();
        }
        let index = u32::try_from(self.chunks.len()).expect("slots are bounded by keys_max, a u32");
        self.chunks.push(Chunk { places: Vec::new(), used: 0, free: NONE, listed: true });
        self.open.push(index);
        index
    }
}

impl Chunk {
    fn put(&mut self, entry: Entry) -> u32 {
        self.used += 1;
        match self.free {
            NONE => self.append(entry),
            place => {
                let used = Place::Used(entry);
                match std::mem::replace(&mut self.places[place as usize], used) {
                    Place::Free { next } => self.free = next,
                    Place::Used(_) => unreachable!("the list of free places holds only those"),
                }
                place
            }
        }
    }

    fn append(&mut self, entry: Entry) -> u32 {
        if self.places.is_empty() {
            self.places.reserve_exact(CHUNK_SLOTS as usize);
        }
        self.places.push(Place::Used(entry));
        self.used - 1
    }

    fn take(&mut self, place: usize) -> Entry {
        let free = Place::Free { next: self.free };
        match std::mem::replace(&mut self.places[place], free) {
            Place::Used(entry) => {
                self.used -= 1;
                self.free = u32::try_from(place).expect("a place within a chunk");
                entry
            }
            Place::Free { .. } => unreachable!("slots are held of entries that exist"),
        }
    }
}

impl Slot {
    fn split(self) -> (usize, usize) {
        ((self.0 / CHUNK_SLOTS) as usize, (self.0 % CHUNK_SLOTS) as usize)
    }
}
