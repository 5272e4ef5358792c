//! The adapter against servers that do exactly what is asked of them, and against workers.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod batch;
mod crowd;
mod limits;
mod proxies;
mod proxy;
mod redirects;
mod requests;
mod retries;
mod server;
mod streams;
mod tls;
mod trouble;
mod worker;
