//! What channel-server sends unasked: messages, notices of messages that are gone, jobs, questions, presence.

use super::Answer;
use super::presence::{self, PresenceChange};
use super::question::{self, Question, Unanswered};
use crate::envelope::{self, Message};
use crate::wire::{self, Bytes, DecodeError, Uint};
use crate::{ChannelName, GroupName, QueueName, Reason, Refusal, ValueRef};

const MESSAGE: u8 = 0xC0;
const GAP: u8 = 0xC1;
const JOB: u8 = 0xC2;
const REPLAYED: u8 = 0xC3;
const CAUGHT_UP: u8 = 0xC4;

const EVERYBODY: u8 = 0;
const ONE: u8 = 1;
const GROUP: u8 = 2;

/// Something that channel-server sends unasked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Push<'a> {
    /// A message on a channel that the session subscribed to.
    Message {
        /// Why this session has it.
        delivery: Delivery<'a>,
        /// Where it was published.
        channel: ChannelName<'a>,
        /// Its number among the channel's messages; 0 for [`Delivery::One`], which takes none.
        sequence: u64,
        /// Its number among everything that was kept; 0 for what was not.
        position: u64,
        /// What was published.
        value: ValueRef<'a>,
    },
    /// Messages that the session should have received and will not.
    ///
    /// It stands in the stream where they would have stood.
    Gap {
        /// Their channel; nothing when too many channels were affected to keep them apart.
        channel: Option<ChannelName<'a>>,
        /// The number of the first of them; 0 when none of them has one, or of several channels.
        from: u64,
        /// The number of the last of them; 0 with `from`.
        to: u64,
        /// How many, those in between that were another's not counted; 0 when nobody knows.
        missed: u64,
        /// The replay in which they are missing; 0 for what is missing of what is published.
        replay: u32,
    },
    /// A job, held by this session until it acknowledges it, the lease is over, or it disconnects.
    Job {
        /// The queue it comes from.
        queue: QueueName<'a>,
        /// Its number.
        job: u64,
        /// How often it has been handed out: 1 at first.
        attempt: u32,
        /// The number of this hand-out, for the acknowledgement. Later ones are higher.
        lease: u64,
        /// After so many milliseconds the job is somebody else's, unless the lease is renewed; 0 for
        /// not before the session ends.
        lease_ms: u32,
        /// The job.
        value: ValueRef<'a>,
    },
    /// A question for this session alone.
    Question(Question<'a>),
    /// What became of a question that the session asked.
    Answered(Answer<'a>),
    /// That nothing will become of it.
    Unanswered(Unanswered),
    /// Who is there has changed, on a channel that the session follows.
    Presence(PresenceChange<'a>),
    /// A message that was kept.
    Replayed {
        /// The replay that it is part of.
        replay: u32,
        /// Where it was published.
        channel: ChannelName<'a>,
        /// Its number among the channel's messages.
        sequence: u64,
        /// Its number among everything that was kept.
        position: u64,
        /// What was published.
        value: ValueRef<'a>,
    },
    /// A replay has ended: what was published since comes as messages.
    CaughtUp {
        /// Which.
        replay: u32,
        /// Where its interest stands: what to resume from if nothing else comes.
        mark: u64,
    },
}

/// For which of its interests a session received a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery<'a> {
    /// For all of those that have no group.
    Everybody,
    /// For one of those that have no group: the publisher wanted one receiver.
    One,
    /// For those in this group.
    Group(GroupName<'a>),
}

impl<'a> Message<'a> for Push<'a> {
    fn operation(&self) -> u8 {
        match self {
            Self::Message { .. } => MESSAGE,
            Self::Gap { .. } => GAP,
            Self::Job { .. } => JOB,
            Self::Question(_) => question::QUESTION,
            Self::Answered(_) => question::ANSWERED,
            Self::Unanswered(_) => question::UNANSWERED,
            Self::Presence(_) => presence::CHANGE,
            Self::Replayed { .. } => REPLAYED,
            Self::CaughtUp { .. } => CAUGHT_UP,
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Message { delivery, channel, sequence, position, value } => {
                let (kind, group): (u8, &[u8]) = match delivery {
                    Delivery::Everybody => (EVERYBODY, &[]),
                    Delivery::One => (ONE, &[]),
                    Delivery::Group(group) => (GROUP, group.as_bytes()),
                };
                let (channel, group) = (Bytes(channel.as_bytes()), Bytes(group));
                let (sequence, position) = (Uint(*sequence), Uint(*position));
                let tag = value.tag().code();
                wire::put(out, (kind, channel, group, sequence, position, tag));
                value.put(out);
            }
            Self::Gap { channel, from, to, missed, replay } => {
                wire::put(out, (channel.map(ChannelName::as_bytes), from, to, missed, replay));
            }
            Self::Job { queue, job, attempt, lease, lease_ms, value } => {
                let (queue, job, lease) = (Bytes(queue.as_bytes()), Uint(*job), Uint(*lease));
                let tag = value.tag().code();
                wire::put(out, (queue, job, attempt, lease, lease_ms, tag));
                value.put(out);
            }
            Self::Question(question) => question.put(out),
            Self::Answered(answer) => answer.put(out),
            Self::Unanswered(unanswered) => unanswered.put(out),
            Self::Presence(change) => change.put(out),
            Self::Replayed { replay, channel, sequence, position, value } => {
                let tag = value.tag().code();
                wire::put(out, (replay, channel.as_bytes(), sequence, position, tag));
                value.put(out);
            }
            Self::CaughtUp { replay, mark } => wire::put(out, (replay, mark)),
        }
    }

    fn decode(operation: u8, body: &'a [u8]) -> Result<Self, DecodeError> {
        match operation {
            MESSAGE => decode_message(body),
            GAP => {
                type Header<'a> = (Option<&'a [u8]>, u64, u64, u64, u32);
                let (name, from, to, missed, replay): Header<'_> = wire::take_all(body, "gap")?;
                let channel = name.map(ChannelName::new).transpose()?;
                Ok(Self::Gap { channel, from, to, missed, replay })
            }
            JOB => {
                type Header<'a> = (&'a [u8], u64, u32, u64, u32, u8);
                let ((name, job, attempt, lease, lease_ms, tag), payload): (Header<'_>, _) =
                    wire::take(body, "job")?;
                let value = ValueRef::from_wire(tag, payload)?;
                let queue = QueueName::new(name)?;
                Ok(Self::Job { queue, job, attempt, lease, lease_ms, value })
            }
            question::QUESTION => Ok(Self::Question(Question::decode(body)?)),
            question::ANSWERED => Ok(Self::Answered(Answer::decode(body, "answered")?)),
            question::UNANSWERED => Ok(Self::Unanswered(Unanswered::decode(body)?)),
            presence::CHANGE => Ok(Self::Presence(PresenceChange::decode(body)?)),
            REPLAYED => decode_replayed(body),
            CAUGHT_UP => {
                let (replay, mark) = wire::take_all(body, "caught_up")?;
                Ok(Self::CaughtUp { replay, mark })
            }
            unknown => Err(envelope::unknown_operation(unknown)),
        }
    }
}

