//! MQTT 3.1.1 and 5 for worker processes: queued publishes, sessions that survive lost connections,
//! subscriptions that are restored.
//!
//! ```no_run
//! # async fn example() -> workyard_mqtt::Result<()> {
//! use workyard_mqtt::{Mqtt, Qos};
//!
//! let mqtt = Mqtt::open("mqtt://app:secret@127.0.0.1?keepalive=30s")?;
//! let mut alarms = mqtt.subscribe("plant/+/alarm", Qos::AtLeastOnce).await?;
//! mqtt.publish("plant/7/state", "running", Qos::AtLeastOnce, true).await?;
//! while let Some(message) = alarms.next().await {
//!     let message = message?;
//!     println!("{}: {}", message.topic, message.text());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The packets are those of [`rumqttc`]; connection and session are this crate's, and README.md says why.

mod acknowledgement;
mod backlog;
mod buffer;
mod client;
mod command;
mod connection;
mod error;
mod handler;
mod message;
mod options;
mod overlap;
mod qos;
mod registry;
mod session;
mod stream;
mod subscription;
mod task;
mod topic;
mod wire;

pub use buffer::Overflow;
pub use client::Mqtt;
pub use handler::Handler;
pub use message::{Message, Properties, Publish};
pub use options::{Options, Version, Will};
pub use qos::Qos;
pub use rumqttc;
pub use subscription::{Acknowledge, Subscribe, Subscription};
pub use topic::{check_filter, check_topic, matches};
pub use workyard_adapter_kit::{
    Backoff, CallOptions, Error, ErrorKind, Observer, Result, State, Stats, Status, Tls,
};

/// What the README shows compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
