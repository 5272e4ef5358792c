//! The command line: every command, flag and their help.

mod changes;
mod containers;
mod locks;
mod messages;
mod presence;
mod queues;
mod requests;
mod variables;
mod watch;

pub(crate) use changes::*;
pub(crate) use containers::*;
pub(crate) use locks::*;
pub(crate) use messages::*;
pub(crate) use presence::*;
pub(crate) use queues::*;
pub(crate) use requests::*;
pub(crate) use variables::*;
pub(crate) use watch::*;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::path::PathBuf;
use std::time::Duration;
use workyard_daemon::ListenAddress;

const AFTER_HELP: &str = "\
Exit codes: 0 done; 1 the answer is no (no such key, conflict, exists already, no receivers with \
--expect-receivers, a request that nobody serves or that is declined, a lock that others hold, a wait for nothing); 2 wrong usage; 3 server unreachable; 4 no answer in time; 5 refused by the \
server; 6 anything else.";

/// Shared services for programs that run as many worker processes.
#[derive(Debug, Parser)]
#[command(name = "workyard", version, after_help = AFTER_HELP, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Address of the server that the command talks to: HOST:PORT or unix:///PATH.
    /// Several for a sharded globaldata
    #[arg(long, global = true, value_name = "ADDRESS", value_delimiter = ',')]
    pub(crate) server: Vec<String>,
    /// Print JSON, one document a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// How long to wait for an answer
    #[arg(long, global = true, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Duration,
    /// Read addresses from this file: `channel = "…"` and `globaldata = ["…"]`
    #[arg(long, global = true, value_name = "FILE", env = "WORKYARD_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run both daemons in the foreground, and show that they work
    Up(Up),
    /// Reload or restart a program when its files change, as `file-monitor` does
    #[command(disable_help_flag = true, disable_version_flag = true)]
    Watch(Watch),
    /// Publish a message
    Pub(Pub),
    /// Print messages as they come
    Sub(Sub),
    /// Say which channels' messages are kept
    #[command(subcommand)]
    History(History),
    /// Ask whoever serves a channel, and print the answer
    Request(Request),
    /// Serve a channel: run a command for each request, and answer with what it prints
    Serve(Serve),
    /// Print who is in a channel; enter it, or follow who comes and goes
    Presence(Presence),
    /// Push, work on and look at queues of jobs
    #[command(subcommand)]
    Queue(Queue),
    /// Print the value of variables
    Get(Get),
    /// Set a variable
    Set(FencedSet),
    /// Set a variable that does not exist yet
    Add(FencedSet),
    /// Set a variable that is as expected
    Cas(Cas),
    /// Add to a number
    Incr(Incr),
    /// Put text behind the text of a variable
    Append(Append),
    /// Put text before the text of a variable
    Prepend(Append),
    /// Lower a number to another, if it is above that
    Min(OneNumber),
    /// Raise a number to another, if it is below that
    Max(OneNumber),
    /// Set a variable and print the value that it had
    Swap(Set),
    /// Print the value of a variable and remove it
    Take(OneKey),
    /// Count, and say whether that is within a limit
    RateLimit(RateLimit),
    /// Push, pop and look at a list
    #[command(subcommand)]
    List(List),
    /// Add to, remove from and ask a set
    #[command(subcommand)]
    Members(Members),
    /// Set, get, remove and count in the fields of a map
    #[command(subcommand)]
    Map(Map),
    /// Remove variables
    Del(Del),
    /// Let a variable expire after a time, from now on
    Touch(Touch),
    /// Let a variable live for ever
    Persist(OneKey),
    /// Print how long a variable still lives
    Ttl(OneKey),
    /// List variables
    Keys(Keys),
    /// Count variables
    Count(Count),
    /// Print how variables stand, and then every change as it comes
    Changes(Changes),
    /// Wait until a variable changes, and print its value
    Wait(Wait),
    /// Run a command while holding a lock; exits with the command's code, 128 and the signal for one that a
    /// signal ended, 6 for one that says it succeeded though the lock was lost
    Lock(Lock),
    /// List the locks that are held or waited for
    Locks(Locks),
    /// Ask both servers, or one, how long they take to answer
    Ping(Ping),
    /// Measure the servers
    #[command(subcommand)]
    Bench(Bench),
    /// Print a completion script for a shell
    Completions(Completions),
    /// One of the processes that `up` starts to show that the daemons work
    #[command(hide = true)]
    CheckWorker(CheckWorker),
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Where channel-server listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:2206", value_delimiter = ',')]
    pub(crate) channel_listen: Vec<ListenAddress>,
    /// Where globaldata-server listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:2207", value_delimiter = ',')]
    pub(crate) globaldata_listen: Vec<ListenAddress>,
    /// Do not show that they work
    #[arg(long)]
    pub(crate) no_check: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Ping {
    /// Which server; both if none is named
    #[arg(value_enum)]
    pub(crate) service: Option<Service>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Service {
    Channel,
    Globaldata,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Publish to subscribers and time the deliveries
    Pub(BenchPub),
    /// Read and write variables and time the answers
    Kv(BenchKv),
    /// Ask whoever serves a channel and time the answers
    Request(BenchRequest),
}

#[derive(Debug, Args)]
pub(crate) struct BenchPub {
    /// Subscribers, each on a connection of its own
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) subscribers: u32,
    /// Messages to publish
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) messages: u64,
    /// Bytes in each, at least 8
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(8..=1_048_576))]
    pub(crate) size: u32,
}

#[derive(Debug, Args)]
pub(crate) struct BenchKv {
    /// Connections
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) connections: u32,
    /// Requests under way on each
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) depth: u32,
    /// Requests in all
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) requests: u64,
    /// Bytes of each value
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    pub(crate) size: u32,
    /// What to do
    #[arg(long, value_enum, default_value_t = KvOperation::Get)]
    pub(crate) operation: KvOperation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KvOperation {
    Get,
    Set,
    Incr,
    Cas,
}

#[derive(Debug, Args)]
pub(crate) struct BenchRequest {
    /// Responders, each on a connection of its own
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) responders: u32,
    /// Requests under way at once
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) depth: u32,
    /// Requests in all
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) requests: u64,
    /// Bytes of each request, and of each answer
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(0..=1_048_576))]
    pub(crate) size: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct CheckWorker {
    #[arg(long)]
    pub(crate) channel: String,
    #[arg(long)]
    pub(crate) globaldata: String,
    #[arg(long)]
    pub(crate) name: String,
    #[arg(long)]
    pub(crate) increments: u32,
}

/// How a value on the command line is meant.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Kind {
    /// What the value is: `auto` takes numbers for numbers and the rest for text
    #[arg(long = "as", value_name = "KIND", value_enum, default_value_t = KindName::Auto)]
    pub(crate) kind: KindName,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KindName {
    Auto,
    Int,
    Float,
    Text,
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
