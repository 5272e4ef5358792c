//! A program that uses channel-server in every way, one step after the other.

use super::asking;
use super::ledger::Ledger;
use super::reader::{Filter, Reader, Sharer};
use super::value;
use super::worker::Worker;
use crate::program::{self, choose};
use crate::world::{World, lock};
use fastrand::Rng;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::AbortHandle;
use workyard_channel::{ChannelClient, Error, Subscription};

/// Channels that everybody receives, that groups share, and of which one receives.
pub(crate) const PLAIN: [&str; 3] = ["p.a", "p.b", "p.c.d"];
const SHARED: [&str; 2] = ["g.a", "g.b"];
const ONE: &str = "one.a";
const GROUPS: [&str; 2] = ["red", "blue"];
pub(crate) const QUEUES: [&str; 2] = ["q", "r"];
/// What the subscriptions of a program hold, at most.
const MESSAGES_MAX: [usize; 3] = [4, 100, 100_000];

pub(crate) struct Actor {
    world: Arc<World>,
    ledger: Arc<Mutex<Ledger>>,
    rng: Rng,
    client: ChannelClient,
    /// Subscriptions with the number of their readers, 0 for those that share.
    readers: Vec<(usize, AbortHandle)>,
    /// Those that do jobs, ask and answer.
    workers: Vec<AbortHandle>,
    /// Sent and not yet known to have arrived.
    sent: Vec<u64>,
}

impl Actor {
    pub(crate) fn new(world: Arc<World>, ledger: Arc<Mutex<Ledger>>, mut rng: Rng) -> Self {
        let client = program::client(&world, &mut rng, MESSAGES_MAX);
        let (readers, workers, sent) = (Vec::new(), Vec::new(), Vec::new());
        Self { world, ledger, rng, client, readers, workers, sent }
    }

    /// Goes on until no steps are left. Returns what has to be kept until everybody has heard the last
    /// message.
    pub(crate) async fn run(mut self) -> Self {
        while self.world.take_step(&mut self.rng).await {
            self.act().await;
        }
        self
    }

    /// Stops everything that it began.
    pub(crate) fn stop(&mut self) {
        for (number, reader) in self.readers.drain(..) {
            reader.abort();
            lock(&self.ledger).settle_reader(number);
        }
        self.workers.drain(..).for_each(|worker| worker.abort());
    }

    async fn act(&mut self) {
        match self.rng.u8(..100) {
            0..=15 => self.publish().await,
            16..=19 => self.ask(),
            20..=24 => self.serve().await,
            25..=31 => self.publish_many().await,
            32..=38 => self.publish_to_groups().await,
            39..=42 => self.publish_one().await,
            43..=54 => self.subscribe().await,
            55..=59 => self.unsubscribe(),
            60..=72 => self.enqueue().await,
            73..=79 => self.consume().await,
            80..=82 => self.stop_working(),
            83..=86 => self.flush().await,
            87..=88 => self.leave(),
            _ => self.world.network.disturb(),
        }
    }

    async fn publish(&mut self) {
        let channel = choose(&mut self.rng, &PLAIN);
        if self.rng.bool() {
            let (id, value) = self.value();
            let published = self.client.publish_value(channel, &value).await;
            self.told(id, "publish", &published);
            if published.is_ok() {
                self.check_published(id, "confirmed");
            }
            return;
        }
        for _ in 0..self.rng.u8(1..20) {
            let (id, value) = self.value();
            if self.client.send_value(channel, &value).await.is_ok() {
                self.sent.push(id);
            }
        }
    }

    async fn publish_many(&mut self) {
        let (id, value) = self.value();
        let published = self.client.publish_many_value(PLAIN, &value).await;
        self.told(id, "publish to many", &published);
    }

    async fn publish_to_groups(&mut self) {
        let channel = choose(&mut self.rng, &SHARED);
        for _ in 0..self.rng.u8(1..5) {
            let (id, value) = self.value();
            let published = self.client.publish_value(channel, &value).await;
            self.told(id, "publish to groups", &published);
        }
    }

    async fn publish_one(&mut self) {
        let (id, value) = self.value();
        let published = self.client.publish_one_value(ONE, &value).await;
        self.told(id, "publish to one", &published);
    }

    async fn subscribe(&mut self) {
        let pause = Duration::from_millis([0, 0, 1, 30][self.rng.usize(..4)]);
        if self.rng.u8(..3) == 0 {
            return self.share(pause).await;
        }
        let filter = match self.rng.u8(..6) {
            0 => Filter::Pattern("p.>"),
            1 => Filter::Pattern("p.*"),
            _ => Filter::Channel(choose(&mut self.rng, &PLAIN)),
        };
        let subscribed = match filter {
            Filter::Channel(name) => self.client.subscribe(name).await,
            Filter::Pattern(pattern) => self.client.subscribe_pattern(pattern).await,
        };
        let Some(subscription) = self.subscribed(&filter, subscribed) else { return };
        let mut ledger = lock(&self.ledger);
        let (number, from) = (ledger.add_reader(), ledger.published());
        drop(ledger);
        let reader = Reader {
            world: Arc::clone(&self.world),
            ledger: Arc::clone(&self.ledger),
            filter,
            number,
            from,
            has_begun: false,
            pause,
        };
        let task = tokio::spawn(reader.run(subscription));
        self.readers.push((number, task.abort_handle()));
    }

