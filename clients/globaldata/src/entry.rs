//! A variable as it was read.

use crate::error::Error;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::time::Duration;
use workyard_protocol::globaldata;
use workyard_protocol::{Value, ValueTag, from_value};

/// A variable as it stood when it was read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// The number of the write that made it so.
    pub revision: u64,
    /// How long it still lived then; nothing when it does not expire.
    pub ttl: Option<Duration>,
    /// Its value, which shares the memory that it was received in.
    pub value: Value,
}

impl Entry {
    pub(crate) fn new(revision: u64, ttl_ms: Option<u64>, value: Value) -> Self {
        Self { revision, ttl: ttl_ms.map(Duration::from_millis), value }
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
    /// How long it still lives; nothing when it does not expire.
    pub ttl: Option<Duration>,
}

impl KeyInfo {
    pub(crate) fn new(info: &globaldata::KeyInfo<'_>) -> Self {
        let &globaldata::KeyInfo { key, revision, tag, size, ttl_ms } = info;
        let ttl = ttl_ms.map(Duration::from_millis);
        // Copied: a listing shall not keep whole pages in memory.
        Self { key: Bytes::copy_from_slice(key.as_bytes()), revision, tag, size, ttl }
    }

    /// The name as text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn key_str(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.key)
    }
}
