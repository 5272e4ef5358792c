//! A message, as a subscription yields it.

use crate::error::Error;
use crate::session::Missed;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::ops::RangeInclusive;
use workyard_protocol::{Value, from_value};

/// A message that was published on a channel.
///
/// Names and values up to 4 KiB have memory of their own. A larger value shares the memory that it
/// was received in with what came before and after it: mostly 64 KiB, up to twice the largest message
/// where that was a larger one. Whoever keeps few of these for long had better keep what he decoded.
#[derive(Clone, Debug)]
pub struct Message {
    pub(crate) channel: Bytes,
    pub(crate) sequence: u64,
    pub(crate) position: u64,
    pub(crate) value: Value,
    pub(crate) missed: u64,
    pub(crate) missed_numbers: Option<RangeInclusive<u64>>,
    pub(crate) interrupted: bool,
}

impl Message {
    pub(crate) fn new(channel: Bytes, sequence: u64, position: u64, value: Value) -> Self {
        let (missed, missed_numbers, interrupted) = (0, None, false);
        Self { channel, sequence, position, value, missed, missed_numbers, interrupted }
    }

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

    /// The message's number among those of its channel: they grow as long as the server runs. One that
    /// was published to a single subscriber has none, and 0.
    ///
    /// Numbers that are left out are no sign of a loss: [`Message::missed_before`] is.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The message's number among everything that the server has kept; 0 for what is not kept.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
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

    /// The numbers of the first and the last of those, if all of them were of this message's channel.
    /// [`Message::missed_before`] says how many there are: of a queue group, others may have received
    /// what lies between.
    #[must_use]
    pub fn missed_numbers_before(&self) -> Option<RangeInclusive<u64>> {
        self.missed_numbers.clone()
    }

    /// Whether the connection was lost between the message before and this one: any number of
    /// messages published meanwhile never came. With history it is only so when nobody knows how many:
    /// the server began anew, or the message is one of those that are not kept. Of a pattern, the latter
    /// may also be missing when the buffer was full, or the client too slow for the server.
    #[must_use]
    pub fn interrupted_before(&self) -> bool {
        self.interrupted
    }

    /// The message is the next one behind another that is lost, and tells what that would have told.
    pub(crate) fn follow_lost(&mut self, lost: &Self) {
        let mut missed = Missed::before(lost);
        missed.add(Some(&lost.channel), lost.sequence, lost.sequence, 1);
        missed.add_all(Missed::before(self));
        self.missed = missed.count();
        self.missed_numbers = missed.numbers(&self.channel);
        self.interrupted |= lost.interrupted;
    }

    /// What counts towards the bounds of a buffer.
    pub(crate) fn byte_len(&self) -> usize {
        size_of::<Self>() + self.channel.len() + self.value.as_ref().byte_len()
    }
}
