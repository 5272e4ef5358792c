//! What `/proc` says of processes: when they began, and which of a group run.

use rustix::process::{Pid, test_kill_process_group};
use std::fs;
use std::time::{Duration, SystemTime};

/// Of a process: its state, its group, and when it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    state: u8,
    group: i32,
    /// In ticks since the system began.
    began: u64,
}

impl Process {
    /// Looks at a process; nothing if there is none.
    pub(crate) fn look(pid: Pid) -> Option<Self> {
        Self::parse(&fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?)
    }

    /// The name stands in parentheses and may hold anything, thus from the last one on: state,
    /// parent, group; and the beginning as the twentieth.
    fn parse(stat: &[u8]) -> Option<Self> {
        let end = stat.iter().rposition(|byte| *byte == b')')?;
        let text = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
        let fields: Vec<&str> = text.split_whitespace().collect();
        let state = *fields.first()?.as_bytes().first()?;
        Some(Self {
            state,
            group: fields.get(2)?.parse().ok()?,
            began: fields.get(19)?.parse().ok()?,
        })
    }

    /// Whether it has not ended: one that nobody has waited for has.
    pub(crate) fn runs(&self) -> bool {
        !matches!(self.state, b'Z' | b'X')
    }

    /// Whether two looks were at the same process, and not at one that has got its number.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.began == other.began
    }

    /// When it began, by the wall clock; to some hundredths of a second.
    pub(crate) fn began(&self) -> Option<SystemTime> {
        let ticks = rustix::param::clock_ticks_per_second();
        let uptime = fs::read_to_string("/proc/uptime").ok()?;
        let uptime: f64 = uptime.split_whitespace().next()?.parse().ok()?;
        let began = Duration::from_millis(self.began.checked_mul(1000)? / ticks.max(1));
        SystemTime::now()
            .checked_sub(Duration::try_from_secs_f64(uptime).ok()?.saturating_sub(began))
    }
}

/// Whether a process of this group runs.
pub(crate) fn group_runs(group: Pid) -> bool {
    if test_kill_process_group(group).is_err() {
        return false;
    }
    // It may be that all have ended and nobody waits for them, as when we are the first process of a
    // container.
    let Ok(entries) = fs::read_dir("/proc") else { return true };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(Pid::from_raw)
        .filter_map(Process::look)
        .any(|process| process.group == group.as_raw_nonzero().get() && process.runs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_does_not_confuse() {
        let stat = b"7 (a) R 1 (b) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 991 1 2 3";
        let process = Process::parse(stat).unwrap();
        assert_eq!(process, Process { state: b'S', group: 42, began: 991 });
        assert!(process.runs());
        assert_eq!(Process::parse(b"7 (a"), None);
        assert_eq!(Process::parse(b"7 (a) S 1"), None);
    }

    #[test]
    fn this_process_has_begun_not_long_ago() {
        let pid = rustix::process::getpid();
        let process = Process::look(pid).unwrap();
        let age = process.began().unwrap().elapsed().unwrap();
        assert!(age < Duration::from_secs(3600), "{age:?}");
        assert!(process.runs() && process.is_same(&process));
    }
}
