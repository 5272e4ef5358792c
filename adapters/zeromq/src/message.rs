//! Messages: one part or several.

use bytes::Bytes;
use workyard_adapter_kit::{Error, ErrorKind};

/// A message of one part or several.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message(Vec<Bytes>);

impl Message {
    /// A message of several parts.
    #[must_use]
    pub fn of<P: Into<Bytes>>(parts: impl IntoIterator<Item = P>) -> Self {
        parts.into_iter().map(Into::into).collect::<Vec<Bytes>>().into()
    }

    /// Its parts: one at least.
    #[must_use]
    pub fn parts(&self) -> &[Bytes] {
        &self.0
    }

    /// The same, owned.
    #[must_use]
    pub fn into_parts(self) -> Vec<Bytes> {
        self.0
    }

    /// A part as text.
    ///
    /// # Errors
    /// When there is no such part, or it is not UTF-8.
    pub fn text(&self, part: usize) -> Result<&str, Error> {
        let wrong = |message: String| Error::new(ErrorKind::Protocol, message).not_carried_out();
        let bytes = self.0.get(part).ok_or_else(|| {
            wrong(format!("the message has {} parts, and no part {part}", self.0.len()))
        })?;
        std::str::from_utf8(bytes)
            .map_err(|error| wrong(format!("part {part} of the message is not UTF-8: {error}")))
    }

    pub(crate) fn length(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    /// With these parts before its own.
    pub(crate) fn behind(self, parts: impl IntoIterator<Item = Bytes>) -> Self {
        Self(parts.into_iter().chain(self.0).collect())
    }
}

/// A message without parts cannot be sent: it has an empty one.
impl From<Vec<Bytes>> for Message {
    fn from(mut parts: Vec<Bytes>) -> Self {
        if parts.is_empty() {
            parts.push(Bytes::new());
        }
        Self(parts)
    }
}

impl From<Bytes> for Message {
    fn from(part: Bytes) -> Self {
        Self(vec![part])
    }
}

impl From<Vec<u8>> for Message {
    fn from(part: Vec<u8>) -> Self {
        Bytes::from(part).into()
    }
}

impl From<String> for Message {
    fn from(part: String) -> Self {
        Bytes::from(part).into()
    }
}

impl From<&[u8]> for Message {
    fn from(part: &[u8]) -> Self {
        Bytes::copy_from_slice(part).into()
    }
}

impl From<&str> for Message {
    fn from(part: &str) -> Self {
        part.as_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_made_of_parts() {
        let message = Message::of(["a", "", "bc"]);
        assert_eq!((message.parts().len(), message.length()), (3, 3));
        assert_eq!((message.text(2).unwrap(), message.text(1).unwrap()), ("bc", ""));
        assert_eq!(
            message.text(3).unwrap_err().message(),
            "the message has 3 parts, and no part 3"
        );
        assert_eq!(Message::of(Vec::<Bytes>::new()), Message::from(""));
        let message = Message::from(vec![0xff]);
        assert!(message.text(0).unwrap_err().message().starts_with("part 0 of the message is not"));
        assert_eq!(message.behind([Bytes::from("x")]), Message::of([&b"x"[..], &[0xff]]));
    }
}
