//! `workyard-globaldata` against real globaldata-servers: what programs rely on.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod batches;
mod cancellation;
mod containers;
mod contention;
mod counting;
mod expiry;
mod holders;
mod locks;
mod rate_limits;
mod restart;
mod sharded;
mod support;
mod values;
mod watches;
