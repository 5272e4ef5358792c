//! Workers over real sockets.

mod callbacks;
mod peer;
mod protocols;
mod sending;
mod stopping;
mod timers;
mod tls;
