//! The only file that knows the length prefix: `u32` big endian, counting its own four bytes.

use crate::{Reason, Refusal};

/// Size of the length prefix.
pub const LENGTH_BYTES: usize = 4;

/// Cuts a stream of bytes into frame bodies.
#[derive(Clone, Copy, Debug)]
pub struct FrameDecoder {
    frame_bytes_max: usize,
}

/// What stands at the start of the bytes received so far.
#[derive(Debug, PartialEq, Eq)]
pub enum Split<'a> {
    /// A whole frame: its body, and how many bytes of the input it took.
    Whole {
        /// What follows the length.
        body: &'a [u8],
        /// Length prefix and body together.
        used: usize,
    },
    /// Only a part. `missing` is how many bytes are certainly still to come.
    Partial {
        /// Bytes up to the end of the frame, or of its length while even that is not there.
        missing: usize,
    },
}

impl FrameDecoder {
    /// Accepts frames of up to `frame_bytes_max` bytes, length prefix included.
    #[must_use]
    #[inline]
    pub fn new(frame_bytes_max: usize) -> Self {
        Self { frame_bytes_max }
    }

    /// Looks at the first frame of `input`. The length is judged before its body is there.
    ///
    /// # Errors
    /// `BadLength` for a length of 0 to 3, `FrameTooLarge` for one above the limit. Nothing after
    /// that can be understood: the connection has to end.
    #[inline]
    pub fn split<'a>(&self, input: &'a [u8]) -> Result<Split<'a>, Refusal> {
        let Some((prefix, rest)) = input.split_first_chunk::<LENGTH_BYTES>() else {
            return Ok(Split::Partial { missing: LENGTH_BYTES - input.len() });
        };
        let length = u32::from_be_bytes(*prefix) as usize;
        if !(LENGTH_BYTES..=self.frame_bytes_max).contains(&length) {
            return Err(self.wrong(length));
        }
        match rest.get(..length - LENGTH_BYTES) {
            Some(body) => Ok(Split::Whole { body, used: length }),
            None => Ok(Split::Partial { missing: length - input.len() }),
        }
    }

    #[cold]
    fn wrong(&self, length: usize) -> Refusal {
        if length < LENGTH_BYTES {
            let text = format!("frame length {length} is below 4: it counts its own four bytes");
            return Refusal::new(Reason::BadLength, text);
        }
        let limit = self.frame_bytes_max;
        let text = format!("frame length {length} is above the limit of {limit} bytes");
        Refusal::new(Reason::FrameTooLarge, text)
    }
}

/// Appends a frame to `out`; `body` appends what follows the length.
///
/// # Panics
/// When the body is longer than a `u32` can say: the caller's limits must not allow that.
#[inline]
pub fn encode(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH_BYTES]);
    body(out);
    let length = u32::try_from(out.len() - start).expect("a frame is bounded by u32");
    out[start..start + LENGTH_BYTES].copy_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_judged_by_its_first_four_bytes() {
        let decoder = FrameDecoder::new(100);
        for (length, reason) in [
            (0u32, Some(Reason::BadLength)),
            (1, Some(Reason::BadLength)),
            (3, Some(Reason::BadLength)),
            (4, None),
            (100, None),
            (101, Some(Reason::FrameTooLarge)),
            (u32::MAX, Some(Reason::FrameTooLarge)),
            (u32::from_be_bytes(*b"GET "), Some(Reason::FrameTooLarge)),
        ] {
            let outcome = decoder.split(&length.to_be_bytes()).map(|_| ());
            assert_eq!(outcome.err().map(|refusal| refusal.reason), reason, "length {length}");
        }
    }

    #[test]
    fn a_frame_fed_byte_by_byte_is_whole_at_its_last() {
        let mut bytes = Vec::new();
        encode(&mut bytes, |body| body.extend_from_slice(b"hello"));
        let decoder = FrameDecoder::new(100);
        for end in 0..bytes.len() {
            let missing = if end < 4 { 4 - end } else { bytes.len() - end };
            assert_eq!(decoder.split(&bytes[..end]), Ok(Split::Partial { missing }));
        }
        assert_eq!(decoder.split(&bytes), Ok(Split::Whole { body: b"hello", used: 9 }));
        bytes.extend_from_slice(b"next");
        assert_eq!(decoder.split(&bytes), Ok(Split::Whole { body: b"hello", used: 9 }));
    }
}
