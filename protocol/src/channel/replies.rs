//! What channel-server answers.

use super::QueueStats;
use super::presence::{self, PresencePage};
use crate::QueueName;
use crate::envelope::{self, Message};
use crate::wire::{self, DecodeError, List};

const DONE: u8 = 0x90;
const PUBLISHED: u8 = 0x91;
const ENQUEUED: u8 = 0x92;
const QUEUES: u8 = 0x93;
const ASKED: u8 = 0x9C;

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
