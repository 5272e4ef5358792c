//! Work that takes long and computes, beside connections that are answered meanwhile: `17` is answered with the
//! number of primes below it, `ping` at once.

use std::process::ExitCode;
use workyard_worker::protocols::Text;
use workyard_worker::{Worker, blocking};

fn main() -> ExitCode {
    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "text://0.0.0.0:2357".to_owned());
    Worker::<Text>::bind(&listen)
        .name("async-task")
        .on_message(async |connection, line| {
            if line == "ping" {
                return Ok(connection.send("pong"));
            }
            let Ok(below) = line.parse() else {
                return Ok(connection.send("a number, or ping"));
            };
            // On another thread: this one goes on with other connections.
            let count = blocking(move || primes(below)).await?;
            Ok::<_, workyard_worker::BlockingPanicked>(connection.send(count.to_string()))
        })
        .run()
}

fn primes(below: u32) -> usize {
    let is_prime = |number: &u32| {
        (2..).take_while(|by| by * by <= *number).all(|by| !number.is_multiple_of(by))
    };
    (2..below.min(3_000_000)).filter(is_prime).count()
}
