//! Arguments of the commands about channels.

use super::Kind;
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Pub {
    /// Where to
    pub(crate) channel: String,
    /// What; `-` or nothing reads each line of standard input as a message
    #[arg(default_value = "-", allow_negative_numbers = true)]
    pub(crate) message: String,
    /// Another channel to publish to; may be given several times
    #[arg(long, value_name = "CHANNEL")]
    pub(crate) also: Vec<String>,
    /// To one subscriber, each in its turn, instead of all
    #[arg(long)]
    pub(crate) one: bool,
    /// Exit with 1 when nobody received it
    #[arg(long)]
    pub(crate) expect_receivers: bool,
    #[command(flatten)]
    pub(crate) kind: Kind,
}

#[derive(Debug, Args)]
pub(crate) struct Sub {
    /// Channels, by name
    #[arg(required_unless_present = "pattern")]
    pub(crate) channel: Vec<String>,
    /// Channels that match: `orders.*` one token, `orders.>` all that follow
    #[arg(long, short)]
    pub(crate) pattern: Vec<String>,
    /// Share the messages with the other subscribers of this group
    #[arg(long, short)]
    pub(crate) group: Option<String>,
    /// Stop after this many
    #[arg(long, short = 'n', value_name = "COUNT")]
    pub(crate) count: Option<u64>,
}
