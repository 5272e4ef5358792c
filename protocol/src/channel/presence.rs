//! Presence: who has entered a channel, told when asked and as it changes.

use crate::limits::IDENTITY_BYTES_MAX;
use crate::wire::{self, DecodeError, List};
use crate::{ChannelName, GroupName, Reason, Refusal};

pub(super) const ENTER: u8 = 0x2B;
pub(super) const PRESENCE: u8 = 0x2C;
pub(super) const FOLLOW: u8 = 0x2D;
pub(super) const PAGE: u8 = 0x9D;
pub(super) const CHANGE: u8 = 0xC8;

const JOINED: u8 = 0;
const LEFT: u8 = 1;
const MISSED: u8 = 2;

/// Makes the session a member of the channel, or ends that; answered by `Done`.
///
/// To enter again changes the identity. It has nothing to do with subscribing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enter<'a> {
    /// The channel.
    pub channel: ChannelName<'a>,
    /// What others are told of this session, at most 1024 bytes; without, it leaves.
    pub identity: Option<&'a [u8]>,
}

/// Asks who is there; answered by a page of members, and how many there are of everybody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presence<'a> {
    /// The channel.
    pub channel: ChannelName<'a>,
    /// 0 at first, then what the page before returned.
    pub cursor: u64,
    /// Most members wanted, 1 to 1000.
    pub limit: u32,
}

/// Has the session told of every change from now on, or no more; answered by `Done`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowPresence<'a> {
    /// The channel.
    pub channel: ChannelName<'a>,
    /// Whether it follows from now on, or no more.
    pub on: bool,
}

/// A session that has entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// Its number, as its welcome had it.
    pub session: u64,
    /// What it entered with.
    pub identity: &'a [u8],
}

/// Who is there: counts of the whole channel, and a page of its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresencePage<'a> {
    /// Where the next page begins; 0 when this was the last.
    pub cursor: u64,
    /// Sessions that subscribed to the channel by its name, groups apart.
    pub subscribers: u64,
    /// Subscriptions to patterns that match it, groups apart.
    pub pattern_subscribers: u64,
    /// Sessions that serve it.
    pub responders: u64,
    /// Sessions that have entered.
    pub members: u64,
    /// How many queue groups there are.
    pub groups: u64,
    /// The first hundred of them by name, each with its subscriptions to the channel and to patterns that
    /// match it.
    pub group_list: Vec<(GroupName<'a>, u64)>,
    /// Members, in the order in which they entered.
    pub member_list: Vec<Member<'a>>,
}

/// Something that happened to who is there, for those who follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresenceChange<'a> {
    /// The channel.
    pub channel: ChannelName<'a>,
    /// What happened.
    pub change: Change<'a>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// A session entered, or has another identity now.
    Joined(Member<'a>),
    /// A session left, or its connection ended.
    Left {
        /// Its number.
        session: u64,
    },
    /// This session did not read, and changes were not told: ask who is there.
    Missed,
}

impl<'a> Enter<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.channel.as_bytes(), self.identity));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (name, identity): (&[u8], Option<&[u8]>) = wire::take_all(body, "enter")?;
        if let Some(bytes) = identity.map(<[u8]>::len)
            && bytes > IDENTITY_BYTES_MAX
        {
            let text = format!("an identity of {bytes} bytes is above {IDENTITY_BYTES_MAX}");
            return Err(Refusal::new(Reason::InvalidArgument, text).into());
        }
        Ok(Self { channel: ChannelName::new(name)?, identity })
    }
}

impl<'a> Presence<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.channel.as_bytes(), self.cursor, self.limit));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (name, cursor, limit): (&[u8], _, _) = wire::take_all(body, "presence")?;
        wire::check_page_limit(limit)?;
        Ok(Self { channel: ChannelName::new(name)?, cursor, limit })
    }
}

impl<'a> FollowPresence<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.channel.as_bytes(), self.on));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (name, on): (&[u8], bool) = wire::take_all(body, "follow_presence")?;
        Ok(Self { channel: ChannelName::new(name)?, on })
    }
}

type Counts = (u64, u64, u64, u64, u64);
type PageHeader<'a> = (u64, Counts, List<(&'a [u8], u64)>, List<(u64, &'a [u8])>);

impl<'a> PresencePage<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let counts: Counts = (
            self.subscribers,
            self.pattern_subscribers,
            self.responders,
            self.members,
            self.groups,
        );
        let groups = self.group_list.iter().map(|(name, count)| (name.as_bytes(), *count));
        let members = self.member_list.iter().map(|member| (member.session, member.identity));
        let header: PageHeader<'_> =
            (self.cursor, counts, List(groups.collect()), List(members.collect()));
        wire::put(out, header);
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (cursor, counts, List(groups), List(members)): PageHeader<'a> =
            wire::take_all(body, "presence_page")?;
        let (subscribers, pattern_subscribers, responders, total, group_count) = counts;
        let group = |(name, count)| Ok((GroupName::new(name)?, count));
        let group_list = groups.into_iter().map(group).collect::<Result<_, DecodeError>>()?;
        let member = |(session, identity)| Member { session, identity };
        Ok(Self {
            cursor,
            subscribers,
            pattern_subscribers,
            responders,
            members: total,
            groups: group_count,
            group_list,
            member_list: members.into_iter().map(member).collect(),
        })
    }
}

impl<'a> PresenceChange<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let (kind, session, identity): (u8, u64, &[u8]) = match self.change {
            Change::Joined(Member { session, identity }) => (JOINED, session, identity),
            Change::Left { session } => (LEFT, session, &[]),
            Change::Missed => (MISSED, 0, &[]),
        };
        wire::put(out, (kind, self.channel.as_bytes(), session, identity));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        type Header<'a> = (u8, &'a [u8], u64, &'a [u8]);
        let (kind, name, session, identity): Header<'a> = wire::take_all(body, "presence change")?;
        let change = match (kind, session, identity) {
            (JOINED, session, identity) => Change::Joined(Member { session, identity }),
            (LEFT, session, []) => Change::Left { session },
            (MISSED, 0, []) => Change::Missed,
            _ => {
                let text = format!("change kind {kind} is unknown, or has more than it should");
                return Err(Refusal::new(Reason::InvalidArgument, text).into());
            }
        };
        Ok(Self { channel: ChannelName::new(name)?, change })
    }
}
