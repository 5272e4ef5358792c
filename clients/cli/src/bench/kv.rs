//! `workyard bench kv`: many requests under way on some connections.

use super::progress;
use super::timings::Timings;
use crate::args::{BenchKv, Global, KvOperation};
use crate::commands::globaldata_client;
use crate::exit::Status;
use crate::output::Output;
use indicatif::ProgressBar;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::task::JoinSet;
use workyard_globaldata::{GlobalDataClient, Value};

/// Variables that the run uses, so that not all of it is one.
const KEYS: u64 = 1000;

struct Run {
    args: BenchKv,
    prefix: String,
    next: AtomicU64,
    bar: ProgressBar,
}

pub(super) async fn run(global: &Global, args: &BenchKv, output: Output) -> anyhow::Result<Status> {
    let run = Arc::new(Run {
        args: BenchKv { ..*args },
        prefix: format!("workyard.bench.{}.", std::process::id()),
        next: AtomicU64::new(0),
        bar: progress(args.requests)?,
    });
    let first = globaldata_client(global).await?;
    run.prepare(&first).await?;
    let mut workers = JoinSet::new();
    let mut clients = vec![first];
    while clients.len() < args.connections as usize {
        clients.push(globaldata_client(global).await?);
    }
    let begun = Instant::now();
    for client in &clients {
        for _ in 0..args.depth {
            workers.spawn(Arc::clone(&run).work(client.clone()));
        }
    }
    let mut timings = Timings::for_count(args.requests);
    while let Some(worker) = workers.join_next().await {
        timings.merge(worker??);
    }
    let elapsed = begun.elapsed();
    run.bar.finish_and_clear();
    run.clean(&clients[0]).await?;
    let summary = timings.summary(args.requests, elapsed);
    output.say(|| summary.text("requests"), || summary.json("requests"))?;
    Ok(Status::Done)
}

impl Run {
    fn key(&self, number: u64) -> String {
        format!("{}{}", self.prefix, number % KEYS)
    }

    async fn prepare(&self, client: &GlobalDataClient) -> anyhow::Result<()> {
        let value = match self.args.operation {
            KvOperation::Incr => Value::Int(0),
            _ => Value::raw(vec![b'x'; self.args.size as usize]),
        };
        for number in 0..KEYS {
            client.set_value(self.key(number), &value).await?;
        }
        Ok(())
    }

    async fn clean(&self, client: &GlobalDataClient) -> anyhow::Result<()> {
        for number in 0..KEYS {
            client.delete(self.key(number)).await?;
        }
        Ok(())
    }

    /// Takes numbers until all requests are made.
    async fn work(self: Arc<Self>, client: GlobalDataClient) -> anyhow::Result<Timings> {
        let mut timings = Timings::for_count(self.args.requests);
        let value = Value::raw(vec![b'y'; self.args.size as usize]);
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.args.requests {
                return Ok(timings);
            }
            let key = self.key(number);
            let begun = Instant::now();
            match self.args.operation {
                KvOperation::Get => {
                    let _ = client.entry(&key).await?;
                }
                KvOperation::Set => {
                    let _ = client.set_value(&key, &value).await?;
                }
                KvOperation::Incr => {
                    let _ = client.increment(&key, 1).await?;
                }
                // A conflict is an answer too: what is timed is the server.
                KvOperation::Cas => {
                    let _ = client.cas_to_value(&key, number, &value).await?;
                }
            }
            timings.add(begun.elapsed());
            self.bar.inc(1);
        }
    }
}
