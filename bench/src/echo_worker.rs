//! A worker that sends back what it receives, in one process and without a supervisor.

use crate::peer::Spoken;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use workyard_worker::Worker;
use workyard_worker::embedded::serve_while;
use workyard_worker::protocols::{Frame, Http, Text, WebSocket};

/// Serves until the process is ended.
pub(crate) fn serve(spoken: Spoken, listen: SocketAddr) -> io::Result<()> {
    let address = format!("tcp://{listen}");
    match spoken {
        Spoken::Frame => {
            let worker = Worker::<Frame>::bind(&address)
                .on_message(async |connection, message| connection.send(message));
            serve_while(worker, async |_| pending().await)
        }
        Spoken::Text => {
            let worker = Worker::<Text>::bind(&address)
                .on_message(async |connection, line| connection.send(line));
            serve_while(worker, async |_| pending().await)
        }
        Spoken::WebSocket => {
            let worker = Worker::<WebSocket>::bind(&address)
                .on_message(async |connection, message| connection.send(message));
            serve_while(worker, async |_| pending().await)
        }
        Spoken::Http => {
            let worker = Worker::<Http>::bind(&address)
                .on_message(async |connection, _| connection.send("hello"));
            serve_while(worker, async |_| pending().await)
        }
    }
}
