//! `publish_one`: one message to one subscriber of a channel, each in its turn.

use crate::wire::{self, DecodeError};
use crate::{ChannelName, ValueRef};

pub(super) const CODE: u8 = 0x14;

/// Delivers to one session that subscribed to the channel, round robin; answered by `Published`.
///
/// Sessions whose write buffer is full are passed over while another one has room. Queue groups
/// take no part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PublishOne<'a> {
    /// Where to.
    pub channel: ChannelName<'a>,
    /// What.
    pub value: ValueRef<'a>,
}

impl<'a> PublishOne<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.channel.as_bytes(), self.value.tag().code()));
        self.value.put(out);
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let ((name, tag), payload): ((&[u8], u8), _) = wire::take(body, "publish_one")?;
        Ok(Self { channel: ChannelName::new(name)?, value: ValueRef::from_wire(tag, payload)? })
    }
}
