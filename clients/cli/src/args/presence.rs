//! Arguments of the command about presence.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Presence {
    pub(crate) channel: String,
    /// Print who comes and goes, until it is stopped
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Enter as this, and stay until it is stopped
    #[arg(long, value_name = "IDENTITY")]
    pub(crate) enter: Option<String>,
    /// Stop after this many changes
    #[arg(long, short = 'n', value_name = "COUNT", requires = "follow")]
    pub(crate) count: Option<u64>,
}
