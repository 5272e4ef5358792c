//! Async client of globaldata-server: shared variables.
//!
//! ```no_run
//! use workyard_globaldata::GlobalDataClient;
//!
//! # async fn example() -> Result<(), workyard_globaldata::Error> {
//! let client = GlobalDataClient::connect("127.0.0.1:2207").await?;
//! client.set("greeting", "hello").await?;
//! let greeting: Option<String> = client.get("greeting").await?;
//! let visits = client.increment("visits", 1).await?;
//! let list = client
//!     .update("names", |names: Option<Vec<String>>| {
//!         let mut names = names.unwrap_or_default();
//!         names.push("alice".to_owned());
//!         names
//!     })
//!     .await?;
//! println!("{greeting:?}, visit {visits}, {} names", list.value.len());
//! # Ok(())
//! # }
//! ```
//!
//! A [`GlobalDataClient`] is a cheap handle of one connection, or of one for each of several servers
//! ([`GlobalDataClient::sharded`]). Connections heal themselves. A call that a connection died under
//! fails with [`ErrorKind::Disconnected`]; it is not repeated by itself, since it may have been
//! carried out.
//!
//! Every write gives its variable a new revision, a number that one server never uses twice. What is
//! to be changed only if nobody else changed it meanwhile is written with [`GlobalDataClient::cas`],
//! or by [`GlobalDataClient::update`], which does the loop.
//!
//! Much needs no loop: numbers are incremented, also [within bounds](GlobalDataClient::increment_within),
//! bytes [appended](GlobalDataClient::append), values [swapped](GlobalDataClient::swap) and
//! [taken](GlobalDataClient::take), each in one step. A variable may be a [`List`], a [`Set`] or a [`Map`],
//! changed and read item by item. A [`RateLimit`] counts what many programs do together.
//!
//! Variables live for ever, or for a time: [`GlobalDataClient::with_ttl`] is a handle whose writes expire,
//! [`GlobalDataClient::touch`] prolongs what is there.
//!
//! Whoever has to know when something changes [watches](GlobalDataClient::watch) it, or all whose names
//! [begin alike](GlobalDataClient::watch_prefix), or [waits](GlobalDataClient::wait_until_changed) once; what
//! is read far more often than it changes is read through a [cache](GlobalDataClient::cached) that a watch
//! keeps right.
//!
//! What only one at a time may do is done under a [`GlobalDataClient::lock`], which ends with the process that
//! holds it; [`GlobalDataClient::fenced_by`] is a handle whose writes are refused once it is lost.

mod batch;
mod batch_changes;
mod builder;
mod cached;
mod client;
mod containers;
mod count;
mod entry;
mod error;
mod expiry;
mod fence;
mod increment;
mod keys;
pub mod limits;
mod list;
mod lock;
mod locks;
mod map;
mod modify;
mod placement;
mod position;
mod rate_limit;
mod read;
mod session;
mod set;
mod update;
mod wait;
mod watch;
mod write;

pub use batch::{Batch, BatchOutcome};
pub use builder::Builder;
pub use cached::{CacheStats, CachedClient};
pub use client::GlobalDataClient;
pub use entry::{Entry, KeyInfo};
pub use error::{Conflict, Error, ErrorKind, OutOfBounds};
pub use expiry::{Expiry, TimeLeft};
pub use fence::Fenced;
pub use keys::Keys;
pub use list::List;
pub use lock::{Lock, LockGuard};
pub use locks::{LockInfo, Locks};
pub use map::Map;
pub use modify::Bounds;
pub use placement::Placement;
pub use position::{Position, PositionError};
pub use rate_limit::{RateLimit, Verdict};
pub use session::LockLost;
pub use set::Set;
pub use update::Updated;
pub use wait::Waited;
pub use watch::{WatchEvent, Watcher, Watching};
pub use workyard_link::{
    Address, AddressError, Backoff, Connector, DisconnectReason, Event, Events, Server,
};
pub use workyard_protocol::globaldata::StepResult;
pub use workyard_protocol::{Encoding, Number, Reason, Refusal, Value, ValueTag};
