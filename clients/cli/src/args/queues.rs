//! Arguments of the commands about queues.

use super::Kind;
use clap::{Args, Subcommand};
use std::str::FromStr;
use std::time::Duration;
use workyard_channel::{JobBackoff, JobId};

#[derive(Debug, Subcommand)]
pub(crate) enum Queue {
    /// Add jobs to a queue
    Push(QueuePush),
    /// Take jobs from a queue, run a command for each, acknowledge those that succeed, and give the others
    /// back
    Work(QueueWork),
    /// Print what is in the queues
    Stats(QueueStats),
    /// Change the settings of a queue, and print them
    Configure(QueueConfigure),
    /// List jobs that were given up, and why
    Dead(OneQueue),
    /// Give the jobs another chance that were given up
    Redrive(OneQueue),
    /// Remove jobs that nobody holds
    Remove(QueueRemove),
}

#[derive(Debug, Args)]
pub(crate) struct QueuePush {
    pub(crate) queue: String,
    /// The jobs; `-` or none reads each line of standard input as one
    #[arg(default_value = "-", allow_negative_numbers = true)]
    pub(crate) job: Vec<String>,
    /// Let nobody have them before this time has passed, as in `10m`
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = humantime::parse_duration)]
    pub(crate) delay: Duration,
    /// Hand them out before all of a lower priority, 0 to 255
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) priority: u8,
    /// What the job is known by: within the queue's window it is stored once
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
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

#[derive(Debug, Args)]
pub(crate) struct OneQueue {
    pub(crate) queue: String,
}

#[derive(Debug, Args)]
pub(crate) struct QueueRemove {
    pub(crate) queue: String,
    /// Their numbers, as `push` prints them
    #[arg(required = true)]
    pub(crate) job: Vec<JobId>,
}

#[derive(Debug, Args)]
pub(crate) struct QueueConfigure {
    pub(crate) queue: String,
    /// Begin with the server's settings; without, what is not named stays as it is
    #[arg(long)]
    pub(crate) reset: bool,
    /// How long a job is its worker's unless the lease is renewed; `0s` is as long as the connection
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) lease: Option<Duration>,
    /// How often a job is handed out before it is given up; 0 is without end
    #[arg(long, value_name = "COUNT")]
    pub(crate) attempts_max: Option<u32>,
    /// How long a job waits that was given back: `none`, `5s`, or doubling as in `1s..10m`
    #[arg(long, value_name = "TIME")]
    pub(crate) backoff: Option<BackoffArgument>,
    /// How long the ids of jobs are remembered; `0s` is not at all
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) dedup_window: Option<Duration>,
    /// Jobs at most
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) jobs_max: Option<u64>,
    /// Bytes of jobs at most, with 192 for each
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) bytes_max: Option<u64>,
}

/// A backoff on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BackoffArgument(pub(crate) JobBackoff);

impl FromStr for BackoffArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time = |text: &str| {
            let wrong = |error| format!("{text:?} is no time ({error}): as in 5s, or 1s..10m");
            humantime::parse_duration(text).map_err(wrong)
        };
        Ok(Self(match text.split_once("..") {
            None if text == "none" => JobBackoff::None,
            None => JobBackoff::Fixed(time(text)?),
            Some((first, max)) => {
                let (first, max) = (time(first)?, time(max)?);
                if first > max {
                    return Err("it ends before it begins: as in 1s..10m".to_owned());
                }
                JobBackoff::Exponential { first, max }
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoffs_are_read_as_they_are_written() {
        let seconds = Duration::from_secs;
        for (text, expected) in [
            ("none", JobBackoff::None),
            ("5s", JobBackoff::Fixed(seconds(5))),
            ("1s..10m", JobBackoff::Exponential { first: seconds(1), max: seconds(600) }),
        ] {
            assert_eq!(text.parse(), Ok(BackoffArgument(expected)), "{text}");
        }
        for text in ["", "5", "..", "1s..", "10m..1s", "None"] {
            text.parse::<BackoffArgument>().unwrap_err();
        }
    }
}
