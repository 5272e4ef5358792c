//! Says hello to whoever asks. To try it: `curl http://127.0.0.1:2345`.

use std::process::ExitCode;
use workyard_worker::{Worker, protocols::Http};

fn main() -> ExitCode {
    Worker::<Http>::bind("http://0.0.0.0:2345")
        .count(4)
        .on_message(async |connection, _| connection.send("hello"))
        .run()
}
