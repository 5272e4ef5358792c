//! A WebSocket server of four processes that echoes. From a browser: `new WebSocket("ws://127.0.0.1:2000")`.

use std::process::ExitCode;
use workyard_worker::{Worker, protocols::WebSocket};

fn main() -> ExitCode {
    Worker::<WebSocket>::bind("websocket://0.0.0.0:2000")
        .count(4)
        .on_message(async |connection, message| connection.send(message))
        .run()
}
