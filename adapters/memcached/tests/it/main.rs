//! The adapter against servers.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod cancelled;
mod commands;
mod common;
mod example;
mod failures;
mod limits;
mod many;
mod secure;
mod several;
