//! What stands at the start of every payload, so that a delivery can be told and timed.

/// When a message was sent, by whom, and which one of theirs it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Since the run's clock started.
    pub(super) sent_ns: u64,
    /// Messages of the warm-up that arrive late are not counted.
    pub(super) phase: u8,
    pub(super) publisher: u16,
    pub(super) sequence: u32,
}

impl Stamp {
    pub(super) const BYTES: usize = 16;

    pub(super) fn write(self, to: &mut [u8]) {
        to[..8].copy_from_slice(&self.sent_ns.to_be_bytes());
        to[8] = self.phase;
        to[9] = 0;
        to[10..12].copy_from_slice(&self.publisher.to_be_bytes());
        to[12..16].copy_from_slice(&self.sequence.to_be_bytes());
    }

    pub(super) fn read(from: &[u8; Self::BYTES]) -> Self {
        let word = u128::from_be_bytes(*from);
        Self {
            sent_ns: (word >> 64) as u64,
            phase: (word >> 56) as u8,
            publisher: (word >> 32) as u16,
            sequence: word as u32,
        }
    }
}

/// A payload of `bytes`, the stamp's place included.
pub(super) fn payload(bytes: usize) -> Vec<u8> {
    (0..bytes).map(letter).collect()
}

/// Whether everything behind the stamp is as it was sent.
pub(super) fn is_intact(payload: &[u8]) -> bool {
    let mut body = payload.iter().enumerate().skip(Stamp::BYTES);
    body.all(|(at, byte)| *byte == letter(at))
}

fn letter(at: usize) -> u8 {
    b'a' + (at % 26) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_comes_back_and_leaves_the_rest_alone() {
        let stamp = Stamp {
            sent_ns: 0x0123_4567_89AB_CDEF,
            phase: 7,
            publisher: 513,
            sequence: u32::MAX - 1,
        };
        let mut bytes = payload(64);
        stamp.write(&mut bytes);
        assert_eq!(Stamp::read(bytes.first_chunk().unwrap()), stamp);
        assert!(is_intact(&bytes));
        bytes[63] ^= 1;
        assert!(!is_intact(&bytes));
    }
}
