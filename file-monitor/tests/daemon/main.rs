//! The daemon as a process: what it says, what it does, and what it leaves alone.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod checks;
mod ends;
mod guardian;
mod modes;
mod overflow;
mod programs;
mod rounds;
mod signals;
mod support;
mod telling;
mod tls;
