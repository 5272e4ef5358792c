//! A service over UDP: each line of a datagram is answered with a datagram. `nc -u 127.0.0.1 2358`.

use std::process::ExitCode;
use workyard_worker::Worker;
use workyard_worker::protocols::Text;

fn main() -> ExitCode {
    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "udp://0.0.0.0:2358".to_owned());
    Worker::<Text>::bind(&listen)
        .name("udp-service")
        .count(2)
        .reuse_port(true)
        .on_message(async |connection, line| connection.send(format!("you said {line}")))
        .run()
}
