//! Bytes as the recordings have them, and as people read them.

use serde::Deserialize;
use serde::de::{Deserializer, Error};
use std::fmt;

/// Bytes that a file of vectors has as hexadecimal digits.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Hex(pub Vec<u8>);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
        let byte = |pair: &[u8]| match *pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(byte).collect();
        bytes.map(Self).ok_or_else(|| D::Error::custom("not an even number of hexadecimal digits"))
    }
}

impl fmt::Debug for Hex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&shown(&self.0))
    }
}

/// Bytes as text: what cannot be printed is escaped, and the middle of what is long is left out.
#[must_use]
pub fn shown(bytes: &[u8]) -> String {
    const BYTES_MAX: usize = 300;
    if bytes.is_empty() {
        return "nothing".to_owned();
    }
    if bytes.len() <= BYTES_MAX {
        return format!("{} bytes: {}", bytes.len(), bytes.escape_ascii());
    }
    let (head, tail) = (&bytes[..BYTES_MAX / 2], &bytes[bytes.len() - BYTES_MAX / 2..]);
    format!("{} bytes: {} … {}", bytes.len(), head.escape_ascii(), tail.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_in_pairs() {
        let read = |text: &str| serde_json::from_str::<Hex>(text).ok();
        assert_eq!(read("\"00ff41\""), Some(Hex(vec![0, 255, 0x41])));
        assert_eq!(read("\"\""), Some(Hex::default()));
        assert!(read("\"0\"").is_none() && read("\"0g\"").is_none() && read("\"+1\"").is_none());
    }

    #[test]
    fn bytes_are_shown_as_text() {
        assert_eq!(shown(b"\0\x04i:1;"), "6 bytes: \\x00\\x04i:1;");
        let long = shown(&[b'a'; 1000]);
        assert!(long.starts_with("1000 bytes: aaa") && long.chars().count() < 330, "{long}");
    }
}
