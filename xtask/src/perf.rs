//! `cargo xtask perf-check`: counts the instructions of the hot paths, and compares with those recorded.
//!
//! A count does not depend on how busy the machine is. It does depend on the compiler and on the C library,
//! and a little on the seeds of hash tables.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::command::{Invocation, find};

const PROGRAM: &str = "workyard-paths";
const RECORD: &str = "bench/paths/instructions.txt";

/// How often a path is walked in the shorter of two runs, and how many times more in the longer one.
const STEPS: u32 = 500;

/// How much more is too much.
const GROWTH_MAX: f64 = 1.05;

/// What is done with the counts.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only paths whose names begin so
    #[arg(default_value = "", hide_default_value = true)]
    prefix: String,
    /// Write the counts down, instead of comparing them
    #[arg(long, conflicts_with = "prefix")]
    record: bool,
}

/// Instructions of each path.
type Counts = BTreeMap<String, f64>;

pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    if find("valgrind").is_none() {
        bail!("valgrind counts the instructions, and is missing: apt-get install valgrind");
    }
    let build = "cargo build --quiet --locked --release -p workyard-paths";
    Invocation::new(build).run(root)?;
    let counts = count(root, &arguments.prefix)?;
    let path = root.join(RECORD);
    if arguments.record {
        fs::write(&path, written(&counts)).with_context(|| format!("writing {RECORD}"))?;
        println!("recorded {} paths in {RECORD}", counts.len());
        return Ok(());
    }
    let text = fs::read_to_string(&path).with_context(|| format!("reading {RECORD}"))?;
    let mut recorded = read(&text)?;
    recorded.retain(|name, _| name.starts_with(&arguments.prefix));
    let (table, grown) = compared(&counts, &recorded);
    print!("{table}");
    match grown.as_slice() {
        [] => Ok(()),
        grown => bail!(
            "{} of {} paths take over {:.0} % more than {RECORD} says: {}. If that is worth it, \
             `cargo xtask perf-check --record`",
            grown.len(),
            counts.len(),
            (GROWTH_MAX - 1.0) * 100.0,
            grown.join(", ")
        ),
    }
}

fn count(root: &Path, prefix: &str) -> Result<Counts> {
    let program = target(root).join("release").join(PROGRAM);
    let program = program.to_str().context("the folder's name is no text")?.to_owned();
    let names = Invocation::new(&program).captured(root)?.text;
    let names = names.lines().filter(|name| name.starts_with(prefix));
    let mut counts = Counts::new();
    for name in names {
        let shorter = instructions(root, &program, name, STEPS)?;
        let longer = instructions(root, &program, name, 2 * STEPS)?;
        let each = longer.saturating_sub(shorter) as f64 / f64::from(STEPS);
        counts.insert(name.to_owned(), each.round());
    }
    match counts.is_empty() {
        true => bail!("no path begins with {prefix:?}"),
        false => Ok(counts),
    }
}

/// How many instructions so many steps take, with all that comes before and after them.
fn instructions(root: &Path, program: &str, name: &str, steps: u32) -> Result<u64> {
    let run = "valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null";
    let run = Invocation::new(run).argument(program).argument(name).argument(steps.to_string());
    let captured = run.captured(root)?;
    let counted = counted(&captured.text);
    match counted {
        Some(counted) if captured.status.success() => Ok(counted),
        _ => bail!("`{run}` ended with {} and said:\n{}", captured.status, captured.text),
    }
}

/// The figure in a line such as `==7== I refs:        1,234`.
fn counted(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.contains("I ") && line.contains("refs:"))?;
    line.rsplit(' ').next()?.replace(',', "").parse().ok()
}

fn written(counts: &Counts) -> String {
    let mut text =
        "# Instructions of each path, as `cargo xtask perf-check --record` counts them.\n"
            .to_owned();
    for (name, count) in counts {
        writeln!(text, "{name} {count}").expect("a String takes everything");
    }
    text
}

fn read(text: &str) -> Result<Counts> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let count = |line: &str| {
        let (name, count) = line.split_once(' ')?;
        Some((name.to_owned(), count.parse().ok()?))
    };
    let counts = lines.map(|line| count(line).with_context(|| format!("{RECORD}: {line:?}")));
    counts.collect()
}

/// A table of both, and the paths that have grown too much or were never recorded.
fn compared(counts: &Counts, recorded: &Counts) -> (String, Vec<String>) {
    let mut table = format!("{:<22}{:>10}{:>10}\n", "path", "recorded", "now");
    let mut grown = Vec::new();
    for (name, count) in counts {
        let before = recorded.get(name).copied();
        let change = before.map_or(f64::INFINITY, |before| count / before);
        let shown = before.map_or("-".to_owned(), |before| before.to_string());
        let percent = match before {
            Some(_) => format!("{:+.1} %", (change - 1.0) * 100.0),
            None => "new".to_owned(),
        };
        writeln!(table, "{name:<22}{shown:>10}{count:>10}  {percent}").expect("a String takes it");
        if change > GROWTH_MAX {
            grown.push(name.clone());
        }
    }
    for name in recorded.keys().filter(|name| !counts.contains_key(*name)) {
        writeln!(table, "{name:<22} is recorded, and there is none").expect("a String takes it");
        grown.push(name.clone());
    }
    (table, grown)
}

fn target(root: &Path) -> std::path::PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: &[(&str, f64)]) -> Counts {
        of.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    #[test]
    fn the_figure_is_found_in_what_valgrind_says() {
        let said = "==2== Cachegrind, a profiler\n==2== \n==2== I   refs:      1,234,567\n";
        assert_eq!(counted(said), Some(1_234_567));
        assert_eq!(counted("==2== I refs:  12"), Some(12));
        assert_eq!(counted("no such program"), None);
    }

    #[test]
    fn counts_are_read_as_they_are_written() {
        let some = counts(&[("get", 868.0), ("publish/1", 887.0)]);
        assert_eq!(read(&written(&some)).unwrap(), some);
        assert!(read("get many").is_err());
        assert!(read("get").is_err());
    }

    #[test]
    fn growth_new_paths_and_missing_ones_are_told() {
        let recorded = counts(&[("cas", 100.0), ("get", 100.0), ("set", 100.0), ("old", 5.0)]);
        let now = counts(&[("cas", 90.0), ("get", 105.0), ("set", 106.0), ("fresh", 1.0)]);
        let (table, grown) = compared(&now, &recorded);
        assert_eq!(grown, ["fresh", "set", "old"]);
        for part in ["-10.0 %", "+5.0 %", "+6.0 %", "new", "there is none"] {
            assert!(table.contains(part), "{table}");
        }
        assert!(compared(&recorded, &recorded).1.is_empty());
    }
}