    /// Subscribes to what one of many receives.
    async fn share(&mut self, pause: Duration) {
        let group = choose(&mut self.rng, &GROUPS);
        let subscribed = match self.rng.u8(..4) {
            0 => self.client.subscribe(ONE).await,
            1 => self.client.subscribe_pattern_group("g.>", group).await,
            _ => self.client.subscribe_group(self.rng.choice(SHARED).unwrap_or("g.a"), group).await,
        };
        let Some(subscription) = self.subscribed(&group, subscribed) else { return };
        let sharer = Sharer { ledger: Arc::clone(&self.ledger), group, pause };
        let task = tokio::spawn(sharer.run(subscription));
        self.readers.push((0, task.abort_handle()));
    }

    fn unsubscribe(&mut self) {
        if let Some(at) = self.rng.choice(0..self.readers.len()) {
            let (number, reader) = self.readers.swap_remove(at);
            reader.abort();
            lock(&self.ledger).settle_reader(number);
        }
    }

    async fn enqueue(&mut self) {
        let queue = choose(&mut self.rng, &QUEUES);
        for _ in 0..self.rng.u8(1..6) {
            let (id, value) = self.value();
            let process = lock(&self.ledger).processes;
            let stored = self.client.enqueue_value(queue, &value).await;
            self.told(id, "enqueue", &stored);
            if let Ok(number) = stored {
                lock(&self.ledger).job_stored(id, number, process);
            }
        }
    }

    async fn consume(&mut self) {
        let queue = choose(&mut self.rng, &QUEUES);
        let prefetch = self.rng.u32(1..8);
        let Ok(consumer) = self.client.consume(queue, prefetch).await else { return };
        let worker = Worker {
            world: Arc::clone(&self.world),
            ledger: Arc::clone(&self.ledger),
            rng: self.rng.fork(),
            is_diligent: false,
        };
        self.workers.push(tokio::spawn(worker.run(consumer)).abort_handle());
    }

    /// Asks, and does something else meanwhile.
    fn ask(&mut self) {
        let id = lock(&self.ledger).next_value();
        let (world, client) = (Arc::clone(&self.world), self.client.clone());
        let asking = asking::ask(world, client, id, self.rng.fork());
        self.workers.push(tokio::spawn(asking).abort_handle());
    }

    async fn serve(&mut self) {
        let channel = choose(&mut self.rng, &asking::SERVED);
        let Ok(responder) = self.client.serve(channel).await else { return };
        let serving = asking::serve(Arc::clone(&self.world), responder, self.rng.fork());
        self.workers.push(tokio::spawn(serving).abort_handle());
    }

    fn stop_working(&mut self) {
        if let Some(at) = self.rng.choice(0..self.workers.len()) {
            self.workers.swap_remove(at).abort();
        }
    }

    /// What a flush says has arrived has arrived.
    async fn flush(&mut self) {
        let sent = std::mem::take(&mut self.sent);
        let flushed = self.client.flush().await;
        self.world.network.say(|| format!("flush: {flushed:?}"));
        // Of those that a failed flush was about, nothing more will be known.
        if flushed.is_ok() {
            sent.into_iter().for_each(|id| self.check_published(id, "flushed"));
        }
    }

    /// The program ends, and begins anew.
    fn leave(&mut self) {
        self.stop();
        self.sent.clear();
        self.client = program::client(&self.world, &mut self.rng, MESSAGES_MAX);
    }

    fn check_published(&self, id: u64, how: &str) {
        let ledger = lock(&self.ledger);
        ledger.findings.check(ledger.is_published(id), || format!("value {id} is {how} and gone"));
    }

    fn subscribed(
        &self,
        to: &impl std::fmt::Debug,
        subscribed: Result<Subscription, Error>,
    ) -> Option<Subscription> {
        self.world.network.say(|| format!("subscribe to {to:?}: {:?}", subscribed.as_ref().err()));
        subscribed.ok()
    }

    fn told(&self, id: u64, what: &str, told: &Result<u64, Error>) {
        self.world.network.say(|| format!("{what}, value {id}: {told:?}"));
    }

    fn value(&mut self) -> (u64, workyard_channel::Value) {
        let id = lock(&self.ledger).next_value();
        (id, value(id, self.rng.usize(..300)))
    }
}
