//! What file-monitor costs: memory and time of a large tree at rest, and how long a change takes.

use anyhow::{Context, bail};
use clap::Parser;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

const FILES_PER_DIRECTORY: usize = 100;
/// After the start content is read, which is not what is measured; it is over when this went by
/// without work.
const QUIET: Duration = Duration::from_secs(3);

/// Follows a tree that it makes, at rest and while files are saved.
#[derive(Debug, Parser)]
struct Arguments {
    /// Files of the tree
    #[arg(long, default_value_t = 100_000)]
    files: usize,
    /// How long the tree is left at rest, in seconds
    #[arg(long, default_value_t = 60)]
    rest: u64,
    /// How many saves are timed
    #[arg(long, default_value_t = 200)]
    saves: usize,
}

#[expect(clippy::print_stdout, reason = "the report")]
fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let binary = beside("file-monitor")?;
    let empty = tempfile::tempdir()?;
    let base = Monitor::start(&binary, empty.path(), &[])?.settle()?;
    let base_bytes = base.resident_bytes()?;
    drop(base);

    let tree = tempfile::tempdir()?;
    make(tree.path(), arguments.files)?;
    let begin = Instant::now();
    let monitor = Monitor::start(&binary, tree.path(), &[])?;
    let ready = begin.elapsed();
    let monitor = monitor.settle()?;
    let read = begin.elapsed().saturating_sub(QUIET);
    let bytes = monitor.resident_bytes()?;
    let before = monitor.cpu()?;
    let begin = Instant::now();
    std::thread::sleep(Duration::from_secs(arguments.rest));
    let idle = (monitor.cpu()? - before).as_secs_f64() / begin.elapsed().as_secs_f64();
    drop(monitor);
    let latencies = latencies(&binary, tree.path(), arguments.saves)?;

    let files = arguments.files;
    let per_file = bytes.saturating_sub(base_bytes) as f64 / files as f64;
    println!("| what | figure |\n|---|---|");
    println!("| files followed | {files} in {} directories |", files.div_ceil(FILES_PER_DIRECTORY));
    println!("| from start to ready | {:.2} s |", ready.as_secs_f64());
    println!("| until all content was read | {:.1} s |", read.as_secs_f64());
    println!("| memory of an empty tree | {:.1} MiB |", base_bytes as f64 / 1048576.0);
    println!("| memory of this tree | {:.1} MiB |", bytes as f64 / 1048576.0);
    println!("| memory for each file | {per_file:.0} bytes |");
    println!("| CPU at rest | {:.4} % of a processor |", idle * 100.0);
    for (name, share) in [("median", 0.5), ("99 %", 0.99), ("longest", 1.0)] {
        let index = ((latencies.len() as f64 * share).ceil() as usize).clamp(1, latencies.len());
        println!("| from a save to the signal, {name} | {:.1} ms |", latencies[index - 1]);
    }
    Ok(())
}

/// The release binary that lies beside this one.
fn beside(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    if !path.is_file() {
        bail!("{} is missing: cargo build --release -p workyard-file-monitor", path.display());
    }
    Ok(path)
}

fn make(tree: &Path, files: usize) -> anyhow::Result<()> {
    for number in 0..files {
        let directory = tree.join(format!("directory-{}", number / FILES_PER_DIRECTORY));
        if number % FILES_PER_DIRECTORY == 0 {
            fs::create_dir(&directory)?;
        }
        fs::write(
            directory.join(format!("controller-{number}.php")),
            format!("<?php // {number}\n"),
        )?;
    }
    Ok(())
}

/// Milliseconds from the end of each save until the signal is here, sorted.
fn latencies(binary: &Path, tree: &Path, saves: usize) -> anyhow::Result<Vec<f64>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut signals = signal(SignalKind::user_defined1())?;
        let pid = std::process::id().to_string();
        let monitor = Monitor::start(binary, tree, &["--pid", &pid, "--interval", "0s"])?;
        let _monitor = monitor.settle()?;
        let mut times = Vec::new();
        for number in 0..saves {
            let file =
                tree.join(format!("directory-0/controller-{}.php", number % FILES_PER_DIRECTORY));
            fs::write(&file, format!("<?php // saved {number}\n"))?;
            let begin = Instant::now();
            let received = tokio::time::timeout(Duration::from_secs(10), signals.recv()).await;
            received.context("a save came to no signal")?;
            times.push(begin.elapsed().as_secs_f64() * 1000.0);
            // The daemon looks for 300 ms whether who was told survives it; the next save comes later.
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
        times.sort_by(f64::total_cmp);
        Ok(times)
    })
}

struct Monitor {
    child: Child,
    _output: BufReader<ChildStdout>,
}

impl Monitor {
    /// Returns when it is ready.
    fn start(binary: &Path, tree: &Path, flags: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(binary);
        command.arg("--json").args(flags).arg(tree).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut output = BufReader::new(child.stdout.take().context("it has an output")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let event: Value = serde_json::from_str(&line)?;
        if event["event"] != "ready" {
            bail!("it said {line}");
        }
        Ok(Self { child, _output: output })
    }

    /// Returns when it has had nothing to do for a while.
    fn settle(self) -> anyhow::Result<Self> {
        loop {
            let before = self.cpu()?;
            std::thread::sleep(QUIET);
            if self.cpu()? - before < QUIET / 500 {
                return Ok(self);
            }
        }
    }

    /// Processor time of all its threads.
    fn cpu(&self) -> anyhow::Result<Duration> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            nanoseconds += text.split(' ').next().context("it has fields")?.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    fn resident_bytes(&self) -> anyhow::Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line =
            text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("it has memory")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024)
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
