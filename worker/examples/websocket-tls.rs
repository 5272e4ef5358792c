//! WebSocket over TLS: `TLS_CERTIFICATE` and `TLS_KEY` name PEM files, which are read again when they change. A
//! browser connects to `wss://HOST:2362`.

use std::process::ExitCode;
use workyard_worker::protocols::WebSocket;
use workyard_worker::{Tls, Worker};

fn main() -> ExitCode {
    let setting =
        |name: &str, usual: &str| std::env::var(name).unwrap_or_else(|_| usual.to_owned());
    let tls =
        Tls::from_files(setting("TLS_CERTIFICATE", "server.crt"), setting("TLS_KEY", "server.key"));
    Worker::<WebSocket>::bind(&setting("LISTEN", "wss://127.0.0.1:2362"))
        .name("websocket-tls")
        .tls(tls)
        .on_message(async |connection, message| connection.send(message))
        .run()
}
