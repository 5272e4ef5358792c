//! The MQTT adapter against a real broker, with a second client that is not ours.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod calls;
mod connecting;
mod example;
mod load;
mod peer;
mod properties;
mod sessions;
mod sizes;
mod subscriptions;
mod tls;
mod troubles;
mod wills;
