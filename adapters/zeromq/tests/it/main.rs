//! The adapter against libzmq, and against itself.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod dialogue;
mod ends;
mod example;
mod peer;
mod pipeline;
mod requests;
mod silence;
mod strangers;
mod topics;
