//! DNS for workers and any other tokio program, over [hickory_resolver].
//!
//! ```no_run
//! # use workyard_dns::{Dns, RecordType, Result};
//! # async fn example() -> Result<()> {
//! let dns = Dns::open("dns://192.0.2.1?servers=192.0.2.2&request_timeout=1s")?;
//! let address = dns.resolve("shop.example.org").await?;
//! let servers = dns.mail_servers("example.org").await?;
//! let records = dns.resolve_all("example.org", RecordType::CAA).await?;
//! # drop((address, servers, records));
//! # Ok(())
//! # }
//! ```
//!
//! The hosts file comes first, then what is kept, then the servers. Who asks what is being asked shares the
//! answer. There is no resolving that blocks the thread.

mod answers;
mod cache;
mod dns;
mod error;
mod flights;
mod limits;
mod options;
mod question;
#[cfg(feature = "http")]
mod resolve;
mod servers;

pub use answers::Service;
pub use dns::{CacheStats, Dns};
pub use hickory_resolver;
pub use hickory_resolver::lookup::Lookup;
pub use hickory_resolver::proto::rr::{RData, RecordType};
pub use options::Options;
pub use workyard_adapter_kit::{
    BreakerOptions, CallOptions, CallReport, Error, ErrorKind, Observer, Result, RetryOptions,
    Stats,
};
