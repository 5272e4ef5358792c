//! What stands for line ends, colons and backslashes in headers; it differs by version.

use super::{CodecError, Flaw, Version};
use bytes::{BufMut, BytesMut};
use std::borrow::Cow;

/// How the headers of a frame are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escapes {
    /// As they are.
    None,
    /// `\n`, `\c` and `\\`.
    V1_1,
    /// And `\r`.
    V1_2,
}

impl Escapes {
    pub(super) fn of(version: Option<Version>, is_never_escaped: bool) -> Self {
        match version {
            _ if is_never_escaped => Self::None,
            None | Some(Version::V1_0) => Self::None,
            Some(Version::V1_1) => Self::V1_1,
            Some(Version::V1_2) => Self::V1_2,
        }
    }

    /// What was meant by what is written.
    ///
    /// # Errors
    /// When it is not UTF-8, or a backslash is followed by what means nothing.
    pub(super) fn read(self, written: &[u8]) -> Result<Cow<'_, str>, CodecError> {
        let text = std::str::from_utf8(written)
            .map_err(|_| CodecError::new(Flaw::Malformed, "a header is not UTF-8"))?;
        if self == Self::None || !text.contains('\\') {
            return Ok(Cow::Borrowed(text));
        }
        let mut meant = String::with_capacity(text.len());
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            meant.push(match character {
                '\\' => self.meaning(characters.next())?,
                other => other,
            });
        }
        Ok(Cow::Owned(meant))
    }

    fn meaning(self, escaped: Option<char>) -> Result<char, CodecError> {
        match escaped {
            Some('n') => Ok('\n'),
            Some('c') => Ok(':'),
            Some('\\') => Ok('\\'),
            Some('r') if self == Self::V1_2 => Ok('\r'),
            _ => Err(CodecError::new(Flaw::Malformed, "a header has an escape that means nothing")),
        }
    }

    /// Writes what is meant. What cannot be said was [refused](Self::can_say) before.
    pub(super) fn write(self, meant: &str, into: &mut BytesMut) {
        let needs_none = |byte: &u8| !matches!(byte, b'\n' | b'\r' | b':' | b'\\');
        if self == Self::None || meant.as_bytes().iter().all(needs_none) {
            into.put_slice(meant.as_bytes());
            return;
        }
        for byte in meant.bytes() {
            match byte {
                b'\n' => into.put_slice(b"\\n"),
                b':' => into.put_slice(b"\\c"),
                b'\\' => into.put_slice(b"\\\\"),
                b'\r' if self == Self::V1_2 => into.put_slice(b"\\r"),
                other => into.put_u8(other),
            }
        }
    }

    /// Whether the other side would read this name and value as they are meant. Carriage returns are
    /// not said where they cannot be escaped, as many a reader takes them for a part of the line end.
    pub(super) fn can_say(self, name: &str, value: &str) -> bool {
        let has = |text: &str, bytes: &[u8]| text.bytes().any(|byte| bytes.contains(&byte));
        let unsayable: &[u8] = match self {
            Self::None => b"\n\r\0",
            Self::V1_1 => b"\r\0",
            Self::V1_2 => b"\0",
        };
        let colon = self == Self::None && has(name, b":");
        !name.is_empty() && !colon && !has(name, unsayable) && !has(value, unsayable)
    }
}
