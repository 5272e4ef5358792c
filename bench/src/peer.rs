//! The kinds of server that are measured, and one that runs.

use std::fmt;
use std::net::SocketAddr;

/// A kind of server. The order is that of the tables' columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Moves the same bytes without looking at them: what the ratios are to.
    Limit,
    /// channel-server and globaldata-server.
    Workyard,
    Redis,
    Nats,
    Memcached,
}

/// What a server is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Family {
    /// Publish and subscribe.
    Channels,
    /// Shared variables.
    Keys,
}

/// A server that runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) kind: Kind,
    pub(crate) addr: SocketAddr,
    /// The process to account for.
    pub(crate) pid: u32,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] =
        [Self::Limit, Self::Workyard, Self::Redis, Self::Nats, Self::Memcached];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Workyard => "workyard",
            Self::Redis => "redis",
            Self::Nats => "nats",
            Self::Memcached => "memcached",
        }
    }

    pub(crate) fn serves(self, family: Family) -> bool {
        match self {
            Self::Limit | Self::Workyard | Self::Redis => true,
            Self::Nats => family == Family::Channels,
            Self::Memcached => family == Family::Keys,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
