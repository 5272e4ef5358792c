//! The adapter and real servers.

mod support;

mod blocking;
mod cancelled;
mod cluster;
mod commands;
mod connection;
mod in_worker;
mod limits;
mod queue;
mod scripts;
mod sentinel;
mod subscriptions;
mod tls;
mod transactions;
