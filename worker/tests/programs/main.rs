//! The examples, run as their users run them: a supervisor and its worker processes.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod eight_lines;
mod examples;
mod http;
mod line_peer;
mod many;
mod program;
