//! Bytes in a row: added behind, taken away in front.

/// Below so many bytes, memory is not worth giving back.
const SHRINK_BYTES_MIN: usize = 4096;

/// Memory is given back when this many times as much is held as is used.
const SLACK_FACTOR: usize = 4;

/// Bytes, each known by how many there ever were before it, counted around.
#[derive(Debug, Default)]
pub(crate) struct ByteRow {
    /// Nothing, or a power of two: every byte lies where its count says, modulo this length.
    memory: Box<[u8]>,
    begin: usize,
    length: usize,
}

impl ByteRow {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// How much memory they have.
    #[cfg(test)]
    pub(crate) fn memory_len(&self) -> usize {
        self.memory.len()
    }

    /// Adds bytes. Returns where they begin.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> usize {
        if bytes.len() > self.memory.len() - self.length {
            self.resize(self.length + bytes.len());
        }
        let begin = self.begin.wrapping_add(self.length);
        let place = self.place(begin);
        self.length += bytes.len();
        let (back, front) = self.memory.split_at_mut(place);
        match front.get_mut(..bytes.len()) {
            Some(all) => all.copy_from_slice(bytes),
            None => {
                let (first, rest) = bytes.split_at(front.len());
                front.copy_from_slice(first);
                back[..rest.len()].copy_from_slice(rest);
            }
        }
        begin
    }

    /// Takes the first bytes away.
    pub(crate) fn pop(&mut self, count: usize) {
        self.begin = self.begin.wrapping_add(count);
        self.length -= count;
        if self.memory.len() > SHRINK_BYTES_MIN.max(SLACK_FACTOR * self.length) {
            self.resize(self.length);
        }
    }

    /// The bytes from a place on; `scratch` is there for those that do not lie in one piece.
    pub(crate) fn get<'a>(
        &'a self,
        begin: usize,
        length: usize,
        scratch: &'a mut Vec<u8>,
    ) -> &'a [u8] {
        let (back, front) = self.memory.split_at(self.place(begin));
        if length <= front.len() {
            return &front[..length];
        }
        scratch.clear();
        scratch.extend_from_slice(front);
        scratch.extend_from_slice(&back[..length - front.len()]);
        scratch
    }

    /// Gives them memory for at least so many.
    #[cold]
    fn resize(&mut self, length: usize) {
        let mut scratch = Vec::new();
        let memory = vec![0; length.next_power_of_two()].into();
        let mut row = Self { memory, begin: self.begin, length: 0 };
        row.push(self.get(self.begin, self.length, &mut scratch));
        *self = row;
    }

    fn place(&self, count: usize) -> usize {
        count & self.memory.len().saturating_sub(1)
    }
}
