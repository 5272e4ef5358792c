//! The identifiers of packets that wait for an answer.

/// Hands each out to one packet at a time, and those that were free longest first.
#[derive(Debug, Default)]
pub(super) struct Identifiers {
    taken: Vec<u64>,
    count: usize,
    last: u16,
}

const ALL: usize = u16::MAX as usize;

impl Identifiers {
    /// One that is not in use; none when all are.
    pub(super) fn take(&mut self) -> Option<u16> {
        if self.count == ALL {
            return None;
        }
        loop {
            // Zero is none.
            self.last = self.last.checked_add(1).unwrap_or(1);
            if self.set(self.last, true) {
                self.count += 1;
                return Some(self.last);
            }
        }
    }

    pub(super) fn free(&mut self, id: u16) {
        if self.set(id, false) {
            self.count -= 1;
        }
    }

    /// Whether that changed anything.
    fn set(&mut self, id: u16, taken: bool) -> bool {
        let (word, bit) = (usize::from(id) / 64, 1 << (id % 64));
        if self.taken.len() <= word {
            self.taken.resize(word + 1, 0);
        }
        let was = self.taken[word] & bit != 0;
        if was != taken {
            self.taken[word] ^= bit;
        }
        was != taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_in_use_once() {
        let mut identifiers = Identifiers::default();
        let all: Vec<u16> = std::iter::from_fn(|| identifiers.take()).collect();
        assert_eq!(all, (1..=u16::MAX).collect::<Vec<_>>());
        identifiers.free(9);
        identifiers.free(9);
        identifiers.free(7);
        assert_eq!([identifiers.take(), identifiers.take()], [Some(7), Some(9)]);
        assert_eq!(identifiers.take(), None);
    }
}
