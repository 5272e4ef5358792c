//! What is kept under a key.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use workyard_adapter_kit::{Error, ErrorKind};

/// A value: bytes, and a number that the server keeps beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// The bytes.
    pub data: Bytes,
    /// What clients use to remember what the bytes are. This one only carries it; 0 unless set.
    pub flags: u32,
}

/// Which version of a value was read, for [`Memcached::cas`](crate::Memcached::cas).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cas(pub u64);

/// What became of a [`cas`](crate::Memcached::cas).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CasOutcome {
    /// The value was still the one that was read, and is replaced.
    Stored,
    /// Somebody else has changed it since.
    Exists,
    /// There is none any more.
    NotFound,
}

impl Item {
    /// The value as JSON.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn from_json<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        let written = serde_json::to_vec(value).map_err(|error| {
            let message = format!("the value cannot be written as JSON: {error}");
            Error::new(ErrorKind::InvalidRequest, message).with_source(error)
        })?;
        Ok(written.into())
    }

    /// The same with these flags.
    #[must_use]
    pub fn with_flags(mut self, flags: u32) -> Self {
        self.flags = flags;
        self
    }

    /// The bytes as text.
    ///
    /// # Errors
    /// When they are not UTF-8.
    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.data).map_err(|error| unreadable("UTF-8", error))
    }

    /// The bytes as what a JSON text says.
    ///
    /// # Errors
    /// When they are no JSON, or not that of a `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.data).map_err(|error| unreadable("the JSON expected", error))
    }

    /// The bytes as a number, as [`incr`](crate::Memcached::incr) and `decr` write it. A `decr` that makes
    /// a number shorter leaves blanks behind it.
    ///
    /// # Errors
    /// When they are none.
    pub fn number(&self) -> Result<u64, Error> {
        self.text()?.trim_end_matches(' ').parse().map_err(|error| unreadable("a number", error))
    }
}

impl From<Bytes> for Item {
    fn from(data: Bytes) -> Self {
        Self { data, flags: 0 }
    }
}

impl From<Vec<u8>> for Item {
    fn from(data: Vec<u8>) -> Self {
        Bytes::from(data).into()
    }
}

impl From<&[u8]> for Item {
    fn from(data: &[u8]) -> Self {
        Bytes::copy_from_slice(data).into()
    }
}

impl From<String> for Item {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&str> for Item {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

/// In decimal digits, for [`incr`](crate::Memcached::incr) and `decr`.
impl From<u64> for Item {
    fn from(number: u64) -> Self {
        number.to_string().into()
    }
}

/// It was received whole: only what it means is wrong.
fn unreadable(what: &str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    let message = format!("the value is not {what}: {error}");
    Error::new(ErrorKind::Protocol, message).not_carried_out().with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_they_were_made_of() {
        assert_eq!(Item::from("grüße").text().unwrap(), "grüße");
        assert_eq!(Item::from(vec![0, 255]).data.as_ref(), [0, 255]);
        assert_eq!(Item::from(u64::MAX).number().unwrap(), u64::MAX);
        assert_eq!(Item::from("9 ").number().unwrap(), 9);
        let item = Item::from_json(&("a", 1)).unwrap().with_flags(7);
        assert_eq!((item.text().unwrap(), item.flags), (r#"["a",1]"#, 7));
        assert_eq!(item.json::<(String, u8)>().unwrap(), ("a".to_owned(), 1));
    }

    #[test]
    fn what_it_is_not_is_said() {
        let item = Item::from(&[0xff_u8][..]);
        let errors = [
            (item.text().map(drop).unwrap_err(), "the value is not UTF-8: "),
            (item.json::<u8>().map(drop).unwrap_err(), "the value is not the JSON expected: "),
            (Item::from(" 9").number().map(drop).unwrap_err(), "the value is not a number: "),
            (Item::from("").number().map(drop).unwrap_err(), "the value is not a number: "),
        ];
        for (error, text) in errors {
            assert!(error.to_string().starts_with(text), "{error}");
            assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Protocol, false));
        }
    }
}
