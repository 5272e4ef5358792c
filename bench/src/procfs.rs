//! What the kernel says a process, and the whole machine, has used.

use std::fs;
use std::ops::{RangeInclusive, Sub};
use std::time::{Duration, Instant};

/// The unit of the kernel's tick counters.
pub(crate) const TICK_NS: u64 = 10_000_000;

/// Running totals of a process; subtract two to get an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CpuUse {
    pub(crate) cpu_ns: u64,
    /// Clock ticks in user and in kernel mode: coarse, good for the split only.
    pub(crate) user_ticks: u64,
    pub(crate) kernel_ticks: u64,
    /// How often a thread was put on a core.
    pub(crate) switches: u64,
}

/// Resident memory of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) resident_kib: u64,
    pub(crate) peak_kib: u64,
}

/// What all threads of a process have used so far; nothing when it is gone.
pub(crate) fn cpu_use(pid: u32) -> CpuUse {
    let mut sum = CpuUse::default();
    (sum.user_ticks, sum.kernel_ticks) = ticks(&read(&format!("/proc/{pid}/stat")));
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    for task in tasks.into_iter().flatten().flatten() {
        let schedstat = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        let (cpu_ns, switches) = scheduled(&schedstat);
        sum.cpu_ns += cpu_ns;
        sum.switches += switches;
    }
    sum
}

/// What a process holds now, and the most it held since [`reset_peak`].
pub(crate) fn memory(pid: u32) -> Memory {
    let status = read(&format!("/proc/{pid}/status"));
    Memory {
        resident_kib: number_after(&status, "VmRSS:"),
        peak_kib: number_after(&status, "VmHWM:"),
    }
}

/// A child of a process, if it has one.
pub(crate) fn child(pid: u32) -> Option<u32> {
    let children = read(&format!("/proc/{pid}/task/{pid}/children"));
    children.split_whitespace().next()?.parse().ok()
}

/// Starts the peak anew, where this process may.
pub(crate) fn reset_peak(pid: u32) {
    // A process of another user keeps its old peak, which is a figure for information only.
    let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
}

/// Clock ticks that all cores together have spent on anything but idling.
pub(crate) fn machine_busy_ticks() -> u64 {
    busy_ticks(&read("/proc/stat"))
}

/// Waits until the machine is nearly idle, but not longer than `limit`.
pub(crate) fn wait_for_quiet(limit: Duration) {
    const SAMPLE: Duration = Duration::from_millis(100);
    const QUIET_TICKS: u64 = 2;
    let stop = Instant::now() + limit;
    while Instant::now() < stop {
        let before = machine_busy_ticks();
        std::thread::sleep(SAMPLE);
        if machine_busy_ticks() - before <= QUIET_TICKS {
            return;
        }
    }
}

/// The cores that this process may run on, in their order.
pub(crate) fn allowed_cores() -> Vec<usize> {
    let status = read("/proc/self/status");
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    cores(list.unwrap_or_default())
}

impl Sub for CpuUse {
    type Output = Self;

    /// Counters of threads that ended meanwhile are gone from the later total.
    fn sub(self, earlier: Self) -> Self {
        Self {
            cpu_ns: self.cpu_ns.saturating_sub(earlier.cpu_ns),
            user_ticks: self.user_ticks.saturating_sub(earlier.user_ticks),
            kernel_ticks: self.kernel_ticks.saturating_sub(earlier.kernel_ticks),
            switches: self.switches.saturating_sub(earlier.switches),
        }
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Fields 14 and 15 of `/proc/PID/stat`. The second is a name in parentheses that may hold anything.
fn ticks(stat: &str) -> (u64, u64) {
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut fields = after_name.split_whitespace().skip(11);
    (next_number(&mut fields), next_number(&mut fields))
}

/// Nanoseconds on a core, and how often, of `/proc/PID/task/TID/schedstat`.
fn scheduled(schedstat: &str) -> (u64, u64) {
    let mut fields = schedstat.split_whitespace();
    let cpu_ns = next_number(&mut fields);
    (cpu_ns, next_number(&mut fields.skip(1)))
}

/// The first line of `/proc/stat` sums up all cores.
fn busy_ticks(stat: &str) -> u64 {
    const IDLE_AND_IOWAIT: RangeInclusive<usize> = 3..=4;
    let all_cores = stat.lines().next().unwrap_or_default();
    all_cores
        .split_whitespace()
        .skip(1)
        .take(8)
        .enumerate()
        .filter(|(column, _)| !IDLE_AND_IOWAIT.contains(column))
        .filter_map(|(_, ticks)| ticks.parse::<u64>().ok())
        .sum()
}

/// `0-3,8,10-11`
fn cores(list: &str) -> Vec<usize> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
    };
    list.split(',').filter_map(range).flatten().collect()
}

fn next_number<'a>(fields: &mut impl Iterator<Item = &'a str>) -> u64 {
    fields.next().and_then(|field| field.parse().ok()).unwrap_or(0)
}

fn number_after(status: &str, name: &str) -> u64 {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .map_or(0, |rest| next_number(&mut rest.split_whitespace()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194560 100 0 0 0 31 42 0 0 20 0 1 0 99 1 2 3";
        assert_eq!(ticks(stat), (31, 42));
        assert_eq!(ticks(""), (0, 0));
    }

    #[test]
    fn schedstat_is_time_delay_and_count() {
        assert_eq!(scheduled("123456789 55 17\n"), (123_456_789, 17));
        assert_eq!(scheduled(""), (0, 0));
    }

    #[test]
    fn idling_is_not_busy() {
        let stat = "cpu  1 2 4 1000 2000 8 16 32 64 128\ncpu0 1 2 4 1000 2000 8 16 32 64 128\n";
        assert_eq!(busy_ticks(stat), 1 + 2 + 4 + 8 + 16 + 32);
        assert_eq!(busy_ticks(""), 0);
    }

    #[test]
    fn memory_is_found_by_its_name() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(number_after(status, "VmRSS:"), 1024);
        assert_eq!(number_after(status, "VmHWM:"), 2048);
        assert_eq!(number_after(status, "VmSwap:"), 0);
    }

    #[test]
    fn lists_of_cores() {
        assert_eq!(cores("\t0-1\n"), [0, 1]);
        assert_eq!(cores("0,2-4,7"), [0, 2, 3, 4, 7]);
        assert_eq!(cores(""), [] as [usize; 0]);
    }

    #[test]
    fn this_process_uses_something() {
        let pid = std::process::id();
        assert!(memory(pid).resident_kib > 0);
        assert!(cpu_use(pid).cpu_ns > 0);
        assert!(!allowed_cores().is_empty());
        assert_eq!(cpu_use(0), CpuUse::default());
    }
}
