//! Arguments of the commands about changes of variables.

use clap::Args;
use std::time::Duration;
use workyard_globaldata::Position;

#[derive(Debug, Args)]
pub(crate) struct Changes {
    /// The variable, or with --prefix how the keys begin
    #[arg(required_unless_present = "prefix", default_value = "", hide_default_value = true)]
    pub(crate) key: String,
    /// All variables whose keys begin so; all there are without a key
    #[arg(long, short)]
    pub(crate) prefix: bool,
    /// Changes from now on only, not what is there
    #[arg(long, conflicts_with = "after")]
    pub(crate) from_now: bool,
    /// All changes after this position, which --json prints with each event
    #[arg(long, value_name = "POSITION")]
    pub(crate) after: Option<Position>,
    /// Which variables change, without their values
    #[arg(long)]
    pub(crate) no_values: bool,
    /// Stop after this many events
    #[arg(long, short = 'n', value_name = "COUNT")]
    pub(crate) count: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Wait {
    pub(crate) key: String,
    /// Until it is not of this revision; without, until it is not what it is now
    #[arg(long, value_name = "NUMBER")]
    pub(crate) revision: Option<u64>,
    /// Until it exists
    #[arg(long, conflicts_with = "revision")]
    pub(crate) absent: bool,
    /// So long at most, as in `30s`; without, as long as it takes
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) time: Option<Duration>,
}
