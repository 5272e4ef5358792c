//! What a call costs over the bare driver, in CPU time of this process:
//! `cargo run --release -p workyard-redis --example redis-overhead`. Needs redis-server.
#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use futures_util::future::try_join_all;
use workyard_redis::redis::aio::MultiplexedConnection;
use workyard_redis::redis::{AsyncCommands, Client, Cmd};
use workyard_redis::{Redis, Result, from_driver};
use workyard_testbed::{Cost, Redis as Server};

const ROUNDS: usize = 12;
const CALLS: usize = 24_000;
const VALUE_BYTES: usize = 100;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let server = Server::start().await;
    let redis = Redis::open(server.url())?;
    redis.query::<()>(&Cmd::set("key", vec![b'v'; VALUE_BYTES])).await?;
    let driver = Client::open(server.url())?.get_multiplexed_async_connection().await?;
    println!("GET of {VALUE_BYTES} bytes, medians of {ROUNDS} rounds of {CALLS}, in turn");
    for callers in [1, 8, 64] {
        let by_driver = async || {
            let calls = (0..callers).map(|_| bare(driver.clone(), CALLS / callers));
            try_join_all(calls).await.map(drop)
        };
        let by_adapter = async || {
            try_join_all((0..callers).map(|_| adapted(&redis, CALLS / callers))).await.map(drop)
        };
        println!(
            "{callers:3} at once: {}",
            Cost::measure(ROUNDS, CALLS, by_driver, by_adapter).await?
        );
    }
    Ok(())
}

async fn bare(mut driver: MultiplexedConnection, calls: usize) -> Result<()> {
    for _ in 0..calls {
        let value: Vec<u8> = driver.get("key").await.map_err(from_driver)?;
        assert_eq!(value.len(), VALUE_BYTES);
    }
    Ok(())
}

async fn adapted(redis: &Redis, calls: usize) -> Result<()> {
    for _ in 0..calls {
        let value: Vec<u8> = redis.query(&Cmd::get("key")).await?;
        assert_eq!(value.len(), VALUE_BYTES);
    }
    Ok(())
}
