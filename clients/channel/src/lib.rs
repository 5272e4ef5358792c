//! Async client of channel-server: publish, subscribe, ask and answer, work queues.
//!
//! ```no_run
//! use workyard_channel::ChannelClient;
//!
//! # async fn example() -> Result<(), workyard_channel::Error> {
//! let client = ChannelClient::connect("127.0.0.1:2206").await?;
//! let mut news = client.subscribe("news").await?;
//! client.publish("news", "it works").await?;
//! if let Some(message) = news.next().await {
//!     println!("{}: {}", message.channel_str(), message.decode::<String>()?);
//! }
//!
//! let mut jobs = client.consume("mails", 10).await?;
//! client.enqueue("mails", &("alice@example.org", "welcome")).await?;
//! while let Some(job) = jobs.next().await {
//!     let (to, text): (String, String) = job.decode()?;
//!     println!("sending {text} to {to}");
//!     job.ack().await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A [`ChannelClient`] is a cheap handle of one connection, which heals itself. After a reconnect
//! everything that was subscribed to and consumed is restored before anything else is sent.
//! Messages published while there was no connection are gone, unless the server keeps them and the
//! subscription was made [`with_history`](Subscribing::with_history). What is known to be missing is told
//! by [`Message::missed_before`], [`Message::interrupted_before`] and [`Event::Gap`].
//! Jobs are kept: those not acknowledged go back to their queue.
//! Who works on one keeps it, for however long: its lease is renewed in the background.
//! A request whose connection is lost fails at once; a [`Responder`] serves on.

mod builder;
mod client;
mod consumer;
mod dead;
mod error;
mod history;
mod job;
pub mod limits;
mod message;
mod new_job;
mod presence;
mod queues;
mod request;
mod responder;
mod session;
mod settings;
mod subscribing;
mod subscription;
mod view;
mod wanted;

pub use builder::Builder;
pub use client::ChannelClient;
pub use consumer::Consumer;
pub use dead::{Cause, DeadJob, DeadJobs};
pub use error::{Error, ErrorKind, Unanswered};
pub use history::{Histories, HistoryRule, Keep};
pub use job::{Job, JobId};
pub use message::Message;
pub use new_job::{Enqueued, NewJob};
pub use presence::{
    GroupCount, Member, Members, Presence, PresenceCounts, PresenceEvent, PresenceEvents,
};
pub use queues::{QueueStats, Queues};
pub use request::Answer;
pub use responder::{Question, Responder};
pub use settings::{JobBackoff, QueueSettings, SettingsReport};
pub use subscribing::Subscribing;
pub use subscription::Subscription;
pub use workyard_link::{
    Address, AddressError, Backoff, Connector, DisconnectReason, Event, Events, GapCause, Server,
};
pub use workyard_protocol::channel::WhenSlow;
pub use workyard_protocol::{Encoding, Reason, Refusal, Value};
