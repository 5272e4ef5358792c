//! The broker: channels, patterns, queue groups and work queues as a pure state machine.
//!
//! [`Broker`] implements [`workyard_engine::Engine`]: requests and time go in, effects come out
//! through the outbox. It has two halves that know nothing of each other: `channels`, where messages
//! pass through and nothing is kept, and `queues`, where jobs stay until they are acknowledged.

mod broker;
mod by_session;
mod census;
mod channels;
mod limits;
mod members;
mod named;
mod numbers;
mod queues;

pub use broker::Broker;
pub use census::Census;
pub use limits::BrokerLimits;
