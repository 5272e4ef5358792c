//! `workyard-channel` against a real channel-server: what programs rely on.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod cancellation;
mod fan_out;
mod heartbeat;
mod history;
mod jobs;
mod leases;
mod payloads;
mod presence;
mod requests;
mod restart;
mod routing;
mod slow;
mod slow_policies;
mod support;
