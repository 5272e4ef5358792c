//! `subscribe`: the session wants the messages of some channels from now on, or from earlier on.

use crate::wire::{self, DecodeError, List};
use crate::{ChannelName, GroupName, Pattern, Reason, Refusal};
use bincode::{Decode, Encode};

pub(super) const CODE: u8 = 0x10;

const CHANNEL: u8 = 0;
const PATTERN: u8 = 1;

/// Subscribes the session to every interest listed; answered by `Done`, or by `Subscribed` if any of
/// them is not [`Start::Live`].
///
/// Subscribing twice to the same is subscribing once. A session receives each message once, however
/// many of its interests without a group match, and once more for each group it was chosen for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// What is wanted, and from where on.
    pub subscriptions: Vec<Subscription<'a>>,
}

/// An interest, and the messages that it begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subscription<'a> {
    /// What is wanted.
    pub interest: Interest<'a>,
    /// The first messages. A queue group begins with what is published next.
    pub start: Start,
    /// What becomes of messages while the session does not read fast enough. A start that is not live
    /// has none but the first, and leaves what was said before as it is.
    pub when_slow: WhenSlow,
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

/// The messages that a subscription begins with. Those that were kept come as a *replay*, of which the
/// session says the number; the interest takes part in what is published when the replay has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Start {
    /// What is published from now on.
    Live,
    /// The last ones that were kept.
    Last {
        /// What the session calls the replay: not 0, and none that is under way.
        replay: u32,
        /// How many of each channel; 0 for none, to be told the mark.
        count: u64,
    },
    /// Those behind a mark.
    Resume {
        /// What the session calls the replay: not 0, and none that is under way.
        replay: u32,
        /// The server's epoch when the mark was told.
        epoch: u64,
        /// For a channel the number of the last message received, for a pattern its position; or the
        /// mark that `Subscribed` or `CaughtUp` told.
        mark: u64,
    },
}

/// What becomes of the messages of a subscription for which its session has no room. The later a variant
/// stands, the less is lost by it: of a session's interests that match a channel, the last one counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub enum WhenSlow {
    /// They are lost, and counted.
    #[default]
    DropNewest,
    /// The latest of each channel is held until there is room; those before it are lost, and counted.
    Latest,
    /// The newest are held until there is room; above a bound the oldest of them are lost, and counted.
    DropOldest,
    /// The connection ends with `SlowConsumer` before any is lost.
    Disconnect,
}

impl<'a> Subscribe<'a> {
    /// Subscribes to what is published from now on.
    pub fn to(interests: impl IntoIterator<Item = Interest<'a>>) -> Self {
        Self { subscriptions: interests.into_iter().map(Subscription::live).collect() }
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let header = |subscription: &Subscription<'a>| {
            let (kind, name, group) = header(&subscription.interest);
            (kind, name, group, subscription.start, subscription.when_slow)
        };
        wire::put(out, List(self.subscriptions.iter().map(header).collect()));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        type Whole<'a> = (u8, &'a [u8], Option<&'a [u8]>, Start, WhenSlow);
        let List(headers): List<Whole<'a>> = wire::take_all(body, "subscribe")?;
        let subscription = |(kind, name, group, start, when_slow): Whole<'a>| {
            let interest = decode_interest((kind, name, group))?;
            check_start(start, interest.group, when_slow)?;
            Ok(Subscription { interest, start, when_slow })
        };
        let subscriptions = headers.into_iter().map(subscription).collect::<Result<_, _>>();
        subscriptions.map(|subscriptions| Self { subscriptions })
    }
}

impl<'a> Subscription<'a> {
    /// Begins with what is published next, of which the newest are lost while the session is slow.
    #[must_use]
    pub fn live(interest: Interest<'a>) -> Self {
        Self { interest, start: Start::Live, when_slow: WhenSlow::DropNewest }
    }
}

impl Start {
    /// The number of its replay, if it has one.
    #[must_use]
    pub fn replay(self) -> Option<u32> {
        match self {
            Self::Live => None,
            Self::Last { replay, .. } | Self::Resume { replay, .. } => Some(replay),
        }
    }
}

fn check_start(
    start: Start,
    group: Option<GroupName<'_>>,
    when_slow: WhenSlow,
) -> Result<(), DecodeError> {
    let refused = |text: &'static str| Err(Refusal::new(Reason::InvalidArgument, text).into());
    match (start.replay(), group) {
        (Some(_), Some(_)) => refused("a queue group has no replay: its start must be 0, live"),
        (Some(0), None) => refused("replay 0 is none: expected another number"),
        (Some(_), None) if when_slow != WhenSlow::DropNewest => {
            refused("a replay waits for its reader: with it when_slow must be 0, drop_newest")
        }
        _ => Ok(()),
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
