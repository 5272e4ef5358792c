//! `workyard bench pub`: one publisher, many subscribers, each on a connection of its own.

use super::progress;
use super::timings::Timings;
use crate::args::{BenchPub, Global};
use crate::commands::channel_client;
use crate::exit::Status;
use crate::output::Output;
use anyhow::Context;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use workyard_channel::{ChannelClient, Message, Subscription, Value};

/// How long nothing may arrive before the run gives up on the rest.
const STALL: Duration = Duration::from_secs(5);

/// Messages between two looks at whether the subscribers keep up.
const WINDOW: u64 = 512;

pub(super) async fn run(
    global: &Global,
    args: &BenchPub,
    output: Output,
) -> anyhow::Result<Status> {
    let channel = format!("workyard.bench.{}", std::process::id());
    let start = Instant::now();
    let mut receiving = JoinSet::new();
    let acknowledgements = format!("{channel}.seen");
    let publisher = channel_client(global).await?;
    let mut seen = publisher.subscribe(&acknowledgements).await?;
    for _ in 0..args.subscribers {
        let client = channel_client(global).await?;
        let subscription = client.subscribe(&channel).await?;
        let back = acknowledgements.clone();
        receiving.spawn(receive(client, subscription, args.messages, start, back));
    }
    let begun = Instant::now();
    publish(&publisher, &channel, args, start, &mut seen).await?;
    let mut timings = Timings::for_count(args.messages * u64::from(args.subscribers));
    let mut delivered = 0;
    while let Some(received) = receiving.join_next().await {
        let (count, theirs) = received??;
        delivered += count;
        timings.merge(theirs);
    }
    let summary = timings.summary(delivered, begun.elapsed());
    output.say(|| summary.text("deliveries"), || summary.json("deliveries"))?;
    let lost = args.messages * u64::from(args.subscribers) - delivered;
    anyhow::ensure!(lost == 0, "{lost} deliveries did not arrive");
    Ok(Status::Done)
}

/// Publishes, and waits at every window until all subscribers have seen the one before: the figure
/// wanted is what the server carries, not what it drops.
async fn publish(
    client: &ChannelClient,
    channel: &str,
    args: &BenchPub,
    start: Instant,
    seen: &mut Subscription,
) -> anyhow::Result<()> {
    let bar = progress(args.messages)?;
    let mut windows_seen = 0u64;
    for number in 0..args.messages {
        let mut payload = vec![0; args.size as usize];
        payload[..8].copy_from_slice(&nanos(start.elapsed()).to_be_bytes());
        client.send_value(channel, &Value::raw(payload)).await?;
        if (number + 1).is_multiple_of(WINDOW) {
            bar.set_position(number);
            let windows = (number + 1) / WINDOW;
            while windows_seen + u64::from(args.subscribers) < windows * u64::from(args.subscribers)
            {
                let receipt = tokio::time::timeout(STALL, seen.next()).await;
                let receipt = receipt.context("subscribers stall")?.context("disconnected")?;
                windows_seen += 1 + receipt.missed_before();
            }
        }
    }
    client.flush().await?;
    bar.finish_and_clear();
    Ok(())
}

async fn receive(
    client: ChannelClient,
    mut subscription: Subscription,
    expected: u64,
    start: Instant,
    back: String,
) -> anyhow::Result<(u64, Timings)> {
    let mut timings = Timings::for_count(expected);
    let mut count = 0;
    while count < expected {
        let Ok(Some(message)) = tokio::time::timeout(STALL, subscription.next()).await else {
            break;
        };
        timings.add(start.elapsed().saturating_sub(sent_at(&message)));
        count += 1;
        if count % WINDOW == 0 {
            client.send(&back, &1).await?;
        }
    }
    Ok((count, timings))
}

fn sent_at(message: &Message) -> Duration {
    let Value::Encoded { bytes, .. } = message.value() else { return Duration::ZERO };
    let stamp = bytes.first_chunk().map_or(0, |stamp| u64::from_be_bytes(*stamp));
    Duration::from_nanos(stamp)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
