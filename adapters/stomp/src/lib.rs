//! STOMP 1.0 to 1.2 for workers and other tokio programs.
//!
//! [`Stomp`] is one connection to a server that heals itself. What is sent is confirmed by receipts,
//! subscriptions are bounded and come back after a reconnect, transactions abort when they are dropped.
//!
//! ```no_run
//! # async fn example() -> workyard_stomp::Result<()> {
//! use workyard_stomp::{Stomp, Subscribe};
//!
//! let stomp = Stomp::open("stomp://app:secret@127.0.0.1/%2F")?;
//! stomp.send("/queue/mails", "to: ann", [("persistent", "true")]).await?;
//!
//! let mut mails = stomp.subscribe(Subscribe::to("/queue/mails").prefetch(8)).await?;
//! while let Some(mail) = mails.next().await {
//!     println!("{}", mail?.text()?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The frames themselves, for both sides and without any socket, are in [`codec`].

pub mod codec;
mod connect;
mod error;
mod held;
mod limits;
mod message;
mod notice;
mod options;
mod pulse;
mod receipts;
mod request;
mod session;
mod shared;
mod stomp;
mod subscribe;
mod subscription;
mod task;
mod transaction;

pub use codec::{Headers, Version};
pub use connect::Agreed;
pub use message::Message;
pub use options::Options;
pub use stomp::Stomp;
pub use subscribe::{Ack, Subscribe};
pub use subscription::Subscription;
pub use transaction::Transaction;
pub use workyard_adapter_kit::{
    CallOptions, CallReport, ConnectionEvent, Error, ErrorKind, Observer, Result, State, Stats,
    Status, Tls,
};
