//! Arguments of the commands about channels.

use super::Kind;
use clap::{Args, Subcommand, ValueEnum};
use std::time::Duration;
use workyard_channel::WhenSlow;

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
    /// Lose nothing to lost connections, as far as the server keeps the channels
    #[arg(long, conflicts_with = "group")]
    pub(crate) history: bool,
    /// The same, and begin with so many of the last messages of each channel
    #[arg(long, value_name = "COUNT", conflicts_with = "group")]
    pub(crate) last: Option<u64>,
    /// What becomes of messages for which there is no room, here or at the server
    #[arg(long, value_name = "WHAT", default_value = "drop-newest", conflicts_with_all = ["history", "last"])]
    pub(crate) when_slow: Slow,
    /// Stop after this many
    #[arg(long, short = 'n', value_name = "COUNT")]
    pub(crate) count: Option<u64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Slow {
    /// They are lost, and counted
    DropNewest,
    /// The oldest that wait are lost, and counted
    DropOldest,
    /// All but the latest of each channel are lost, and counted
    Latest,
    /// The command ends before any is lost
    Disconnect,
}

impl From<Slow> for WhenSlow {
    fn from(slow: Slow) -> Self {
        match slow {
            Slow::DropNewest => Self::DropNewest,
            Slow::DropOldest => Self::DropOldest,
            Slow::Latest => Self::Latest,
            Slow::Disconnect => Self::Disconnect,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum History {
    /// Keep the messages of all channels that match
    Keep(HistoryKeep),
    /// Forget what a rule keeps, and the rule
    Drop(HistoryDrop),
    /// List the rules
    List(HistoryList),
}

#[derive(Debug, Args)]
pub(crate) struct HistoryKeep {
    /// A channel, or a pattern as in `orders.>`
    pub(crate) pattern: String,
    /// Messages of each channel at most
    #[arg(long, value_name = "COUNT", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) messages_max: u64,
    /// Bytes in the messages of each channel at most
    #[arg(long, value_name = "BYTES", default_value_t = 1_048_576, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) bytes_max: u64,
    /// How long a message is kept
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = humantime::parse_duration)]
    pub(crate) age: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryDrop {
    /// The pattern, as it was given
    pub(crate) pattern: String,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryList {
    /// How the patterns begin
    #[arg(default_value = "")]
    pub(crate) prefix: String,
}
