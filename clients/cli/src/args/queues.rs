//! Arguments of the commands about queues.

use super::Kind;
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Queue {
    /// Add jobs to a queue
    Push(QueuePush),
    /// Take jobs from a queue, run a command for each, and acknowledge those that succeed
    Work(QueueWork),
    /// Print what is in the queues
    Stats(QueueStats),
}

#[derive(Debug, Args)]
pub(crate) struct QueuePush {
    pub(crate) queue: String,
    /// The jobs; `-` or none reads each line of standard input as one
    #[arg(default_value = "-", allow_negative_numbers = true)]
    pub(crate) job: Vec<String>,
    #[command(flatten)]
    pub(crate) kind: Kind,
}

#[derive(Debug, Args)]
pub(crate) struct QueueWork {
    pub(crate) queue: String,
    /// Command to run for each job, which it reads from standard input; without one jobs are printed
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// How many jobs to hold at once
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=65_535))]
    pub(crate) prefetch: u32,
    /// Stop after this many
    #[arg(long, short = 'n', value_name = "COUNT")]
    pub(crate) count: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct QueueStats {
    /// Only queues whose names begin so
    #[arg(default_value = "")]
    pub(crate) prefix: String,
}
