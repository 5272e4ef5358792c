//! Arguments of the commands about requests.

use super::Kind;
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Request {
    /// Whom to ask: one of those who serve it
    pub(crate) channel: String,
    /// What; `-` or nothing reads each line of standard input as a request
    #[arg(default_value = "-", allow_negative_numbers = true)]
    pub(crate) message: String,
    /// Let another one answer when the first is gone without an answer, even if it may have done the work
    #[arg(long)]
    pub(crate) repeatable: bool,
    #[command(flatten)]
    pub(crate) kind: Kind,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    pub(crate) channel: String,
    /// Command to run for each request, which it reads from standard input. What it prints is the answer;
    /// when it fails, the request is declined
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// How many commands may run at once
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) at_once: u32,
    /// Stop after this many
    #[arg(long, short = 'n', value_name = "COUNT")]
    pub(crate) count: Option<u64>,
    #[command(flatten)]
    pub(crate) kind: Kind,
}
