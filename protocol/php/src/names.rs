//! Which string keys an array or object has had so far, as few bytes for each.

use smallvec::SmallVec;

/// Fingerprints of the keys of all levels that are open, the innermost level's last.
#[derive(Default)]
pub(crate) struct Names(SmallVec<[u64; 24]>);

/// A level's keys are compared with each other, so they must stay few.
const PER_LEVEL_MAX: usize = 64;

impl Names {
    /// How many are known.
    #[inline]
    pub(crate) fn count(&self) -> u32 {
        self.0.len() as u32
    }

    /// Forgets those beyond the first `count`: their level is closed.
    #[inline]
    pub(crate) fn forget_from(&mut self, count: u32) {
        self.0.truncate(count as usize);
    }

    /// Whether a name certainly differs from all since the first `count`, which it joins.
    ///
    /// False also where there are too many to tell.
    #[inline]
    pub(crate) fn is_new(&mut self, name: &[u8], count: u32) -> bool {
        let fingerprint = fingerprint(name);
        let level = &self.0[count as usize..];
        if level.len() >= PER_LEVEL_MAX || level.contains(&fingerprint) {
            return false;
        }
        self.0.push(fingerprint);
        true
    }
}

/// The same for the same names, and nearly never the same for others.
#[inline]
fn fingerprint(name: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = |sum: u64, word: u64| (sum ^ word).wrapping_mul(FACTOR).rotate_left(29);
    let length = name.len() as u64;
    // Ends that overlap take in every byte without a loop over single ones.
    if let (Some(_), Some(last)) = (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        let (words, _) = name.as_chunks::<8>();
        let words = words.iter().chain([last]);
        return words.fold(length, |sum, word| mixed(sum, u64::from_le_bytes(*word)));
    }
    let word = match (name.first_chunk::<4>(), name.last_chunk::<4>(), name) {
        (Some(first), Some(last), _) => {
            u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
        }
        (_, _, [first, .., last]) => u64::from_le_bytes([*first, name[1], *last, 0, 0, 0, 0, 0]),
        (_, _, [only]) => u64::from(*only),
        _ => 0,
    };
    mixed(length, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_new_once_in_its_level() {
        let mut names = Names::default();
        assert!(names.is_new(b"a", 0));
        assert!(names.is_new(b"", 0));
        assert!(!names.is_new(b"a", 0));
        let inner = names.count();
        assert!(names.is_new(b"a", inner));
        names.forget_from(inner);
        assert!(!names.is_new(b"a", 0));
        assert!(names.is_new(b"b", 0));
    }

    #[test]
    fn too_many_names_are_not_told_apart() {
        let mut names = Names::default();
        for name in 0..PER_LEVEL_MAX {
            assert!(names.is_new(name.to_string().as_bytes(), 0));
        }
        assert!(!names.is_new(b"another", 0));
    }

    #[test]
    fn names_of_any_length_have_fingerprints_of_their_own() {
        let text = "0123456789abcdefghijklmnopqrstuvwxyz".repeat(2);
        let mut seen = std::collections::HashSet::new();
        for start in 0..36 {
            for end in start + 1..start + 36 {
                assert!(seen.insert(fingerprint(&text.as_bytes()[start..end])), "{start}..{end}");
            }
        }
    }
}
