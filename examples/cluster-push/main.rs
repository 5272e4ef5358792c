//! Cluster push: many processes hold WebSocket clients, any process reaches all of them or just one.
//!
//! ```text
//! cargo run --release -- up                                           # the daemons
//! cargo run -p workyard-examples --example cluster-push -- start     # 3 pushers and a publisher
//! ```
//!
//! Open <http://127.0.0.1:2120/> in some windows, then `curl 'http://127.0.0.1:2120/push?content=hello'`. The first thing
//! that a client is told is its `worker_id` and `connection_id`; with them
//! `GET /push?to_worker_id=1&to_connection_id=2&content=hi` reaches just that client. `cluster-push --help` lists what
//! else the program does: `status`, `reload`, `stop`.
//!
//! `WORKYARD_CHANNEL` is the address of channel-server, `PUSHERS` the number of processes, `PUSH_LISTEN` and `HTTP_LISTEN` are
//! where clients connect.

mod message;
mod publisher;
mod pusher;

use std::process::ExitCode;
use workyard_worker::Service;

fn main() -> ExitCode {
    Service::new().with(pusher::pusher()).with(publisher::publisher()).run()
}

/// A setting, from the environment.
fn setting(name: &str, usual: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| usual.to_owned())
}

/// Where channel-server is.
fn channel() -> String {
    setting("WORKYARD_CHANNEL", "127.0.0.1:2206")
}

/// Where WebSocket clients connect.
fn push_listen() -> String {
    setting("PUSH_LISTEN", "websocket://127.0.0.1:2121")
}
