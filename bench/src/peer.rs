//! The kinds of server that are measured, and one that runs.

use crate::trace::Tool;
use std::fmt;
use std::net::SocketAddr;

/// A kind of server. The order is that of the tables' columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Moves the same bytes without looking at them: what the ratios are to.
    Limit,
    /// channel-server and globaldata-server.
    Workyard,
    /// The same, spoken to as clients of workerman/channel and workerman/globaldata speak.
    Workerman,
    /// Those clients' own servers, in PHP. They are there when somebody says where.
    #[value(skip)]
    Original,
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
    /// A worker that sends back what it receives.
    Echo(Spoken),
}

/// What a worker speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub(crate) enum Spoken {
    /// Length-prefixed messages.
    Frame,
    /// Lines.
    Text,
    WebSocket,
    /// Requests, each answered with a greeting; the limit is plain hyper.
    Http,
}

impl Spoken {
    pub(crate) const ALL: [Self; 4] = [Self::Frame, Self::Text, Self::WebSocket, Self::Http];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Text => "text",
            Self::WebSocket => "web-socket",
            Self::Http => "http",
        }
    }
}

/// A server that runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) kind: Kind,
    pub(crate) addr: SocketAddr,
    /// The process to account for.
    pub(crate) pid: u32,
    /// What looks on.
    pub(crate) tool: Option<Tool>,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] = [
        Self::Limit,
        Self::Workyard,
        Self::Workerman,
        Self::Original,
        Self::Redis,
        Self::Nats,
        Self::Memcached,
    ];

    /// Those that can be started without being told where they are.
    pub(crate) const USUAL: [Self; 6] =
        [Self::Limit, Self::Workyard, Self::Workerman, Self::Redis, Self::Nats, Self::Memcached];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Workyard => "workyard",
            Self::Workerman => "workerman",
            Self::Original => "original",
            Self::Redis => "redis",
            Self::Nats => "nats",
            Self::Memcached => "memcached",
        }
    }

    /// What heads its column.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Workerman => "workyard, Workerman's wire",
            Self::Original => "Workerman itself",
            _ => self.name(),
        }
    }

    /// Whether it is one of the daemons of this project.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Workyard | Self::Workerman)
    }

    pub(crate) fn serves(self, family: Family) -> bool {
        match self {
            Self::Limit | Self::Workyard => true,
            Self::Workerman | Self::Original | Self::Redis => !matches!(family, Family::Echo(_)),
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
