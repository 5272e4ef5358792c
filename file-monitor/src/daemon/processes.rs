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

    /// When it began by the wall clock, to some hundredths of a second; the earlier where that clock
    /// was set since the system began, as nobody knows what it said then.
    pub(crate) fn began(&self) -> Option<SystemTime> {
        let by_now = SystemTime::now().checked_sub(self.age()?)?;
        Some(self.began_by_first_clock().map_or(by_now, |first| first.min(by_now)))
    }

    /// How long ago it began. Not by `/proc/uptime`: containers have files of their own there.
    fn age(&self) -> Option<Duration> {
        let system = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::try_from(system).ok()?.checked_sub(ticks(self.began)?)
    }

    /// The same by the clock as it was at first: `/proc` came with the first process, and keeps that
    /// time.
    fn began_by_first_clock(&self) -> Option<SystemTime> {
        let first = Self::look(Pid::INIT)?;
        let came = fs::metadata("/proc").ok()?.modified().ok()?;
        came.checked_add(ticks(self.began.checked_sub(first.began)?)?)
    }
}

fn ticks(count: u64) -> Option<Duration> {
    let milliseconds = count.checked_mul(1000)? / rustix::param::clock_ticks_per_second().max(1);
    Some(Duration::from_millis(milliseconds))
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
        let process = Process::look(rustix::process::getpid()).unwrap();
        let age = process.age().unwrap();
        assert!(age < Duration::from_secs(3600), "{age:?}");
        let began = process.began().unwrap();
        assert!(began <= SystemTime::now(), "{began:?}");
        assert!(process.runs() && process.is_same(&process));
    }

    /// A clock that was set after the start has two opinions on when this process began.
    #[test]
    fn of_two_clocks_the_earlier_counts() {
        let process = Process::look(rustix::process::getpid()).unwrap();
        let first = process.began_by_first_clock().unwrap();
        let by_now = SystemTime::now() - process.age().unwrap();
        let began = process.began().unwrap();
        assert!(began <= first && began <= by_now, "{began:?} {first:?} {by_now:?}");
        assert!(began >= first.min(by_now) - Duration::from_secs(1), "{began:?}");
    }
}
