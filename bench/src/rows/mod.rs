//! What is measured, row by row of the report.

mod catalogue;
mod glob;
mod pace;
mod scale;

pub(crate) use catalogue::{Sizes, all, is_quick};
pub(crate) use glob::matches;
pub(crate) use pace::Pace;
pub(crate) use scale::Axis;

use crate::load::Operation;
use crate::peer::{Family, Kind, Spoken};
use std::time::Duration;

/// One line of the report.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// What `--rows` selects by.
    pub(crate) name: String,
    /// What the table says.
    pub(crate) title: String,
    pub(crate) section: Section,
    pub(crate) work: Work,
    pub(crate) goal: Option<Goal>,
}

/// Rows with the same unit, which make one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Section {
    Saturated,
    Paced,
    Latency,
    Stalled,
    Keys,
    Jobs,
    Echo,
    Memory,
    Connects,
    /// A curve: its rows differ in one number only.
    Scale(Axis),
}

/// What one run does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    Fanout {
        publishers: usize,
        subscribers: usize,
        payload_bytes: usize,
        pace: Pace,
        via: Via,
    },
    /// Healthy subscribers, first alone and then beside others that never read.
    Stalled {
        healthy: usize,
        stalled: usize,
        pace: Pace,
    },
    Keys {
        operation: Operation,
        connections: usize,
        depth: usize,
        /// What the requests are spread over.
        keys: u64,
        pace: Pace,
    },
    /// Messages of 64 B and a little more, which a worker sends back.
    Echo {
        spoken: Spoken,
        connections: usize,
        /// Messages under way on each connection.
        depth: usize,
    },
    Jobs {
        producers: usize,
        consumers: usize,
        payload_bytes: usize,
    },
    Idle {
        family: Family,
        connections: usize,
        is_subscribed: bool,
    },
    Fill {
        keys: u64,
    },
    /// Jobs that nobody takes.
    Backlog {
        jobs: u64,
        delay: Duration,
    },
    Subscriptions {
        subscriptions: u32,
        connections: usize,
    },
    /// Publications to one channel after the other, each of which has one subscriber.
    Routed {
        subscriptions: u32,
        connections: usize,
    },
    Connects {
        connections: usize,
    },
}

/// What carries a message from one to many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// A channel.
    Channel,
    /// A channel whose last messages are kept.
    KeptChannel,
    /// A variable that they watch.
    Watch,
}

/// What Workyard has to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    /// At most this many times the limit server's CPU time.
    TimesLimit(f64),
    /// At most this many times the limit server's p50 and p99.
    TimesLatency(f64),
    /// At most this many times the p99 without what is added.
    TimesWithout(f64),
    /// At most this many bytes.
    Bytes(f64),
    /// At least this many per second.
    PerSecond(f64),
}

impl Work {
    /// What a server of `kind` is used for.
    pub(crate) fn family(self, kind: Kind) -> Family {
        match self {
            // The limit of many who watch is that of many who subscribe.
            Self::Fanout { via: Via::Watch, .. } if kind != Kind::Limit => Family::Keys,
            Self::Fanout { .. }
            | Self::Stalled { .. }
            | Self::Jobs { .. }
            | Self::Backlog { .. }
            | Self::Subscriptions { .. }
            | Self::Routed { .. }
            | Self::Connects { .. } => Family::Channels,
            Self::Keys { .. } | Self::Fill { .. } => Family::Keys,
            Self::Echo { spoken, .. } => Family::Echo(spoken),
            Self::Idle { family, .. } => family,
        }
    }

    /// Whether `kind` can do it at all. The limit servers keep neither keys nor subscriptions. For those that
    /// stall, a server must have a bound that a thousand of them can reach without filling the machine.
    pub(crate) fn suits(self, kind: Kind) -> bool {
        match self {
            Self::Jobs { .. } | Self::Backlog { .. } => kind == Kind::Workyard,
            Self::Fanout { via: Via::KeptChannel | Via::Watch, .. } => {
                matches!(kind, Kind::Limit | Kind::Workyard)
            }
            Self::Stalled { .. } => kind.is_ours(),
            Self::Fill { .. } | Self::Subscriptions { .. } | Self::Routed { .. }
                if kind == Kind::Limit =>
            {
                false
            }
            _ => kind.serves(self.family(kind)),
        }
    }

    /// Whether a server that has worked before would spoil the figure.
    pub(crate) fn needs_fresh_server(self) -> bool {
        !matches!(
            self,
            Self::Fanout { via: Via::Channel, .. }
                | Self::Jobs { .. }
                | Self::Keys { .. }
                | Self::Echo { .. }
        )
    }

    /// Connections that are open at once.
    pub(crate) fn connections(self) -> usize {
        match self {
            Self::Fanout { publishers, subscribers, .. } => publishers + subscribers,
            Self::Stalled { healthy, stalled, .. } => 1 + healthy + stalled,
            Self::Jobs { producers, consumers, .. } => producers + consumers,
            Self::Keys { connections, .. }
            | Self::Echo { connections, .. }
            | Self::Idle { connections, .. }
            | Self::Subscriptions { connections, .. }
            | Self::Routed { connections, .. }
            | Self::Connects { connections } => connections,
            Self::Fill { .. } | Self::Backlog { .. } => 1,
        }
    }
}
