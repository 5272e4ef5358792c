//! Connections that are silent for 55 s end, and so do those that have not said who they are within 30 s. The first
//! line is the name; from the second on they talk to each other: `NAME: TEXT`.

use std::process::ExitCode;
use std::time::Duration;
use workyard_worker::Worker;
use workyard_worker::protocols::Text;

fn main() -> ExitCode {
    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "text://0.0.0.0:2356".to_owned());
    Worker::<Text>::bind(&listen)
        .name("heartbeat")
        .heartbeat(seconds("IDLE", 55.0), seconds("SWEEP", 10.0))
        .authenticate_within(seconds("LOGIN", 30.0))
        .on_message(async |connection, line| {
            if connection.user().is_none() {
                connection.set_user(&line);
                return connection.send(format!("hello, {line}"));
            }
            // Clients send an empty line, more often than every 55 s.
            match line.split_once(": ") {
                Some((user, text)) => {
                    let reached = connection.worker().send_to_user(user, text);
                    connection.send(format!("told {reached}"))
                }
                None => connection.send("pong"),
            }
        })
        .run()
}

fn seconds(name: &str, usual: f64) -> Duration {
    let set = std::env::var(name).ok().and_then(|text| text.parse().ok());
    Duration::from_secs_f64(set.unwrap_or(usual))
}
