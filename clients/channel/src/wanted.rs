//! What a subscription wants, kept for as long as it lives.

use crate::error::Error;
use bytes::Bytes;
use workyard_link::limits::LENGTH_BYTES;
use workyard_protocol::channel::{Interest, Topic};
use workyard_protocol::{ChannelName, GroupName, Pattern};

/// One interest: what the server is subscribed to once, however many subscriptions share it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Wanted {
    pub(crate) kind: TopicKind,
    pub(crate) name: Bytes,
    pub(crate) group: Option<Bytes>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum TopicKind {
    Channel,
    Pattern,
}

const CHECKED: &str = "names are checked when they come in";

impl Wanted {
    pub(crate) fn channel(name: &[u8], group: Option<&[u8]>) -> Result<Self, Error> {
        ChannelName::new(name)?;
        Self::checked(TopicKind::Channel, name, group)
    }

    pub(crate) fn pattern(pattern: &[u8], group: Option<&[u8]>) -> Result<Self, Error> {
        Pattern::new(pattern)?;
        Self::checked(TopicKind::Pattern, pattern, group)
    }

    fn checked(kind: TopicKind, name: &[u8], group: Option<&[u8]>) -> Result<Self, Error> {
        let group = group.map(|group| GroupName::new(group).map(|_| Bytes::copy_from_slice(group)));
        Ok(Self { kind, name: Bytes::copy_from_slice(name), group: group.transpose()? })
    }

    /// The interest in the words of the protocol.
    pub(crate) fn interest(&self) -> Interest<'_> {
        let topic = match self.kind {
            TopicKind::Channel => Topic::Channel(ChannelName::new(&self.name).expect(CHECKED)),
            TopicKind::Pattern => Topic::Pattern(Pattern::new(&self.name).expect(CHECKED)),
        };
        let group = self.group.as_ref().map(|group| GroupName::new(group).expect(CHECKED));
        Interest { topic, group }
    }

    /// What it counts in a header, where a length counts eight bytes however short it comes.
    pub(crate) fn header_bytes(&self) -> usize {
        const KIND_BYTES: usize = 1;
        const OPTION_BYTES: usize = 1;
        const START_BYTES: usize = 4;
        const WHEN_SLOW_BYTES: usize = 4;
        let name = LENGTH_BYTES + self.name.len();
        let group = self.group.as_ref().map_or(0, |group| LENGTH_BYTES + group.len());
        KIND_BYTES + name + OPTION_BYTES + group + START_BYTES + WHEN_SLOW_BYTES
    }
}
