//! Frames whose operation is known and whose content is not read yet.

use crate::limits::COPIED_BYTES_MAX;
use bytes::Bytes;
use workyard_protocol::{DecodeError, Message, Value, ValueRef};

/// A reply or a push: its operation, and the bytes that say the rest.
///
/// The connection does not read it. Whoever it is for does, in his own task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    operation: u8,
    body: Bytes,
}

impl Received {
    /// A frame's operation code, and what follows code and request id.
    #[must_use]
    pub fn new(operation: u8, body: Bytes) -> Self {
        Self { operation, body }
    }

    /// Reads it in the words of a service.
    ///
    /// # Errors
    /// When it is none of these words, or not well-formed.
    pub fn decode<'a, M: Message<'a>>(&'a self) -> Result<M, DecodeError> {
        M::decode(self.operation, &self.body)
    }

    /// A part of the body: a copy of a small one, so that it keeps no more memory than its own; a
    /// large one shared with what was received.
    ///
    /// # Panics
    /// When a large `part` is not a part of the body.
    #[must_use]
    pub fn keep(&self, part: &[u8]) -> Bytes {
        match part.len() {
            ..=COPIED_BYTES_MAX => Bytes::copy_from_slice(part),
            _ => self.body.slice_ref(part),
        }
    }

    /// A value in the body; its bytes as with [`Received::keep`].
    ///
    /// # Panics
    /// When its bytes are large and not a part of the body.
    #[must_use]
    pub fn keep_value(&self, value: ValueRef<'_>) -> Value {
        match value {
            ValueRef::Int(int) => Value::Int(int),
            ValueRef::Float(float) => Value::Float(float),
            ValueRef::Encoded { encoding, bytes } => {
                Value::Encoded { encoding, bytes: self.keep(bytes) }
            }
        }
    }
}

/// Stands for any word of any service: what connects a link to the envelope without reading further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unread<'a> {
    /// The operation code.
    pub operation: u8,
    /// Header and payload.
    pub body: &'a [u8],
}

impl<'a> Message<'a> for Unread<'a> {
    fn operation(&self) -> u8 {
        self.operation
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.body);
    }

    fn decode(operation: u8, body: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(Self { operation, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_parts_are_copied_and_large_ones_shared() {
        let received = Received::new(1, vec![7; 3 * COPIED_BYTES_MAX].into());
        for (count, is_shared) in
            [(1, false), (COPIED_BYTES_MAX, false), (COPIED_BYTES_MAX + 1, true)]
        {
            let part = &received.body[5..5 + count];
            let kept = received.keep(part);
            assert_eq!(kept, part);
            assert_eq!(kept.as_ptr() == part.as_ptr(), is_shared, "{count} bytes");
        }
    }
}
