//! Instructions of a server, and its calls of allocator and `memcpy`, as valgrind counts them.

use super::Counted;
use crate::figures::Figures;
use anyhow::{Context, Result, bail};
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

/// What a server is started with: a program, and its arguments before the server's own.
pub(crate) const VALGRIND: [&str; 3] =
    ["valgrind", "--tool=callgrind", "--callgrind-out-file=callgrind.%p"];

pub(super) const COUNTED: [Counted; 3] = [
    ("instructions_each", "instructions"),
    ("allocations_each", "allocations"),
    ("copies_each", "copies"),
];

/// A server that runs under valgrind, whose counts began anew.
pub(crate) struct Trace {
    pid: u32,
}

/// What a profile says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Profile {
    instructions: u64,
    allocations: u64,
    copies: u64,
}

impl Trace {
    pub(super) fn start(pid: u32) -> Result<Self> {
        control("--zero", pid)?;
        Ok(Self { pid })
    }

    pub(super) fn finish(self, operations: f64, figures: &mut Figures) -> Result<()> {
        control("--dump", self.pid)?;
        // The servers' folder is where they run, and that is this process's own.
        let folder = env::temp_dir().join(format!("workyard-bench-{}", std::process::id()));
        let path = newest(&folder, self.pid)?;
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let Profile { instructions, allocations, copies } = profile(&text);
        for ((name, _), count) in COUNTED.into_iter().zip([instructions, allocations, copies]) {
            figures.add(name, count as f64 / operations);
        }
        Ok(())
    }
}

fn control(what: &str, pid: u32) -> Result<()> {
    let output = Command::new("callgrind_control")
        .args([what, &pid.to_string()])
        .output()
        .context("cannot start callgrind_control")?;
    if !output.status.success() {
        bail!("callgrind_control {what}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// A server that is used by several runs has a file of each.
fn newest(folder: &std::path::Path, pid: u32) -> Result<PathBuf> {
    let path = |part: u32| folder.join(format!("callgrind.{pid}.{part}"));
    let parts = (1..).take_while(|part| path(*part).is_file());
    parts.last().map(path).context("valgrind wrote nothing")
}

/// Sums up callgrind's format. `fn=` says whose lines follow, `cfn=` whom it calls, `calls=` how often; a
/// name is written once, and is its number in parentheses from then on.
fn profile(text: &str) -> Profile {
    let mut profile = Profile::default();
    let mut names: HashMap<&str, &str> = HashMap::new();
    let (mut caller, mut callee) = ("", "");
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("fn=") {
            caller = named(rest, &mut names);
        } else if let Some(rest) = line.strip_prefix("cfn=") {
            callee = named(rest, &mut names);
        } else if let Some(rest) = line.strip_prefix("calls=") {
            let count = rest.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0);
            if is_allocation(callee) && !is_allocation(caller) {
                profile.allocations += count;
            } else if is_copy(callee) && !is_copy(caller) {
                profile.copies += count;
            }
        } else if let Some(rest) = line.strip_prefix("summary: ") {
            profile.instructions += rest.trim().parse::<u64>().unwrap_or(0);
        }
    }
    profile
}

fn named<'a>(text: &'a str, names: &mut HashMap<&'a str, &'a str>) -> &'a str {
    match text.split_once(' ') {
        Some((number, name)) => {
            names.insert(number, name);
            name
        }
        None => names.get(text).copied().unwrap_or_default(),
    }
}

/// Of the daemons' allocator, and of the C library's.
fn is_allocation(name: &str) -> bool {
    const NAMES: [&str; 7] =
        ["mi_malloc", "mi_zalloc", "mi_calloc", "mi_realloc", "malloc", "calloc", "realloc"];
    let name = name.trim_start_matches('_');
    NAMES.iter().any(|known| name.starts_with(known))
}

fn is_copy(name: &str) -> bool {
    name.contains("memcpy") || name.contains("memmove")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_summed_by_whom_they_reach() {
        let text = "\
events: Ir
summary: 7662

fn=(1) workyard::handle
cfn=(2) mi_malloc_aligned
calls=3 0
0 90
cfn=(3) memcpy
calls=5 0
0 10

fn=(2)
cfn=(4) _mi_malloc_generic
calls=1 0
0 50

fn=(3)
cfn=(5) __memcpy_avx_unaligned_erms
calls=5 0
0 50

fn=(6) other
cfn=(2)
calls=4 0
0 120
cfn=(1)
calls=9 0
0 12
";
        let expected = Profile { instructions: 7662, allocations: 7, copies: 5 };
        assert_eq!(profile(text), expected);
        assert_eq!(profile("nothing"), Profile::default());
    }
}
