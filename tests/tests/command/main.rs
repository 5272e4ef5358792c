//! The `workyard` command as scripts and people use it: what it prints, and how it exits.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod addresses;
mod changes;
mod containers;
mod exit_codes;
mod lifetimes;
mod locks;
mod messages;
mod modifications;
mod presence;
mod queue_settings;
mod queues;
mod requests;
mod support;
mod tools;
mod up;
mod variables;
