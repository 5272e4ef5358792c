//! Says hello to whoever asks: `cargo run --example http-hello -- start`, then <http://127.0.0.1:2345>.

use workyard_worker::{Worker, protocols::Http};

fn main() -> std::process::ExitCode {
    Worker::<Http>::bind("http://0.0.0.0:2345")
        .count(4)
        .on_message(async |connection, _| connection.send("hello"))
        .run()
}
