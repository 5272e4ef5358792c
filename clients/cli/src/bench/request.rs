//! `workyard bench request`: one asker with many requests under way, and some responders.

use super::progress;
use super::timings::Timings;
use crate::args::{BenchRequest, Global};
use crate::commands::channel_client;
use crate::exit::Status;
use crate::output::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::task::JoinSet;
use workyard_channel::{Responder, Value};

pub(super) async fn run(
    global: &Global,
    args: &BenchRequest,
    output: Output,
) -> anyhow::Result<Status> {
    let channel = format!("workyard.bench.{}", std::process::id());
    let client = channel_client(global).await?;
    let mut responders = JoinSet::new();
    for _ in 0..args.responders {
        responders.spawn(answer(channel_client(global).await?.serve(&channel).await?));
    }
    let value = Value::raw(vec![b'x'; args.size as usize]);
    let (next, bar) = (Arc::new(AtomicU64::new(0)), progress(args.requests)?);
    let mut askers = JoinSet::new();
    let begun = Instant::now();
    for _ in 0..args.depth {
        let (client, channel, value) = (client.clone(), channel.clone(), value.clone());
        let (next, bar, requests) = (Arc::clone(&next), bar.clone(), args.requests);
        let timeout = global.timeout;
        askers.spawn(async move {
            let mut timings = Timings::for_count(requests);
            while next.fetch_add(1, Ordering::Relaxed) < requests {
                let asked = Instant::now();
                client.request_value(&channel, &value, timeout).await?;
                timings.add(asked.elapsed());
                bar.inc(1);
            }
            anyhow::Ok(timings)
        });
    }
    let mut timings = Timings::for_count(args.requests);
    while let Some(asker) = askers.join_next().await {
        timings.merge(asker??);
    }
    let summary = timings.summary(args.requests, begun.elapsed());
    bar.finish_and_clear();
    output.say(|| summary.text("requests"), || summary.json("requests"))?;
    Ok(Status::Done)
}

/// Sends every question back as its answer, without waiting for the server to say that it has it.
async fn answer(mut responder: Responder) {
    let mut sending = JoinSet::new();
    while let Some(question) = responder.next().await {
        let value = question.value().clone();
        // A request that is not answered fails at its asker, where it is told.
        sending.spawn(async move { question.answer_value(&value).await });
        while sending.try_join_next().is_some() {}
    }
}
