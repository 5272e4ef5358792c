//! What publishers and consumers say of a job in their own words, bounded in length.

use crate::limits::{NACK_REASON_BYTES_MAX, PUBLISHER_ID_BYTES_MAX};

/// More bytes than may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} of {length} bytes is above the limit of {limit}")]
pub struct TooLongError {
    /// What was too long.
    pub what: &'static str,
    /// How long it was.
    pub length: usize,
    /// How long it may be.
    pub limit: usize,
}

/// The id that a publisher gives a job, so that storing it again is storing it once: any bytes, up to
/// [`PUBLISHER_ID_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PublisherId<'a>(&'a [u8]);

/// Why a consumer gives a job back, for people: up to [`NACK_REASON_BYTES_MAX`] bytes of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NackReason<'a>(&'a str);

impl<'a> PublisherId<'a> {
    /// Takes any bytes.
    ///
    /// # Errors
    /// When they are more than [`PUBLISHER_ID_BYTES_MAX`].
    pub fn new<B: AsRef<[u8]> + ?Sized>(bytes: &'a B) -> Result<Self, TooLongError> {
        let bytes = bytes.as_ref();
        check("a job's id", bytes.len(), PUBLISHER_ID_BYTES_MAX).map(|()| Self(bytes))
    }

    /// The id as it travels.
    #[must_use]
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

impl<'a> NackReason<'a> {
    /// Takes any text.
    ///
    /// # Errors
    /// When it is longer than [`NACK_REASON_BYTES_MAX`].
    pub fn new(text: &'a str) -> Result<Self, TooLongError> {
        check("a reason", text.len(), NACK_REASON_BYTES_MAX).map(|()| Self(text))
    }

    /// The text as it travels.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.0
    }
}

fn check(what: &'static str, length: usize, limit: usize) -> Result<(), TooLongError> {
    if length <= limit { Ok(()) } else { Err(TooLongError { what, length, limit }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_bounded_by_name() {
        assert!(PublisherId::new(&[0xff; 256]).is_ok());
        let error = PublisherId::new(&[b'i'; 257]).unwrap_err().to_string();
        assert_eq!(error, "a job's id of 257 bytes is above the limit of 256");
        let text = "r".repeat(1025);
        assert!(NackReason::new(&text[1..]).is_ok());
        let error = NackReason::new(&text).unwrap_err().to_string();
        assert_eq!(error, "a reason of 1025 bytes is above the limit of 1024");
    }
}
