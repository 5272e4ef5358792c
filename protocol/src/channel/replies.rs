//! What channel-server answers.

use super::dead::DeadHeader;
use super::histories::RuleHeader;
use super::presence::{self, PresencePage};
use super::settings::{InForceHeader, SettingsHeader};
use super::{DeadJob, HistoryRule, QueueSettings, QueueStats, SettingsInForce};
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
const RENEWED: u8 = 0x94;
const COUNTED: u8 = 0x95;
const SETTINGS: u8 = 0x96;
const DEAD: u8 = 0x97;

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
        /// It was stored before, under the id that the publisher gave it.
        duplicate: bool,
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
    /// Leases were prolonged.
    Renewed {
        /// Those that were asked for and are not this session's, or not any more.
        lost: Vec<u64>,
    },
    /// Jobs were removed or moved.
    Counted {
        /// How many.
        jobs: u64,
        /// Where to go on; 0 when that was all.
        cursor: u64,
    },
    /// What a queue is set to.
    Settings {
        /// What it has of its own.
        own: QueueSettings,
        /// What it works by.
        in_force: SettingsInForce,
    },
    /// A page of dead letters.
    Dead {
        /// Where the next page begins; 0 when this was the last.
        cursor: u64,
        /// The entries, by their numbers.
        jobs: Vec<DeadJob<'a>>,
    },
}

type StatsHeader<'a> = (&'a [u8], u64, u64, u64, u64, u32, u64);

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
            Self::Renewed { .. } => RENEWED,
            Self::Counted { .. } => COUNTED,
            Self::Settings { .. } => SETTINGS,
            Self::Dead { .. } => DEAD,
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Done => {}
            Self::Published { receivers } => wire::put(out, receivers),
            Self::Enqueued { job, duplicate } => wire::put(out, (job, duplicate)),
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
            Self::Renewed { lost } => wire::put(out, List(lost.clone())),
            Self::Counted { jobs, cursor } => wire::put(out, (jobs, cursor)),
            Self::Settings { own, in_force } => {
                wire::put(out, (own.header(), in_force.header()));
            }
            Self::Dead { cursor, jobs } => {
                let jobs = jobs.iter().map(DeadJob::header).collect();
                wire::put(out, (cursor, List(jobs)));
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
            ENQUEUED => {
                let (job, duplicate) = wire::take_all(body, "enqueued")?;
                Self::Enqueued { job, duplicate }
            }
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
            RENEWED => {
                let List(lost) = wire::take_all(body, "renewed")?;
                Self::Renewed { lost }
            }
            COUNTED => {
                let (jobs, cursor) = wire::take_all(body, "counted")?;
                Self::Counted { jobs, cursor }
            }
            SETTINGS => {
                let (own, in_force): (SettingsHeader, InForceHeader) =
                    wire::take_all(body, "settings")?;
                let own = QueueSettings::decode(own)?;
                Self::Settings { own, in_force: SettingsInForce::decode(in_force)? }
            }
            DEAD => {
                let (cursor, List(jobs)): (u64, List<DeadHeader<'a>>) =
                    wire::take_all(body, "dead")?;
                let jobs = jobs.into_iter().map(DeadJob::decode).collect::<Result<_, _>>()?;
                Self::Dead { cursor, jobs }
            }
            unknown => return Err(envelope::unknown_operation(unknown)),
        })
    }
}

fn stats_header<'a>(stats: &QueueStats<'a>) -> StatsHeader<'a> {
    let QueueStats { queue, ready, leased, delayed, dead, consumers, oldest_ms } = *stats;
    (queue.as_bytes(), ready, leased, delayed, dead, consumers, oldest_ms)
}

fn decode_stats<'a>(header: StatsHeader<'a>) -> Result<QueueStats<'a>, DecodeError> {
    let (name, ready, leased, delayed, dead, consumers, oldest_ms) = header;
    let queue = QueueName::new(name)?;
    Ok(QueueStats { queue, ready, leased, delayed, dead, consumers, oldest_ms })
}
