//! Keys that cannot be anything else than keys, whatever the application was given.

use crate::limits::KEY_BYTES_MAX;
use workyard_adapter_kit::{Error, ErrorKind};

/// 1 to 250 bytes without blanks and control characters: it stands in a line of the protocol, and neither
/// ends that line nor becomes two words of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key<'a>(&'a [u8]);

impl<'a> Key<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        if bytes.is_empty() || bytes.len() > KEY_BYTES_MAX {
            let message = format!(
                "a key of {} bytes; a key has 1 to {KEY_BYTES_MAX}: use a hash of what is longer",
                bytes.len()
            );
            return Err(Error::new(ErrorKind::InvalidRequest, message));
        }
        match bytes.iter().position(|byte| *byte <= b' ' || *byte == 0x7f) {
            None => Ok(Self(bytes)),
            Some(place) => {
                let message = format!(
                    "the key has the byte {:#04x} at {place}; a key has neither blanks nor control \
                     characters",
                    bytes[place]
                );
                Err(Error::new(ErrorKind::InvalidRequest, message))
            }
        }
    }

    pub(crate) fn bytes(self) -> &'a [u8] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_and_what_is_none() {
        let long = "k".repeat(250);
        for key in ["k", "user:7", "größe", &long] {
            assert_eq!(Key::new(key.as_bytes()).unwrap().bytes(), key.as_bytes());
        }
        let longer = "k".repeat(251);
        for key in ["", &longer, "a b", "a\r\nflush_all", "a\tb", "a\0", "\x7f", "a\n"] {
            let error = Key::new(key.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{key:?}");
            assert!(!error.outcome_unknown());
        }
        let error = Key::new(b"a b").unwrap_err();
        assert!(error.to_string().starts_with("the key has the byte 0x20 at 1;"), "{error}");
    }

    proptest! {
        #[test]
        fn what_is_taken_is_one_word(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(key) = Key::new(&bytes) {
                prop_assert!((1..=250).contains(&key.bytes().len()));
                prop_assert!(key.bytes().iter().all(|byte| !byte.is_ascii_whitespace()));
                prop_assert!(key.bytes().iter().all(|byte| !byte.is_ascii_control()));
            }
        }
    }
}
