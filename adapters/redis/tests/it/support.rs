//! What the tests share.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::task::yield_now;
use workyard_redis::redis::{Cmd, FromRedisValue};
use workyard_redis::{Options, Redis};
use workyard_testbed::Redis as Server;

/// Short enough for a test to wait for.
pub(crate) const MOMENT: Duration = Duration::from_millis(200);

/// Long enough for connecting, however busy the machine is.
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// The adapter at this URL.
pub(crate) fn open(url: &str) -> Redis {
    Redis::open(url).expect("the URL is sound")
}

/// A server, and the adapter at it.
pub(crate) async fn server() -> (Server, Redis) {
    let server = Server::start().await;
    let redis = open(&server.url());
    (server, redis)
}

/// Options with short waits between attempts.
pub(crate) fn impatient(url: &str) -> Options {
    let mut options = Options::new(url);
    options.calls.retry.backoff.first = Duration::from_millis(5);
    options.calls.retry.backoff.max = Duration::from_millis(50);
    options
}

/// What a command made of words is answered with.
pub(crate) async fn ask<T: FromRedisValue>(redis: &Redis, words: &str) -> T {
    redis.query(&cmd(words)).await.unwrap_or_else(|error| panic!("{words}: {error}"))
}

/// A command made of words.
pub(crate) fn cmd(words: &str) -> Cmd {
    let mut command = Cmd::new();
    command.arg(words.split(' ').collect::<Vec<_>>());
    command
}

/// A server that can be told to sleep, and the adapter at it.
pub(crate) async fn sleepy_server() -> (Server, Redis) {
    let server = Server::setup().line("enable-debug-command yes").start().await;
    let redis = open(&server.url());
    (server, redis)
}

/// What a future comes to when it is polled so often, others having their turn in between.
pub(crate) async fn polled<F: Future>(times: u64, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
        let once = poll_fn(|context| Poll::Ready(future.as_mut().poll(context)));
        if let Poll::Ready(output) = once.await {
            return Some(output);
        }
        yield_now().await;
    }
    None
}
