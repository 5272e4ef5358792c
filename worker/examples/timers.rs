//! Timers: one that repeats and ends after three runs, one that runs once, and one for each connection.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::cell::Cell;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;
use workyard_worker::protocols::Text;
use workyard_worker::{Timer, Worker};

fn main() -> ExitCode {
    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "text://0.0.0.0:2355".to_owned());
    Worker::<Text>::bind(&listen)
        .name("timers")
        .data::<Option<Timer>>()
        .on_worker_start(async |worker| {
            // In one process of several, or each would do it.
            if worker.id() == 0 {
                Timer::once(Duration::from_secs(1), async || println!("a second has passed"));
            }
        })
        .on_connect(async |connection| {
            let (count, ticking) = (Rc::new(Cell::new(0)), connection.clone());
            let timer = Timer::every(Duration::from_millis(100), async move || {
                count.set(count.get() + 1);
                ticking.send(format!("tick {}", count.get()));
                if count.get() == 3 {
                    ticking.close_with("that was all");
                }
            });
            *connection.data_mut() = Some(timer);
        })
        .on_close(async |connection| {
            if let Some(timer) = connection.data_mut().take() {
                timer.cancel();
            }
        })
        .run()
}
