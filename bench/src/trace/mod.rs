//! What a server does between two moments, as other programs see it: system calls, or instructions.

mod callgrind;
mod strace;

pub(crate) use callgrind::VALGRIND;

use crate::figures::Figures;
use anyhow::Result;

/// What looks on. Servers are far slower then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// strace counts system calls.
    Strace,
    /// valgrind counts instructions, and calls of functions. The server must have been started under it.
    Callgrind,
}

/// A tool that looks on.
pub(crate) enum Trace {
    Strace(strace::Trace),
    Callgrind(callgrind::Trace),
}

/// A figure's name, and what it is called in the table.
pub(crate) type Counted = (&'static str, &'static str);

impl Trace {
    pub(crate) fn start(tool: Tool, pid: u32) -> Result<Self> {
        Ok(match tool {
            Tool::Strace => Self::Strace(strace::Trace::attach(pid)?),
            Tool::Callgrind => Self::Callgrind(callgrind::Trace::start(pid)?),
        })
    }

    /// Adds what was counted since the start, for each of `operations`.
    pub(crate) fn finish(self, operations: f64, figures: &mut Figures) -> Result<()> {
        match self {
            Self::Strace(trace) => trace.finish(operations, figures),
            Self::Callgrind(trace) => trace.finish(operations, figures),
        }
    }
}

/// All that any tool counts.
pub(crate) fn counted() -> impl Iterator<Item = Counted> {
    callgrind::COUNTED.into_iter().chain(strace::counted())
}
