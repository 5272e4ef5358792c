//! Dialogues of a link with a scripted server.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod cancellation;
mod closing;
mod connector;
mod heartbeat;
mod hello;
mod limits;
mod reconnect;
mod requests;
mod support;
