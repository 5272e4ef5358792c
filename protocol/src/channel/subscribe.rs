//! `subscribe`: the session wants the messages of some channels from now on.

use crate::wire::{self, DecodeError, List};
use crate::{ChannelName, GroupName, Pattern, Reason, Refusal};

pub(super) const CODE: u8 = 0x10;

const CHANNEL: u8 = 0;
const PATTERN: u8 = 1;

/// Subscribes the session to every interest listed; answered by `Done`.
///
/// Subscribing twice to the same is subscribing once. A session receives each message once, however
/// many of its interests without a group match, and once more for each group it was chosen for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// What is wanted.
    pub interests: Vec<Interest<'a>>,
}

/// One thing that a session wants, and whether it shares it with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interest<'a> {
    /// Which channels.
    pub topic: Topic<'a>,
    /// With a group, only one of the sessions in that group receives each message.
    pub group: Option<GroupName<'a>>,
}

/// A channel by its name, or all that match a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic<'a> {
    /// The channel of exactly this name, whatever characters it has.
    Channel(ChannelName<'a>),
    /// Every channel whose name matches.
    Pattern(Pattern<'a>),
}

impl<'a> Subscribe<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put_interests(&self.interests, out);
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(Self { interests: decode_interests(body, "subscribe")? })
    }
}

type Header<'a> = (u8, &'a [u8], Option<&'a [u8]>);

pub(super) fn put_interests(interests: &[Interest<'_>], out: &mut Vec<u8>) {
    wire::put(out, List(interests.iter().map(header).collect()));
}

fn header<'a>(interest: &Interest<'a>) -> Header<'a> {
    let (kind, name) = match interest.topic {
        Topic::Channel(name) => (CHANNEL, name.as_bytes()),
        Topic::Pattern(pattern) => (PATTERN, pattern.as_bytes()),
    };
    (kind, name, interest.group.map(GroupName::as_bytes))
}

pub(super) fn decode_interests<'a>(
    body: &'a [u8],
    what: &'static str,
) -> Result<Vec<Interest<'a>>, DecodeError> {
    let List(headers): List<Header<'a>> = wire::take_all(body, what)?;
    headers.into_iter().map(decode_interest).collect()
}

fn decode_interest<'a>((kind, name, group): Header<'a>) -> Result<Interest<'a>, DecodeError> {
    let topic = match kind {
        CHANNEL => Topic::Channel(ChannelName::new(name)?),
        PATTERN => Topic::Pattern(Pattern::new(name)?),
        other => {
            let text = format!("topic kind {other} is unknown: expected 0 or 1");
            return Err(Refusal::new(Reason::InvalidArgument, text).into());
        }
    };
    let group = group.map(GroupName::new).transpose()?;
    Ok(Interest { topic, group })
}
