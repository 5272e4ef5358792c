//! What channel-server answers.

use super::histories::RuleHeader;
use super::presence::{self, PresencePage};
use super::{HistoryRule, QueueStats};
use crate::QueueName;
use crate::envelope::{self, Message};
use crate::wire::{self, DecodeError, List};

const DONE: u8 = 0x90;
const PUBLISHED: u8 = 0x91;
const ENQUEUED: u8 = 0x92;
const QUEUES: u8 = 0x93;
const ASKED: u8 = 0x9C;
const SUBSCRIBED: u8 = 0x98;
const HISTORIES: u8 = 0x99;

/// An answer of channel-server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// Carried out; there is nothing more to say.
    Done,
    /// A message was handed out.
    Published {
        /// To how many sessions, each counted once for each delivery.
        receivers: u64,
    },
    /// A job was stored.
    Enqueued {
        /// Its number, unique as long as the server runs.
        job: u64,
    },
    /// A page of queues.
    Queues {
        /// Where the next page begins; 0 when this was the last.
        cursor: u64,
        /// The entries, in no particular order.
        queues: Vec<QueueStats<'a>>,
    },
    /// A question was handed to somebody.
    Asked {
        /// Its number, unique as long as the server runs.
        question: u64,
    },
    /// Who is there.
    Presence(PresencePage<'a>),
    /// Subscribed, not only to what is published from now on.
    Subscribed {
        /// Where each of the interests stands, in their order: for a channel the number of its last
        /// message, for a pattern the position of the last one that was kept.
        marks: Vec<u64>,
    },
    /// A page of the rules by which messages are kept.
    Histories {
        /// Where the next page begins; 0 when this was the last.
        cursor: u64,
        /// The entries, in no particular order.
        rules: Vec<HistoryRule<'a>>,
    },
}

type StatsHeader<'a> = (&'a [u8], u64, u64, u32, u64);

impl<'a> Message<'a> for Reply<'a> {
    fn operation(&self) -> u8 {
        match self {
            Self::Done => DONE,
            Self::Published { .. } => PUBLISHED,
            Self::Enqueued { .. } => ENQUEUED,
            Self::Queues { .. } => QUEUES,
            Self::Asked { .. } => ASKED,
            Self::Presence(_) => presence::PAGE,
            Self::Subscribed { .. } => SUBSCRIBED,
            Self::Histories { .. } => HISTORIES,
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Done => {}
            Self::Published { receivers } => wire::put(out, receivers),
            Self::Enqueued { job } => wire::put(out, job),
            Self::Queues { cursor, queues } => {
                let stats = queues.iter().map(stats_header).collect();
                wire::put(out, (cursor, List(stats)));
            }
            Self::Asked { question } => wire::put(out, question),
            Self::Presence(page) => page.put(out),
            Self::Subscribed { marks } => wire::put(out, List(marks.iter().collect())),
            Self::Histories { cursor, rules } => {
                let rules = rules.iter().map(HistoryRule::header).collect();
                wire::put(out, (cursor, List(rules)));
            }
        }
    }

    fn decode(operation: u8, body: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(match operation {
            DONE => {
                wire::take_all::<()>(body, "done")?;
                Self::Done
            }
            PUBLISHED => Self::Published { receivers: wire::take_all(body, "published")? },
            ENQUEUED => Self::Enqueued { job: wire::take_all(body, "enqueued")? },
            QUEUES => {
                let (cursor, List(stats)): (u64, List<StatsHeader<'a>>) =
                    wire::take_all(body, "queues")?;
                let queues = stats.into_iter().map(decode_stats).collect::<Result<_, _>>()?;
                Self::Queues { cursor, queues }
            }
            ASKED => Self::Asked { question: wire::take_all(body, "asked")? },
            presence::PAGE => Self::Presence(PresencePage::decode(body)?),
            SUBSCRIBED => {
                let List(marks) = wire::take_all(body, "subscribed")?;
                Self::Subscribed { marks }
            }
            HISTORIES => {
                let (cursor, List(rules)): (u64, List<RuleHeader<'a>>) =
                    wire::take_all(body, "histories")?;
                let rules = rules.into_iter().map(HistoryRule::decode).collect::<Result<_, _>>()?;
                Self::Histories { cursor, rules }
            }
            unknown => return Err(envelope::unknown_operation(unknown)),
        })
    }
}

fn stats_header<'a>(stats: &QueueStats<'a>) -> StatsHeader<'a> {
    (stats.queue.as_bytes(), stats.ready, stats.leased, stats.consumers, stats.oldest_ms)
}

fn decode_stats<'a>(header: StatsHeader<'a>) -> Result<QueueStats<'a>, DecodeError> {
    let (name, ready, leased, consumers, oldest_ms) = header;
    Ok(QueueStats { queue: QueueName::new(name)?, ready, leased, consumers, oldest_ms })
}
