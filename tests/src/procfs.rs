//! What the system knows of a process: memory, time, descriptors, signals.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// A process by its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// Memory in use now, in bytes.
    pub(crate) fn memory_bytes(self) -> u64 {
        self.kilobytes("VmRSS:") * 1024
    }

    /// The most memory it ever had in use, in bytes.
    pub(crate) fn memory_peak_bytes(self) -> u64 {
        self.kilobytes("VmHWM:") * 1024
    }

    /// Processor time since its start.
    pub(crate) fn processor_time(self) -> Duration {
        const TICK: Duration = Duration::from_millis(10);
        let stat = self.read("stat");
        // The name before may have spaces; behind it the third field comes first.
        let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
        let ticks = |field: usize| -> u32 {
            let text = fields.split_whitespace().nth(field - 3);
            text.and_then(|text| text.parse().ok()).expect("a count of ticks")
        };
        TICK * (ticks(14) + ticks(15))
    }

    /// How many descriptors it has open.
    pub(crate) fn descriptors(self) -> usize {
        fs::read_dir(self.path("fd")).map_or(0, Iterator::count)
    }

    /// Whether it has a handler for the signal of this number.
    pub(crate) fn handles(self, signal: i32) -> bool {
        let mask = u64::from_str_radix(&self.status("SigCgt:"), 16).unwrap_or(0);
        mask >> (signal - 1) & 1 == 1
    }

    /// Whether a signal has stopped it. That takes a moment after the signal was sent.
    pub(crate) fn is_stopped(self) -> bool {
        self.status("State:").starts_with('T')
    }

    fn kilobytes(self, field: &str) -> u64 {
        let text = self.status(field);
        let number = text.trim_end_matches(" kB").parse();
        number.unwrap_or_else(|_| panic!("{field} {text:?} is no size"))
    }

    fn status(self, field: &str) -> String {
        let status = self.read("status");
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        line.unwrap_or_default().trim().to_owned()
    }

    fn read(self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap_or_default()
    }

    fn path(self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{file}", self.0))
    }
}

/// Gives this process as many descriptors as it may have.
///
/// # Panics
/// When that is fewer than `wanted`.
pub fn raise_descriptor_limit(wanted: u64) {
    let limit = getrlimit(Resource::Nofile);
    let hard = limit.maximum.unwrap_or(u64::MAX);
    assert!(hard >= wanted, "{wanted} descriptors are needed, the hard limit is {hard}");
    let raised = Rlimit { current: limit.maximum, ..limit };
    setrlimit(Resource::Nofile, raised).expect("up to the hard limit is allowed");
}
