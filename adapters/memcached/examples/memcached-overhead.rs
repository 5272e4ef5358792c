//! What a call costs over one that is written by hand on a bare connection, in CPU time of this process:
//! `cargo run --release -p workyard-memcached --example memcached-overhead`. Needs memcached.
#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::fs;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use workyard_memcached::Memcached;
use workyard_testbed::Memcached as Server;

const ROUNDS: usize = 12;
const CALLS: u32 = 30_000;
const VALUE_BYTES: usize = 100;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::start().await;
    let memcached = Memcached::open(&format!("memcached://{}", server.address()))?;
    let mut bare = Bare(TcpStream::connect(server.address()).await?);
    bare.0.set_nodelay(true)?;
    memcached.set("key", vec![b'v'; VALUE_BYTES], Duration::ZERO).await?;
    let (mut by_hand, mut by_adapter) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = cpu()?;
        for _ in 0..CALLS {
            assert_eq!(bare.get("key").await?.len(), VALUE_BYTES);
        }
        by_hand.push(cpu()? - begun);
        let begun = cpu()?;
        for _ in 0..CALLS {
            let item = memcached.get("key").await?.ok_or("the value is gone")?;
            assert_eq!(item.data.len(), VALUE_BYTES);
        }
        by_adapter.push(cpu()? - begun);
    }
    let (by_hand, by_adapter) = (median(by_hand), median(by_adapter));
    println!("get of {VALUE_BYTES} bytes, medians of {ROUNDS} rounds of {CALLS}, in turn");
    println!("by hand    {:6.2} µs", by_hand / 1000.0);
    println!("by adapter {:6.2} µs", by_adapter / 1000.0);
    println!("ratio      {:6.3}", by_adapter / by_hand);
    Ok(())
}

/// The least that one would write: no timeout, no pool, no look at what comes.
struct Bare(TcpStream);

impl Bare {
    async fn get(&mut self, key: &str) -> io::Result<Vec<u8>> {
        self.0.write_all(format!("get {key}\r\n").as_bytes()).await?;
        let mut answer = Vec::with_capacity(8 << 10);
        while !answer.ends_with(b"END\r\n") {
            self.0.read_buf(&mut answer).await?;
        }
        let head = answer.iter().position(|byte| *byte == b'\n').unwrap_or_default() + 1;
        Ok(answer[head..answer.len() - b"\r\nEND\r\n".len()].to_vec())
    }
}

/// Nanoseconds that this thread has been on a CPU, in user code and in the system's.
fn cpu() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split(' ').next().and_then(|number| number.parse().ok());
    first.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn median(mut rounds: Vec<u64>) -> f64 {
    rounds.sort_unstable();
    rounds[rounds.len() / 2] as f64 / f64::from(CALLS)
}
