//! What a call costs over the bare driver, in CPU time of this process:
//! `cargo run --release -p workyard-redis --example redis-overhead`. Needs redis-server.
#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use futures_util::future::join_all;
use std::fs;
use std::io;
use workyard_redis::redis::aio::MultiplexedConnection;
use workyard_redis::redis::{AsyncCommands, Client, Cmd};
use workyard_redis::{Redis, Result, from_driver};
use workyard_testbed::Redis as Server;

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
        let (mut by_driver, mut by_adapter) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let begun = cpu()?;
            for end in join_all((0..callers).map(|_| bare(driver.clone(), CALLS / callers))).await {
                end?;
            }
            by_driver.push(cpu()? - begun);
            let begun = cpu()?;
            for end in join_all((0..callers).map(|_| adapted(&redis, CALLS / callers))).await {
                end?;
            }
            by_adapter.push(cpu()? - begun);
        }
        let (by_driver, by_adapter) = (median(by_driver), median(by_adapter));
        let ratio = by_adapter / by_driver;
        println!(
            "{callers:3} at once: driver {by_driver:6.2} µs, adapter {by_adapter:6.2} µs, ratio {ratio:5.3}"
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

/// Nanoseconds that this thread has been on a CPU, in user code and in the system's.
fn cpu() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split(' ').next().and_then(|number| number.parse().ok());
    first.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn median(mut rounds: Vec<u64>) -> f64 {
    rounds.sort_unstable();
    rounds[rounds.len() / 2] as f64 / CALLS as f64 / 1000.0
}
