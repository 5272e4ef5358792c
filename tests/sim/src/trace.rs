//! What happened in a run: one number for all of it, and every line of it if wanted.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Two runs of one seed must leave the same.
#[derive(Debug)]
pub(crate) struct Trace {
    hasher: DefaultHasher,
    events: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    pub(crate) fn new(with_lines: bool) -> Self {
        Self { hasher: DefaultHasher::new(), events: 0, lines: with_lines.then(Vec::new) }
    }

    /// Notes what happened to a connection, with the bytes that it was about.
    pub(crate) fn note(&mut self, at_ms: u64, what: &'static str, connection: usize, bytes: &[u8]) {
        self.events += 1;
        (at_ms, what, connection, bytes).hash(&mut self.hasher);
        if let Some(lines) = &mut self.lines {
            let text = String::from_utf8_lossy(bytes);
            let shown: String = text.chars().take(120).flat_map(char::escape_default).collect();
            lines.push(format!("{at_ms:>7} ms  #{connection:<3} {what:<22} {shown}"));
        }
    }

    /// Notes what somebody decided or learned.
    pub(crate) fn say(&mut self, at_ms: u64, text: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{at_ms:>7} ms       {}", text()));
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hasher.finish()
    }

    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    pub(crate) fn take_lines(&mut self) -> Vec<String> {
        self.lines.take().unwrap_or_default()
    }
}
