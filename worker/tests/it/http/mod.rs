//! HTTP, byte by byte.

mod bad;
mod dialogue;
mod ending;
mod files;
mod forms;
mod reply;
mod streams;
mod waiting;

use workyard_worker::Worker;
use workyard_worker::protocols::Http;

fn http() -> Worker<Http> {
    Worker::bind("http://127.0.0.1:0")
}
