//! Redis for workers: one handle for commands, scripts, transactions, subscriptions and work queues.
//!
//! ```no_run
//! # async fn example() -> workyard_redis::Result<()> {
//! use workyard_redis::Redis;
//! use workyard_redis::redis::Cmd;
//!
//! let redis = Redis::open("redis://:secret@127.0.0.1/1?request_timeout=500ms")?;
//! redis.query::<()>(&Cmd::set_ex("greeting", "hello", 60)).await?;
//! let greeting: Option<String> = redis.query(&Cmd::get("greeting")).await?;
//! # Ok(())
//! # }
//! ```
//!
//! All commands of the driver are there, typed, through its [`AsyncCommands`](redis::AsyncCommands), too:
//! they go the same way, and their errors become those of this crate by [`from_driver`].

mod answer_size;
mod backend;
mod blocking;
mod cluster;
mod command;
mod connection;
mod connector;
mod dedicated;
mod endpoint;
mod error;
mod handle;
mod limits;
mod link;
mod options;
mod pop;
pub mod queue;
mod script;
mod slot;
mod subscription;
mod transaction;

pub use blocking::PopStats;
pub use command::is_repeated_freely;
pub use error::from_driver;
pub use handle::Redis;
pub use options::Options;
pub use redis;
pub use redis::Msg;
pub use script::Script;
pub use subscription::{Event, Subscription};
pub use transaction::Watched;
pub use workyard_adapter_kit::{
    Backoff, BreakerOptions, CallOptions, CallReport, ConnectionEvent, Error, ErrorKind, Observer,
    Result, RetryOptions, State, Stats, Tls,
};

/// What the README shows compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
