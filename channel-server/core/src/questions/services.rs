//! Who serves which channel, and whose turn it is.

use crate::members::Members;
use crate::named::Named;
use workyard_engine::SessionId;
use workyard_protocol::ChannelName;

/// The responders of every channel that somebody serves.
#[derive(Debug)]
pub(super) struct Services {
    channels: Named<Members>,
    responders: usize,
}

impl Services {
    pub(super) fn new() -> Self {
        Self { channels: Named::new(), responders: 0 }
    }

    /// How many channels are served.
    pub(super) fn len(&self) -> usize {
        self.channels.len()
    }

    /// How many sessions serve, each counted once for each of its channels.
    pub(super) fn responders(&self) -> usize {
        self.responders
    }

    /// The bytes of the channels' names together.
    pub(super) fn name_bytes(&self) -> usize {
        self.channels.name_bytes()
    }

    /// The channel, if somebody serves it.
    pub(super) fn find(&self, channel: ChannelName<'_>) -> Option<u32> {
        self.channels.find(channel.as_bytes())
    }

    /// How many sessions serve a channel.
    pub(super) fn responders_of(&self, channel: ChannelName<'_>) -> usize {
        self.find(channel).map_or(0, |at| self.channels[at].len())
    }

    /// Adds a session behind all others that serve the channel.
    pub(super) fn join(
        &mut self,
        channel: ChannelName<'_>,
        serial: u64,
        session: SessionId,
    ) -> u32 {
        let known = self.find(channel);
        let insert = || self.channels.insert(channel.as_bytes(), Members::default());
        let at = known.unwrap_or_else(insert);
        self.channels[at].join(serial, session);
        self.responders += 1;
        at
    }

    /// Removes the session that joined under this serial.
    pub(super) fn leave(&mut self, at: u32, serial: u64) {
        self.channels[at].leave(serial);
        self.responders -= 1;
        if self.channels[at].is_empty() {
            self.channels.remove(at);
        }
    }

    /// The responder whose turn it is among those who have room.
    pub(super) fn next_turn(
        &mut self,
        at: u32,
        has_room: impl FnMut(SessionId) -> bool,
    ) -> Option<SessionId> {
        self.channels[at].next_with_room(has_room)
    }
}
