//! The adapter against a MariaDB server.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod bounds;
mod building;
mod calls;
mod cancelling;
mod closing;
mod losing;
mod refusing;
mod sessions;
mod streaming;
mod support;
mod tls;
mod transacting;
mod worker;
