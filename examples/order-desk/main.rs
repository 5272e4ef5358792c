//! An order that comes by HTTP is stored in MySQL, cached in Redis, counted in globaldata-server, published over MQTT,
//! and pushed to WebSocket clients through channel-server.
//!
//! ```text
//! cargo run --release -- up                                         # the daemons
//! export MYSQL_URL=mysql://root@127.0.0.1/test REDIS_URL=redis://127.0.0.1 MQTT_URL=mqtt://127.0.0.1
//! cargo run -p workyard-examples --example order-desk -- start     # 2 desks and 2 screens
//! curl -d '{"item":"tea","count":2}' http://127.0.0.1:2125/orders
//! curl http://127.0.0.1:2125/orders/1
//! ```
//!
//! An order is taken once it is stored. What is told of it is told as well as possible: while Redis or the broker is
//! away, orders are taken all the same, and the log says what was not told.

mod desk;
mod order;
mod screen;

use std::process::ExitCode;
use workyard_worker::Service;

/// Every screen subscribes to this channel.
const CHANNEL: &str = "orders";

fn main() -> ExitCode {
    Service::new().with(desk::desk()).with(screen::screen()).run()
}

/// A setting, from the environment.
fn setting(name: &str, usual: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| usual.to_owned())
}

/// Where channel-server is.
fn channel() -> String {
    setting("WORKYARD_CHANNEL", "127.0.0.1:2206")
}
