//! A message, as a subscription yields it.

use crate::error::Error;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use workyard_protocol::{Value, from_value};

/// A message that was published on a channel.
///
/// Names and values up to 4 KiB have memory of their own. A larger value shares the memory that it
/// was received in with what came before and after it: mostly 64 KiB, up to twice the largest message
/// where that was a larger one. Whoever keeps few of these for long had better keep what he decoded.
#[derive(Clone, Debug)]
pub struct Message {
    pub(crate) channel: Bytes,
    pub(crate) value: Value,
    pub(crate) missed: u64,
    pub(crate) interrupted: bool,
}

impl Message {
    /// The channel that it was published on: any bytes.
    #[must_use]
    pub fn channel(&self) -> &[u8] {
        &self.channel
    }

    /// The channel as text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn channel_str(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.channel)
    }

    /// What was published.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// What was published, for keeps.
    #[must_use]
    pub fn into_value(self) -> Value {
        self.value
    }

    /// What was published, as a Rust value.
    ///
    /// # Errors
    /// `Decode` when it is not of that type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_value(self.value.as_ref()).map_err(Error::Decode)
    }

    /// How many messages are known to be lost between the one before and this one: because this
    /// subscription's buffer was full, or because the whole client was too slow for the server.
    ///
    /// For a queue group the latter may include messages that another member would have received.
    #[must_use]
    pub fn missed_before(&self) -> u64 {
        self.missed
    }

    /// Whether the connection was lost between the message before and this one: any number of
    /// messages published meanwhile never came.
    #[must_use]
    pub fn interrupted_before(&self) -> bool {
        self.interrupted
    }

    /// What counts towards the bounds of a buffer.
    pub(crate) fn byte_len(&self) -> usize {
        size_of::<Self>() + self.channel.len() + self.value.as_ref().byte_len()
    }
}
