//! A proxy: whoever connects to one address talks to another. `TARGET=tcp://127.0.0.1:80 tcp-proxy start`.

use std::process::ExitCode;
use workyard_worker::protocols::Tcp;
use workyard_worker::{Client, Pipe, Worker};

fn main() -> ExitCode {
    let variable = |name, otherwise: &str| std::env::var(name).unwrap_or(otherwise.to_owned());
    let target = variable("TARGET", "tcp://127.0.0.1:80");
    Worker::<Tcp>::bind(&variable("LISTEN", "tcp://0.0.0.0:2360"))
        .name("tcp-proxy")
        .count(4)
        .on_connect(async move |connection| {
            connection.pipe(&Client::<Tcp>::to(&target).connect()?);
            Ok::<_, std::io::Error>(())
        })
        .run()
}
