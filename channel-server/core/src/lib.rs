//! The broker: channels, patterns, queue groups and work queues as a pure state machine.
//!
//! [`Broker`] implements [`workyard_engine::Engine`]: requests and time go in, effects come out
//! through the outbox. It has parts that know nothing of each other: `channels`, where messages pass
//! through and nothing is kept, `queues`, where jobs stay until they are acknowledged, `questions`,
//! which go to one session each and whose answers go back, and `presence`, who has entered a channel.

mod broker;
mod census;
mod channels;
mod done;
mod limits;
mod members;
mod named;
mod numbers;
mod presence;
mod questions;
mod queues;

pub use broker::Broker;
pub use census::Census;
pub use limits::BrokerLimits;
