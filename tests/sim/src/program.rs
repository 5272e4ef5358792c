//! What programs of every simulation have in common: a client of their own, and an end.

use crate::channel::value;
use crate::world::World;
use fastrand::Rng;
use std::time::Duration;
use tokio::task::JoinHandle;
use workyard_channel::{Builder, ChannelClient};
use workyard_protocol::Value;

/// A client with limits of its own, connected as soon as that is possible.
pub(crate) fn client<const N: usize>(
    world: &World,
    rng: &mut Rng,
    subscription_messages_max: [usize; N],
) -> ChannelClient {
    let messages_max = subscription_messages_max[rng.usize(..N)];
    builder(world)
        .subscription_messages_max(messages_max)
        .connect_timeout(Duration::from_millis(rng.u64(500..5000)))
        .call_timeout(Duration::from_millis(rng.u64(500..8000)))
        .connect_lazy()
        .expect("the address is one")
}

/// A client as everybody has it, for what is done when the network is calm.
pub(crate) fn calm_client(world: &World) -> ChannelClient {
    builder(world).connect_lazy().expect("the address is one")
}

/// One of several names.
pub(crate) fn choose(rng: &mut Rng, names: &[&'static str]) -> &'static str {
    rng.choice(names).copied().expect("there are names")
}

/// Publishes a message, for certain or without a receipt. Whether more can be.
pub(crate) async fn publish(
    world: &World,
    client: &ChannelClient,
    channel: &'static str,
    (id, value): (u64, Value),
    is_sure: bool,
) -> bool {
    if is_sure {
        let published = client.publish_value(channel, &value).await;
        world.network.say(|| format!("publish, value {id}: {published:?}"));
        return true;
    }
    client.send_value(channel, &value).await.is_ok()
}

/// Publishes to all channels, at most so many times, until nobody `waiting` is left.
pub(crate) async fn everybody_hears_the_last(
    world: &World,
    client: &ChannelClient,
    channels: &[&'static str],
    rounds: u32,
    next_value: impl Fn() -> u64,
    waiting: impl Fn() -> usize,
) {
    for _ in 0..rounds {
        if waiting() == 0 {
            return;
        }
        for channel in channels {
            let id = next_value();
            let published = client.publish_value(*channel, &value(id, 0)).await;
            world.network.say(|| format!("last message, value {id}: {published:?}"));
            // Who has room for few messages only has read it by then.
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
    let waiting = waiting();
    world.findings.report(format!("{waiting} subscriptions never hear anything any more"));
}

/// Waits until all programs have taken their steps; then the network calms down. Returns what they
/// leave, or nothing if one of them died.
pub(crate) async fn all_ended<T>(world: &World, programs: Vec<JoinHandle<T>>) -> Option<Vec<T>> {
    let mut ended = Vec::new();
    for program in programs {
        match program.await {
            Ok(left) => ended.push(left),
            Err(error) => {
                world.findings.report(format!("a program died: {error}"));
                return None;
            }
        }
    }
    world.network.calm_down();
    world.network.say(|| "all steps are taken".to_owned());
    Some(ended)
}

fn builder(world: &World) -> Builder {
    ChannelClient::builder("sim:2206").connector(world.connector())
}
