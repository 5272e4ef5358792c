//! The adapter, against RabbitMQ.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod broker;
mod cancelling;
mod connecting;
mod consuming;
mod declaring;
mod example;
mod losing;
mod publishing;
