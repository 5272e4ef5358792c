//! A variable as it was read.

use crate::error::Error;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use workyard_protocol::{Value, ValueTag, from_value};

/// A variable as it stood when it was read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// The number of the write that made it so.
    pub revision: u64,
    /// Its value, which shares the memory that it was received in.
    pub value: Value,
}

impl Entry {
    pub(crate) fn new(revision: u64, value: Value) -> Self {
        Self { revision, value }
    }

    /// The value as a Rust value.
    ///
    /// # Errors
    /// `Decode` when it is not of that type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_value(self.value.as_ref()).map_err(Error::Decode)
    }
}

/// What a listing tells of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyInfo {
    /// Its name: any bytes.
    pub key: Bytes,
    /// Its revision.
    pub revision: u64,
    /// The kind of its value.
    pub tag: ValueTag,
    /// The size of its value in bytes; 8 for numbers.
    pub size: u32,
}

impl KeyInfo {
    pub(crate) fn new(info: &workyard_protocol::globaldata::KeyInfo<'_>) -> Self {
        let &workyard_protocol::globaldata::KeyInfo { key, revision, tag, size } = info;
        // Copied: a listing shall not keep whole pages in memory.
        Self { key: Bytes::copy_from_slice(key.as_bytes()), revision, tag, size }
    }

    /// The name as text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn key_str(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.key)
    }
}
