//! Lines of text, answered by four processes. To try it: `nc 127.0.0.1 2347`.

use std::process::ExitCode;
use workyard_worker::{Worker, protocols::Text};

fn main() -> ExitCode {
    Worker::<Text>::bind("text://0.0.0.0:2347")
        .count(4)
        .on_message(async |connection, line| connection.send(line))
        .run()
}
