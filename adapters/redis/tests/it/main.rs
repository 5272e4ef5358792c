//! The adapter and real servers.

mod support;

mod blocking;
mod cancelled;
mod commands;
mod connection;
mod limits;
mod scripts;
mod subscriptions;
mod tls;
mod transactions;
