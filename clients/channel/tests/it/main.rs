//! Dialogues of the channel client with a scripted server.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod dialogue;
mod history;
mod jobs;
mod leases;
mod presence;
mod publish;
mod questions;
mod queues;
mod reconnect;
mod settings;
mod slow;
mod slow_policies;
mod subscribe;
#[path = "../../../link/tests/it/support/mod.rs"]
mod support;
