//! The adapter, against RabbitMQ.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod broker;
mod cancelling;
mod connecting;
mod example;
mod heart_beats;
mod losing;
mod sending;
mod settling;
mod subscribing;
mod transactions;
