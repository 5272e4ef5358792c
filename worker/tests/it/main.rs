//! Workers over real sockets.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod callbacks;
mod client_proxies;
mod clients;
mod custom;
mod datagrams;
mod http;
mod listening;
mod names;
mod peer;
mod pipes;
mod protocols;
mod proxies;
mod sending;
mod stopping;
mod timers;
mod tls;
mod troubles;
mod websocket_client;
mod websocket_frames;
mod websocket_handshake;
mod websocket_life;
mod websocket_peer;
