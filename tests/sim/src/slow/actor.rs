//! A program that publishes, subscribes with a policy, and is slow, one step after the other.

use super::ledger::{Ledger, Wish};
use super::reader::{Had, Reader, Sharer};
use super::{CHANNELS, POLICIES, SHARED};
use crate::channel::{Filter, value};
use crate::program::{self, choose};
use crate::world::{World, lock};
use fastrand::Rng;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use workyard_channel::ChannelClient;

const PATTERNS: [&str; 2] = ["p.>", "p.*"];
const GROUPS: [&str; 2] = ["red", "blue"];
/// What the subscriptions of a program hold, at most: one of each channel at least.
const MESSAGES_MAX: [usize; 3] = [3, 8, 1000];

pub(super) struct Actor {
    world: Arc<World>,
    ledger: Arc<Mutex<Ledger>>,
    rng: Rng,
    client: ChannelClient,
    /// A number for each client that it has had.
    program: usize,
    /// Those who read, with their numbers; 0 for those of a group.
    readers: Vec<(usize, AbortHandle)>,
}

impl Actor {
    pub(super) fn new(world: Arc<World>, ledger: Arc<Mutex<Ledger>>, mut rng: Rng) -> Self {
        let client = program::client(&world, &mut rng, MESSAGES_MAX);
        let program = lock(&ledger).next_program();
        Self { world, ledger, rng, client, program, readers: Vec::new() }
    }

    /// Goes on until no steps are left.
    pub(super) async fn run(mut self) -> Self {
        while self.world.take_step(&mut self.rng).await {
            self.act().await;
        }
        self
    }

    /// Stops everything that it began.
    pub(super) fn stop(&mut self) {
        for (number, reader) in self.readers.drain(..) {
            reader.abort();
            lock(&self.ledger).remove_reader(number);
        }
    }

    async fn act(&mut self) {
        match self.rng.u8(..100) {
            0..=31 => self.publish().await,
            32..=37 => self.change_its_mind(),
            38..=54 => self.subscribe().await,
            55..=59 => self.share().await,
            60..=65 => self.unsubscribe(),
            66..=88 => self.world.network.stop_reading(),
            89..=90 => self.leave(),
            91..=92 => self.wait().await,
            _ => self.world.network.disturb(),
        }
    }

    async fn publish(&mut self) {
        let is_sure = self.rng.u8(..4) == 0;
        for _ in 0..self.rng.u8(1..25) {
            let channel = match self.rng.u8(..8) {
                0 => SHARED,
                _ => choose(&mut self.rng, &CHANNELS),
            };
            let id = lock(&self.ledger).next_value();
            let message = (id, value(id, self.rng.usize(..300)));
            if !program::publish(&self.world, &self.client, channel, message, is_sure).await {
                return;
            }
        }
    }

    async fn subscribe(&mut self) {
        let filter = match self.rng.u8(..3) {
            0 => Filter::Pattern(choose(&mut self.rng, &PATTERNS)),
            _ => Filter::Channel(choose(&mut self.rng, &CHANNELS)),
        };
        let when_slow = POLICIES[self.rng.usize(..POLICIES.len())];
        let pause = Duration::from_millis([0, 0, 1, 30][self.rng.usize(..4)]);
        let subscribing = match filter {
            Filter::Channel(name) => self.client.subscribe(name),
            Filter::Pattern(pattern) => self.client.subscribe_pattern(pattern),
        };
        let subscribed = subscribing.when_slow(when_slow).await;
        let error = subscribed.as_ref().err();
        self.world.network.say(|| format!("subscribe to {filter:?}, {when_slow:?}: {error:?}"));
        let Ok(subscription) = subscribed else {
            return lock(&self.ledger).changes(self.program);
        };
        let mut ledger = lock(&self.ledger);
        let wish = Wish { program: self.program, filter, when_slow };
        let (number, from) = (ledger.add_reader(wish.clone()), ledger.len());
        drop(ledger);
        self.world.network.say(|| format!("that is reader {number}"));
        let reader = Reader {
            world: Arc::clone(&self.world),
            ledger: Arc::clone(&self.ledger),
            rng: self.rng.fork(),
            number,
            wish,
            pause,
            from,
            had: Had::default(),
        };
        let task = tokio::spawn(reader.run(subscription));
        self.readers.push((number, task.abort_handle()));
    }

    /// Subscribes to what one of a group receives.
    async fn share(&mut self) {
        let group = choose(&mut self.rng, &GROUPS);
        let when_slow = POLICIES[self.rng.usize(..POLICIES.len())];
        let pause = Duration::from_millis([0, 1, 30][self.rng.usize(..3)]);
        let subscribed = self.client.subscribe_group(SHARED, group).when_slow(when_slow).await;
        let Ok(subscription) = subscribed else { return };
        let sharer = Sharer { ledger: Arc::clone(&self.ledger), group, pause };
        let task = tokio::spawn(sharer.run(subscription));
        self.readers.push((0, task.abort_handle()));
    }

    /// Wants a channel in one way and in another, sooner than the server may answer, and publishes meanwhile.
    fn change_its_mind(&mut self) {
        let (client, channel) = (self.client.clone(), choose(&mut self.rng, &CHANNELS));
        let (mut rng, ledger) = (self.rng.fork(), Arc::clone(&self.ledger));
        lock(&ledger).changes(self.program);
        let changing = async move {
            for _ in 0..rng.u8(2..6) {
                let when_slow = POLICIES[rng.usize(..POLICIES.len())];
                let subscribing = client.subscribe(channel).when_slow(when_slow);
                let subscribed = timeout(Duration::from_millis(rng.u64(1..100)), subscribing).await;
                for _ in 0..rng.u8(..4) {
                    let id = lock(&ledger).next_value();
                    let _ = client.send_value(channel, &value(id, rng.usize(..300))).await;
                }
                tokio::time::sleep(Duration::from_millis(rng.u64(..50))).await;
                drop(subscribed);
            }
        };
        self.readers.push((0, tokio::spawn(changing).abort_handle()));
    }

    fn unsubscribe(&mut self) {
        if let Some(at) = self.rng.choice(0..self.readers.len()) {
            let (number, reader) = self.readers.swap_remove(at);
            reader.abort();
            let mut ledger = lock(&self.ledger);
            ledger.remove_reader(number);
            ledger.changes(self.program);
        }
    }

    /// The program ends, and begins anew.
    fn leave(&mut self) {
        self.stop();
        self.client = program::client(&self.world, &mut self.rng, MESSAGES_MAX);
        self.program = lock(&self.ledger).next_program();
    }

    /// Long enough for all to be read.
    async fn wait(&mut self) {
        tokio::time::sleep(Duration::from_millis(self.rng.u64(..3000))).await;
    }
}
