//! A call that is dropped, at whichever of its polls, neither takes another's answer nor makes another
//! take one: every answer that comes belongs to its question, and the client goes on.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod jobs;
mod messages;
mod polls;
mod questions;
mod variables;