fn decode_message(body: &[u8]) -> Result<Push<'_>, DecodeError> {
    type Header<'a> = (u8, &'a [u8], &'a [u8], u64, u64, u8);
    let ((kind, name, group, sequence, position, tag), payload): (Header<'_>, _) =
        wire::take(body, "message")?;
    let delivery = match (kind, group) {
        (EVERYBODY, []) => Delivery::Everybody,
        (ONE, []) => Delivery::One,
        (GROUP, group) => Delivery::Group(GroupName::new(group)?),
        (kind, _) => {
            let text = format!("delivery kind {kind} is unknown, or has a group and should not");
            return Err(Refusal::new(Reason::InvalidArgument, text).into());
        }
    };
    let value = ValueRef::from_wire(tag, payload)?;
    Ok(Push::Message { delivery, channel: ChannelName::new(name)?, sequence, position, value })
}

fn decode_replayed(body: &[u8]) -> Result<Push<'_>, DecodeError> {
    type Header<'a> = (u32, &'a [u8], u64, u64, u8);
    let ((replay, name, sequence, position, tag), payload): (Header<'_>, _) =
        wire::take(body, "replayed")?;
    let value = ValueRef::from_wire(tag, payload)?;
    Ok(Push::Replayed { replay, channel: ChannelName::new(name)?, sequence, position, value })
}
