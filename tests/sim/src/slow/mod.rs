//! Subscribers that are slow: programs that read late or not at all, and what their subscriptions want then.

mod actor;
mod bounded;
mod ledger;
mod monitor;
mod reader;
mod streams;

use crate::channel::value;
use crate::program::{all_ended, calm_client, everybody_hears_the_last};
use crate::run::{self, Plan, Run};
use crate::server::Server;
use crate::world::{World, lock};
use actor::Actor;
use bounded::Bounded;
use fastrand::Rng;
use ledger::Ledger;
use monitor::SlowMonitor;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use workyard_channel::{ChannelClient, WhenSlow};
use workyard_channel_core::{Broker, BrokerLimits};

const CHANNELS: [&str; 3] = ["p.a", "p.b", "p.c.d"];
/// What groups share.
const SHARED: &str = "g.a";
const POLICIES: [WhenSlow; 4] =
    [WhenSlow::DropNewest, WhenSlow::Latest, WhenSlow::DropOldest, WhenSlow::Disconnect];

/// Runs a seed with the real broker.
#[must_use]
pub fn slow(plan: &Plan) -> Run {
    run::run(plan, |world, mut rng| {
        // A message takes at most 600 bytes: one of each channel is always within a subscription's bounds.
        let limits = BrokerLimits {
            held_messages_per_subscription_max: [3, 8, 1000][rng.usize(..3)],
            held_bytes_per_subscription_max: [2000, 1 << 20][rng.usize(..2)],
            held_bytes_max: [3000, 1 << 28][usize::from(rng.u8(..4) > 0)],
            ..BrokerLimits::default()
        };
        let ledger = Ledger::new(Arc::clone(&world.findings), limits.held_bytes_max < 1 << 20);
        let ledger = Arc::new(Mutex::new(ledger));
        let known = Arc::clone(&ledger);
        let make = move |_| Bounded::new(Broker::new(limits), limits, Arc::clone(&known));
        let mut server = Server::new(
            Box::new(make),
            SlowMonitor::new(Arc::clone(&ledger)),
            Arc::clone(&world.network),
            Arc::clone(&world.findings),
            [600, 2000, 10_000][rng.usize(..3)],
        );
        server.delivery.in_turns_of([1, 20][rng.usize(..2)]);
        let check = |server: &Server<Bounded, SlowMonitor>, world: &World| {
            world.check_nothing_is_left(server.engine());
        };
        (server, scenario(world, ledger, rng), check)
    })
}

/// What happens, from the first step to the last.
async fn scenario(world: Arc<World>, ledger: Arc<Mutex<Ledger>>, mut rng: Rng) {
    let actors: Vec<_> = (0..rng.usize(1..=4))
        .map(|_| Actor::new(Arc::clone(&world), Arc::clone(&ledger), rng.fork()))
        .map(|actor| tokio::spawn(actor.run()))
        .collect();
    let Some(mut ended) = all_ended(&world, actors).await else { return };
    // Long enough for everybody to be connected, and to have read everything.
    tokio::time::sleep(Duration::from_secs(10)).await;
    world.network.everybody_stops_reading(1500);
    let client = calm_client(&world);
    flood(&world, &ledger, &client, &mut rng).await;
    // The same.
    tokio::time::sleep(Duration::from_secs(10)).await;
    lock(&ledger).check_streams();
    let next_value = || lock(&ledger).next_value();
    let waiting = || lock(&ledger).waiting_readers();
    everybody_hears_the_last(&world, &client, &CHANNELS, 60, next_value, waiting).await;
    ended.iter_mut().for_each(Actor::stop);
    drop((ended, client));
    // Long enough for every half-open connection to be found.
    tokio::time::sleep(Duration::from_secs(20)).await;
}

/// Publishes more than there is room for.
async fn flood(world: &World, ledger: &Mutex<Ledger>, client: &ChannelClient, rng: &mut Rng) {
    lock(ledger).begin_the_flood();
    for _ in 0..rng.u8(10..80) {
        let id = lock(ledger).next_value();
        let channel = CHANNELS[rng.usize(..CHANNELS.len())];
        let sent = client.send_value(channel, &value(id, rng.usize(..300))).await;
        world.network.say(|| format!("flood, value {id} on {channel}: {sent:?}"));
    }
    if let Err(error) = client.flush().await {
        world.findings.report(format!("nothing is wrong with the network, but: {error}"));
    }
    lock(ledger).end_the_flood();
}
