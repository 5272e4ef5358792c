//! Dialogues of a link with a scripted server.

mod cancellation;
mod closing;
mod heartbeat;
mod hello;
mod limits;
mod reconnect;
mod requests;
mod support;
