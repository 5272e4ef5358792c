//! `serve`: the session answers the questions that are asked on a channel.

use crate::ChannelName;
use crate::wire::{self, DecodeError};

pub(super) const CODE: u8 = 0x2A;

/// Makes the session a responder of the channel, or ends that; answered by `Done`.
///
/// Serving twice is serving once. Questions that the session was handed before it ended stay its own until
/// it answers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serve<'a> {
    /// The channel.
    pub channel: ChannelName<'a>,
    /// Whether it serves from now on, or no more.
    pub on: bool,
}

impl<'a> Serve<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.channel.as_bytes(), self.on));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (name, on): (&[u8], bool) = wire::take_all(body, "serve")?;
        Ok(Self { channel: ChannelName::new(name)?, on })
    }
}
