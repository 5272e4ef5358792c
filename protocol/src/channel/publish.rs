//! `publish`: one message to everybody who subscribed to a channel.

use crate::wire::{self, Bytes, DecodeError};
use crate::{ChannelName, ValueRef};

pub(super) const CODE: u8 = 0x12;

/// Delivers to every subscriber of the channel, the publisher included; answered by `Published`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Publish<'a> {
    /// Where to.
    pub channel: ChannelName<'a>,
    /// What.
    pub value: ValueRef<'a>,
}

impl<'a> Publish<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.channel.as_bytes(), self.value.tag().code()));
        self.value.put(out);
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let ((Bytes(name), tag), payload): ((Bytes<'_>, u8), _) = wire::take(body, "publish")?;
        Ok(Self { channel: ChannelName::new(name)?, value: ValueRef::from_wire(tag, payload)? })
    }
}
