//! `cargo xtask perf-check`: counts the instructions and the allocations of the hot paths, and compares with
//! those recorded.
//!
//! A count does not depend on how busy the machine is. It does depend on the compiler and on the C library;
//! that of instructions a little on the seeds of hash tables, that of allocations not at all.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::command::{Invocation, find};

const PROGRAM: &str = "workyard-paths";

/// How often a path is walked in the shorter of two runs, and how many times more in the longer one.
const STEPS: u32 = 500;

/// What is done with the counts.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only paths whose names begin so
    #[arg(default_value = "", hide_default_value = true)]
    prefix: String,
    /// Write the counts down, instead of comparing them
    #[arg(long, conflicts_with = "prefix")]
    record: bool,
    /// Only allocations, which takes a fraction of the time
    #[arg(long)]
    allocations: bool,
}

/// Something that valgrind counts.
struct Counter {
    /// Where it is recorded.
    record: &'static str,
    tool: &'static str,
    /// The figures in what the tool says.
    read: fn(&str) -> Option<Vec<u64>>,
    columns: &'static [Column],
}

/// A figure, and how much more of it is too much.
struct Column {
    name: &'static str,
    growth_max: f64,
}

const INSTRUCTIONS: Counter = Counter {
    record: "bench/paths/instructions.txt",
    tool: "--tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null",
    read: executed,
    columns: &[Column { name: "instructions", growth_max: 1.05 }],
};

const ALLOCATIONS: Counter = Counter {
    record: "bench/paths/allocations.txt",
    tool: "--tool=memcheck --leak-check=no --undef-value-errors=no",
    read: allocated,
    columns: &[
        Column { name: "allocations", growth_max: 1.0 },
        Column { name: "allocated bytes", growth_max: 1.05 },
    ],
};

/// The figures of each path, column by column.
type Counts = BTreeMap<String, Vec<f64>>;

pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    if find("valgrind").is_none() {
        bail!("valgrind counts, and is missing: apt-get install valgrind");
    }
    let build = "cargo build --quiet --locked --release -p workyard-paths";
    Invocation::new(build).run(root)?;
    if !arguments.allocations {
        INSTRUCTIONS.run(root, arguments)?;
    }
    ALLOCATIONS.run(root, arguments)
}

impl Counter {
    fn run(&self, root: &Path, arguments: &Arguments) -> Result<()> {
        let counts = self.count(root, &arguments.prefix)?;
        let (path, record) = (root.join(self.record), self.record);
        if arguments.record {
            fs::write(&path, self.written(&counts)).with_context(|| format!("writing {record}"))?;
            println!("recorded {} paths in {record}", counts.len());
            return Ok(());
        }
        let text = fs::read_to_string(&path).with_context(|| format!("reading {record}"))?;
        let mut recorded = self.recorded(&text)?;
        recorded.retain(|name, _| name.starts_with(&arguments.prefix));
        let mut grown = Vec::new();
        for (index, column) in self.columns.iter().enumerate() {
            let (table, more) = column.compared(&only(&counts, index), &only(&recorded, index));
            println!("{table}");
            grown.extend(more);
        }
        match grown.as_slice() {
            [] => Ok(()),
            grown => bail!(
                "paths take more than {record} says, and than they may: {}. If that is worth it, \
                 `cargo xtask perf-check --record`",
                grown.join(", ")
            ),
        }
    }

    fn count(&self, root: &Path, prefix: &str) -> Result<Counts> {
        let program = target(root).join("release").join(PROGRAM);
        let program = program.to_str().context("the folder's name is no text")?.to_owned();
        let names = Invocation::new(&program).captured(root)?.text;
        let names = names.lines().filter(|name| name.starts_with(prefix));
        let mut counts = Counts::new();
        for name in names {
            let shorter = self.total(root, &program, name, STEPS)?;
            let longer = self.total(root, &program, name, 2 * STEPS)?;
            let totals = shorter.iter().zip(longer);
            let each = totals.map(|(shorter, longer)| each(longer.saturating_sub(*shorter)));
            counts.insert(name.to_owned(), each.collect());
        }
        match counts.is_empty() {
            true => bail!("no path begins with {prefix:?}"),
            false => Ok(counts),
        }
    }

    /// What so many steps take, with all that comes before and after them.
    fn total(&self, root: &Path, program: &str, name: &str, steps: u32) -> Result<Vec<u64>> {
        let run = Invocation::new(&format!("valgrind {}", self.tool));
        let run = run.argument(program).argument(name).argument(steps.to_string());
        let captured = run.captured(root)?;
        match (self.read)(&captured.text) {
            Some(figures) if captured.status.success() => Ok(figures),
            _ => bail!("`{run}` ended with {} and said:\n{}", captured.status, captured.text),
        }
    }

    fn written(&self, counts: &Counts) -> String {
        let columns: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
        let columns = columns.join(", ");
        let mut text = format!(
            "# Of each path: {columns}, as `cargo xtask perf-check --record` counts them.\n"
        );
        for (name, figures) in counts {
            let figures: Vec<String> = figures.iter().map(f64::to_string).collect();
            writeln!(text, "{name} {}", figures.join(" ")).expect("a String takes everything");
        }
        text
    }

    fn recorded(&self, text: &str) -> Result<Counts> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let count = |line: &str| {
            let (name, figures) = line.split_once(' ')?;
            let figures: Result<Vec<f64>, _> = figures.split(' ').map(str::parse).collect();
            let figures = figures.ok().filter(|figures| figures.len() == self.columns.len())?;
            Some((name.to_owned(), figures))
        };
        let record = self.record;
        let counts = lines.map(|line| count(line).with_context(|| format!("{record}: {line:?}")));
        counts.collect()
    }
}

