//! AMQP 0-9-1 for workers and other tokio programs: RabbitMQ, over the driver `lapin`.
//!
//! [`Amqp`] is one connection that heals itself. What is published is confirmed, consumers are bounded and
//! go on after a reconnect, and what was declared through it is declared again before they do.
//!
//! ```no_run
//! # async fn example() -> workyard_amqp::Result<()> {
//! use workyard_amqp::{Amqp, Consume, Publish, Queue};
//!
//! let amqp = Amqp::open("amqp://app:secret@127.0.0.1/%2F")?;
//! amqp.declare_queue(&Queue::named("mails")).await?;
//! amqp.publish(&Publish::to_queue("mails").body("to: ann").mandatory()).await?;
//!
//! let mut mails = amqp.consume(Consume::from("mails").prefetch(8)).await?;
//! while let Some(mail) = mails.next().await {
//!     let mail = mail?;
//!     println!("{}", mail.text()?);
//!     mail.ack().await?;
//! }
//! # Ok(())
//! # }
//! ```

mod amqp;
mod consume;
mod consumer;
mod delivery;
mod error;
mod finished;
mod keeper;
mod limits;
mod live;
mod options;
mod publish;
mod publishing;
mod shared;
mod topology;

pub use amqp::Amqp;
pub use consume::Consume;
pub use consumer::Consumer;
pub use delivery::Delivery;
pub use lapin;
pub use lapin::BasicProperties as Properties;
pub use lapin::types::AMQPValue as Value;
pub use options::Options;
pub use publish::Publish;
pub use topology::{Binding, Exchange, ExchangeKind, Queue, QueueFacts};
pub use workyard_adapter_kit::{
    CallOptions, CallReport, ConnectionEvent, Error, ErrorKind, Observer, Result, State, Stats,
    Status, Tls,
};
