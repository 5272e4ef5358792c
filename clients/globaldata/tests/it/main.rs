//! Dialogues of the globaldata client with scripted servers.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod batch;
mod behind;
mod cached;
mod containers;
mod dialogue;
mod expiry;
mod listing;
mod locks;
mod modify;
mod rate_limit;
mod shards;
#[expect(dead_code, reason = "it has more than this crate needs")]
#[path = "../../../link/tests/it/support/mod.rs"]
mod support;
mod update;
mod variables;
mod watch;
