//! What a call costs over one that is written by hand on a bare connection, in CPU time of this process:
//! `cargo run --release -p workyard-memcached --example memcached-overhead`. Needs memcached.
#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use workyard_memcached::Memcached;
use workyard_testbed::{Cost, Memcached as Server};

const ROUNDS: usize = 12;
const CALLS: usize = 30_000;
const VALUE_BYTES: usize = 100;

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let server = Server::start().await;
    let memcached = Memcached::open(&format!("memcached://{}", server.address()))?;
    let mut bare = Bare(TcpStream::connect(server.address()).await?);
    bare.0.set_nodelay(true)?;
    memcached.set("key", vec![b'v'; VALUE_BYTES], Duration::ZERO).await?;
    let by_hand = async || {
        for _ in 0..CALLS {
            assert_eq!(bare.get("key").await?.len(), VALUE_BYTES);
        }
        Ok::<_, Failure>(())
    };
    let by_adapter = async || {
        for _ in 0..CALLS {
            let item = memcached.get("key").await?.ok_or("the value is gone")?;
            assert_eq!(item.data.len(), VALUE_BYTES);
        }
        Ok(())
    };
    println!("get of {VALUE_BYTES} bytes, medians of {ROUNDS} rounds of {CALLS}, in turn");
    println!("{}", Cost::measure(ROUNDS, CALLS, by_hand, by_adapter).await?);
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
