//! The command line.

use crate::limit_server::Service;
use crate::load::Timing;
use crate::peer::{Kind, Spoken};
use crate::rows::{self, Row, Sizes};
use crate::trace::Tool;
use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Measures channel-server and globaldata-server beside Redis, NATS, memcached and the physical
/// limit: private instances on loopback, one load generator, server CPU time as the first figure.
#[derive(Parser)]
#[command(name = "workyard-bench", version)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Only these rows: names, globs, or the start of names up to a slash, such as `kv/*/50x16` or
    /// `fanout`.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    rows: Vec<String>,
    /// Only these servers; ratios need the limit.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Kind::USUAL)]
    pub(crate) peers: Vec<Kind>,
    /// Measure the PHP servers workerman/channel and workerman/globaldata too; `vendor/autoload.php`
    /// below this folder loads them.
    #[arg(long, value_name = "FOLDER", value_parser = existing)]
    pub(crate) original: Option<PathBuf>,
    /// How often the servers take turns [default: 5; with --quick 1].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: Option<u32>,
    /// How long each run measures, in seconds [default: 1; with --quick 0.05].
    #[arg(long, value_parser = seconds)]
    seconds: Option<f64>,
    /// Count the servers' system calls with strace instead. Times mean nothing then.
    #[arg(long)]
    syscalls: bool,
    /// Count the servers' instructions, allocations and copies with valgrind instead. The same.
    #[arg(long, conflicts_with = "syscalls")]
    instructions: bool,
    /// Append one JSON line per run to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Draw the `scale` rows as SVG files into this folder.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) svg: Option<PathBuf>,
    /// A check in a few seconds that everything works: few and small rows, every answer and message
    /// verified in full. The figures mean nothing.
    #[arg(long)]
    pub(crate) quick: bool,
    /// List rows and servers, and measure nothing.
    #[arg(long)]
    pub(crate) list: bool,
    /// Let servers and generator run on any core.
    #[arg(long)]
    pub(crate) no_pin: bool,
}

/// What this program does when it is a server itself.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// The logic-free server that the others are held against.
    #[command(hide = true)]
    LimitServer {
        #[arg(long, value_enum)]
        service: Service,
        #[arg(long)]
        listen: SocketAddr,
    },
    /// A worker that sends back what it receives.
    #[command(hide = true)]
    EchoWorker {
        #[arg(long, value_enum)]
        spoken: Spoken,
        #[arg(long)]
        listen: SocketAddr,
    },
}

/// How much time everything gets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: u32,
    pub(crate) timing: Timing,
    /// Before each run, how long to wait at most for the machine to be idle.
    pub(crate) wait_quiet: Duration,
    pub(crate) tool: Option<Tool>,
    /// How long idle connections are watched.
    pub(crate) watched: Duration,
}

impl Options {
    pub(crate) fn effort(&self) -> Effort {
        let or = |full, quick| if self.quick { quick } else { full };
        let seconds = self.seconds.unwrap_or(or(1.0, 0.05));
        Effort {
            rounds: self.rounds.unwrap_or(if self.quick { 1 } else { 5 }),
            timing: Timing {
                warm_up: Duration::from_secs_f64(or(0.3, 0.02)),
                duration: Duration::from_secs_f64(seconds),
                verify: self.quick,
            },
            tool: self.tool(),
            wait_quiet: Duration::from_secs_f64(or(1.0, 0.0)),
            watched: Duration::from_secs_f64(or(2.0, 0.05)),
        }
    }

    /// What looks on while the servers work, if anything.
    pub(crate) fn tool(&self) -> Option<Tool> {
        match (self.syscalls, self.instructions) {
            (true, _) => Some(Tool::Strace),
            (_, true) => Some(Tool::Callgrind),
            _ => None,
        }
    }

    /// The rows asked for, in the order of the report.
    pub(crate) fn rows(&self) -> Result<Vec<Row>> {
        let sizes = if self.quick { Sizes::QUICK } else { Sizes::FULL };
        let mut rows = rows::all(sizes);
        for pattern in &self.rows {
            if !rows.iter().any(|row| rows::matches(pattern, &row.name)) {
                bail!("no row is called {pattern:?}; see --list");
            }
        }
        if !self.rows.is_empty() {
            let is_wanted = |row: &Row| {
                let mut patterns = self.rows.iter();
                patterns.any(|pattern| rows::matches(pattern, &row.name))
            };
            rows.retain(is_wanted);
        } else if self.quick {
            rows.retain(rows::is_quick);
        }
        Ok(rows)
    }
}

/// Servers run in a folder of their own, so the path must not depend on where this program runs.
fn existing(text: &str) -> Result<PathBuf, String> {
    fs::canonicalize(text).map_err(|error| error.to_string())
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds @ 0.01..=600.0) => Ok(seconds),
        _ => Err("expected 0.01 to 600".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(arguments: &[&str]) -> Vec<String> {
        let arguments = ["workyard-bench"].iter().chain(arguments);
        let options = Options::try_parse_from(arguments).unwrap();
        let rows = options.rows().unwrap();
        rows.into_iter().map(|row| row.name).collect()
    }

    #[test]
    fn rows_are_chosen_by_name() {
        assert_eq!(names(&[]).len(), 102);
        assert_eq!(names(&["--quick"]).len(), 34);
        assert_eq!(names(&["--rows", "kv/get"]).len(), 4);
        assert_eq!(
            names(&["--quick", "--rows", "connects,fanout/1x1000/*4"]),
            ["fanout/1x1000/64", "fanout/1x1000/1024", "fanout/1x1000/16384", "connects"]
        );
        let options = Options::try_parse_from(["workyard-bench", "--rows", "nothing"]).unwrap();
        assert!(options.rows().is_err());
    }

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory;
        Options::command().debug_assert();
        assert!(Options::try_parse_from(["workyard-bench", "--seconds", "0"]).is_err());
        let options =
            Options::try_parse_from(["workyard-bench", "--peers", "limit,redis"]).unwrap();
        assert_eq!(options.peers, [Kind::Limit, Kind::Redis]);
        let both = ["workyard-bench", "--syscalls", "--instructions"];
        assert!(Options::try_parse_from(both).is_err());
        // It has to be told where the original is.
        assert!(Options::try_parse_from(["workyard-bench", "--peers", "original"]).is_err());
        assert!(Options::try_parse_from(["workyard-bench", "--original", "/nowhere"]).is_err());
    }
}
