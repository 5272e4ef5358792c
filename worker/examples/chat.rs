//! A chat room: `telnet 127.0.0.1 2347`, and write. Everybody in the room sees `user[1] said: hello`.

use std::process::ExitCode;
use workyard_worker::Worker;
use workyard_worker::protocols::Text;

fn main() -> ExitCode {
    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "text://0.0.0.0:2347".to_owned());
    // One process: the room is the connections of this process.
    Worker::<Text>::bind(&listen)
        .name("chat")
        .on_connect(async |connection| {
            connection.worker().broadcast(format!("user[{}] comes", connection.id()))
        })
        .on_message(async |connection, line| {
            connection.worker().broadcast(format!("user[{}] said: {line}", connection.id()))
        })
        .on_close(async |connection| {
            connection.worker().broadcast(format!("user[{}] logout", connection.id()))
        })
        .run()
}
