//! `publish_many`: the same message to several channels.

use crate::wire::{self, DecodeError, List};
use crate::{ChannelName, ValueRef};

pub(super) const CODE: u8 = 0x13;

/// Delivers to the subscribers of every channel listed, in the order of the list; answered by one
/// `Published` with the sum.
///
/// A channel that is listed twice receives twice.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishMany<'a> {
    /// Where to.
    pub channels: Vec<ChannelName<'a>>,
    /// What.
    pub value: ValueRef<'a>,
}

impl<'a> PublishMany<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let names = self.channels.iter().map(|channel| channel.as_bytes()).collect();
        wire::put(out, (List(names), self.value.tag().code()));
        self.value.put(out);
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let ((List(names), tag), payload): ((List<&[u8]>, u8), _) =
            wire::take(body, "publish_many")?;
        let channels = names.into_iter().map(ChannelName::new).collect::<Result<_, _>>()?;
        Ok(Self { channels, value: ValueRef::from_wire(tag, payload)? })
    }
}
