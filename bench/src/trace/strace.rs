//! The system calls of a server, as strace counts them between two moments.

use super::Counted;
use crate::figures::Figures;
use crate::limits::TRACE_SECONDS_MAX;
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// strace, attached to a server. It ends with the value.
pub(crate) struct Trace {
    strace: Child,
    summary: PathBuf,
}

/// What the calls are told as. Those of none of these names come last.
const GROUPS: [(&str, &str, &[&str]); 5] = [
    ("reads_each", "read", &["read", "readv", "recvfrom", "recvmsg"]),
    ("writes_each", "write", &["write", "writev", "sendto", "sendmsg"]),
    (
        "waits_each",
        "wait",
        &["epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select"],
    ),
    ("wakes_each", "futex", &["futex"]),
    ("other_calls_each", "other", &[]),
];

pub(super) fn counted() -> impl Iterator<Item = Counted> {
    GROUPS.into_iter().map(|(name, title, _)| (name, title))
}

impl Trace {
    /// Returns once every thread of `pid` is watched.
    pub(super) fn attach(pid: u32) -> Result<Self> {
        let summary = env::temp_dir().join(format!("workyard-bench-{}-{pid}", std::process::id()));
        let strace = Command::new("strace")
            .args(["-f", "-qq", "-c", "-p", &pid.to_string(), "-o"])
            .arg(&summary)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start strace")?;
        let mut trace = Self { strace, summary };
        let give_up = Instant::now() + TRACE_SECONDS_MAX;
        while !are_all_traced(pid) {
            if let Some(status) = trace.strace.try_wait()? {
                bail!("strace ended with {status}");
            }
            if Instant::now() > give_up {
                bail!("strace does not get hold of process {pid}");
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(trace)
    }

    /// Lets go of the server, and adds what it called for each of `operations`.
    pub(super) fn finish(mut self, operations: f64, figures: &mut Figures) -> Result<()> {
        let pid = Pid::from_child(&self.strace);
        kill_process(pid, Signal::INT).context("cannot end strace")?;
        self.strace.wait()?;
        let text = fs::read_to_string(&self.summary).context("strace wrote nothing")?;
        for ((name, ..), calls) in GROUPS.into_iter().zip(grouped(&text)) {
            figures.add(name, calls as f64 / operations);
        }
        Ok(())
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        // All three fail only when there is nothing left to end or remove.
        let _ = self.strace.kill();
        let _ = self.strace.wait();
        let _ = fs::remove_file(&self.summary);
    }
}

fn are_all_traced(pid: u32) -> bool {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    tasks.into_iter().flatten().flatten().all(|task| {
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
        tracer.is_some_and(|tracer| tracer.trim() != "0")
    })
}

/// The calls of each group in strace's table, whose lines are shares, times, calls, errors if any, and a name.
fn grouped(table: &str) -> [u64; GROUPS.len()] {
    let mut counts = [0; GROUPS.len()];
    for line in table.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (Some(calls), Some(name)) = (words.get(3), words.last()) else { continue };
        let Ok(calls) = calls.parse::<u64>() else { continue };
        if *name == "total" {
            continue;
        }
        let group = GROUPS.iter().position(|(.., names)| names.contains(name));
        counts[group.unwrap_or(GROUPS.len() - 1)] += calls;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_what_they_do() {
        let table = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.600000           6    100000           sendto
 30.00    0.300000           3    100010        10 recvfrom
  9.00    0.090000           9     10000           epoll_wait
  0.50    0.000500           5       100           write
  0.50    0.000500           5       700           epoll_ctl
------ ----------- ----------- --------- --------- ----------------
100.00    0.990500           4    210810        10 total
";
        assert_eq!(grouped(table), [100_010, 100_100, 10_000, 0, 700]);
        assert_eq!(grouped("no table"), [0; GROUPS.len()]);
    }
}