/// The figure of one step, a small one to a tenth: so what a longer number on the command line takes does
/// not show.
fn each(of_all: u64) -> f64 {
    match of_all as f64 / f64::from(STEPS) {
        small if small < 100.0 => (small * 10.0).round() / 10.0,
        large => large.round(),
    }
}

/// The figure in a line such as `==7== I refs:        1,234`.
fn executed(text: &str) -> Option<Vec<u64>> {
    let line = text.lines().find(|line| line.contains("I ") && line.contains("refs:"))?;
    Some(vec![number(line.rsplit(' ').next()?)?])
}

/// The first and the last figure in `==7==   total heap usage: 12 allocs, 11 frees, 3,456 bytes allocated`.
fn allocated(text: &str) -> Option<Vec<u64>> {
    let (_, usage) = text.split_once("total heap usage: ")?;
    let before = |word: &str| number(usage.split_once(word)?.0.rsplit(' ').next()?);
    Some(vec![before(" allocs")?, before(" bytes")?])
}

fn number(digits: &str) -> Option<u64> {
    digits.replace(',', "").parse().ok()
}

/// One column of all paths.
fn only(counts: &Counts, column: usize) -> BTreeMap<&str, f64> {
    counts.iter().map(|(name, figures)| (name.as_str(), figures[column])).collect()
}

impl Column {
    /// A table of both, and the paths that have grown too much or were never recorded.
    fn compared(
        &self,
        counts: &BTreeMap<&str, f64>,
        recorded: &BTreeMap<&str, f64>,
    ) -> (String, Vec<String>) {
        let mut table = format!("{:<22}{:>10}{:>10}\n", self.name, "recorded", "now");
        let mut grown = Vec::new();
        for (name, count) in counts {
            let before = recorded.get(name).copied();
            let shown = before.map_or("-".to_owned(), |before| before.to_string());
            let change = match before {
                Some(before) if before == *count => "=".to_owned(),
                Some(0.0) => "from nothing".to_owned(),
                Some(before) => format!("{:+.1} %", (count / before - 1.0) * 100.0),
                None => "new".to_owned(),
            };
            writeln!(table, "{name:<22}{shown:>10}{count:>10}  {change}")
                .expect("a String takes it");
            if before.is_none_or(|before| *count > before * self.growth_max) {
                grown.push(format!("{name} ({})", self.name));
            }
        }
        for name in recorded.keys().filter(|name| !counts.contains_key(*name)) {
            writeln!(table, "{name:<22} is recorded, and there is none")
                .expect("a String takes it");
            grown.push(format!("{name} ({})", self.name));
        }
        (table, grown)
    }
}

fn target(root: &Path) -> std::path::PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_in_what_valgrind_says() {
        let said = "==2== Cachegrind, a profiler\n==2== \n==2== I   refs:      1,234,567\n";
        assert_eq!(executed(said), Some(vec![1_234_567]));
        assert_eq!(executed("==2== I refs:  12"), Some(vec![12]));
        assert_eq!(executed("no such program"), None);
        let said = "==2== in use at exit: 10 bytes in 1 blocks\n\
            ==2==   total heap usage: 1,872 allocs, 871 frees, 508,265 bytes allocated\n";
        assert_eq!(allocated(said), Some(vec![1872, 508_265]));
        assert_eq!(allocated("==2== in use at exit: 10 bytes in 1 blocks"), None);
        assert_eq!([2500, 1, 1225, 500_400].map(each), [5.0, 0.0, 2.5, 1001.0]);
    }

    #[test]
    fn counts_are_read_as_they_are_written() {
        let counts = Counts::from([
            ("get".to_owned(), vec![0.0, 0.0]),
            ("publish/1".to_owned(), vec![2.5, 887.0]),
        ]);
        assert_eq!(ALLOCATIONS.recorded(&ALLOCATIONS.written(&counts)).unwrap(), counts);
        for text in ["get many few", "get", "get 1", "get 1 2 3"] {
            assert!(ALLOCATIONS.recorded(text).is_err(), "{text}");
        }
        assert_eq!(only(&counts, 1), BTreeMap::from([("get", 0.0), ("publish/1", 887.0)]));
    }

    #[test]
    fn growth_new_paths_and_missing_ones_are_told() {
        let recorded =
            BTreeMap::from([("cas", 100.0), ("get", 100.0), ("set", 100.0), ("old", 5.0)]);
        let now = BTreeMap::from([("cas", 90.0), ("get", 105.0), ("set", 106.0), ("fresh", 1.0)]);
        let column = Column { name: "things", growth_max: 1.05 };
        let (table, grown) = column.compared(&now, &recorded);
        assert_eq!(grown, ["fresh (things)", "set (things)", "old (things)"]);
        for part in ["-10.0 %", "+5.0 %", "+6.0 %", "new", "there is none"] {
            assert!(table.contains(part), "{table}");
        }
        assert!(column.compared(&recorded, &recorded).1.is_empty());
    }

    #[test]
    fn an_allocation_where_there_was_none_is_growth() {
        let [none, one] = [0.0, 0.1].map(|count| BTreeMap::from([("get", count)]));
        let (table, grown) = ALLOCATIONS.columns[0].compared(&one, &none);
        assert_eq!(grown, ["get (allocations)"]);
        assert!(table.contains("from nothing"), "{table}");
    }
}
