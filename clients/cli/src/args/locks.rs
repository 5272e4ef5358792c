//! Arguments of the commands about locks.

use super::Set;
use clap::Args;
use std::time::Duration;

#[derive(Debug, Args)]
pub(crate) struct Lock {
    pub(crate) name: String,
    /// How long the lock outlives this process if that is stopped or cut off. It is renewed meanwhile,
    /// however long the command takes
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    pub(crate) ttl: Duration,
    /// How long to wait for the lock at most, 0s not to; without, as long as it takes
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) wait: Option<Duration>,
    /// How many may hold it at once; all who share it must name the same number
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) permits: u32,
    /// Command to run while the lock is held; it finds the fencing token in `WORKYARD_LOCK_TOKEN`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// Whether a write depends on the lock that it is done under.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Fence {
    /// Only if the lock is still held that `workyard lock` runs this under: the one that
    /// `WORKYARD_LOCK` and `WORKYARD_LOCK_TOKEN` name
    #[arg(long)]
    pub(crate) fenced: bool,
}

/// A write of a value that may depend on a lock.
#[derive(Debug, Args)]
pub(crate) struct FencedSet {
    #[command(flatten)]
    pub(crate) set: Set,
    #[command(flatten)]
    pub(crate) fence: Fence,
}

#[derive(Debug, Args)]
pub(crate) struct Locks {
    /// Only locks whose names begin so
    #[arg(default_value = "")]
    pub(crate) prefix: String,
}
