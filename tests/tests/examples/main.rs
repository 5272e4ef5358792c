//! The examples as a user runs them: processes of their own, real WebSocket and HTTP clients.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod across;
mod browser;
mod chromium;
mod cluster;
mod cluster_push;
mod mailer;
mod order_desk;
mod page;
mod service;
mod shared_counter;
