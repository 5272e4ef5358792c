//! A program that publishes, follows with history, and says what is to be kept.

use super::follower::{Follower, Had, Wish};
use super::ledger::Ledger;
use super::{CHANNELS, bounds};
use crate::channel::{Filter, value};
use crate::program::{self, choose};
use crate::world::{World, lock};
use fastrand::Rng;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::AbortHandle;
use workyard_channel::{ChannelClient, Keep};

/// What rules are made of, and followed: some channels are in none.
const PATTERNS: [&str; 3] = ["k.>", "k.*", "u.a"];
const FOLLOWED: [&str; 3] = ["k.>", "k.*", ">"];
/// What the subscriptions of a program hold, at most.
const MESSAGES_MAX: [usize; 4] = [1, 4, 50, 100_000];

pub(super) struct Actor {
    world: Arc<World>,
    ledger: Arc<Mutex<Ledger>>,
    rng: Rng,
    client: ChannelClient,
    /// Those who follow, with their numbers; 0 for those who only listen.
    followers: Vec<(usize, AbortHandle)>,
}

impl Actor {
    pub(super) fn new(world: Arc<World>, ledger: Arc<Mutex<Ledger>>, mut rng: Rng) -> Self {
        let client = program::client(&world, &mut rng, MESSAGES_MAX);
        Self { world, ledger, rng, client, followers: Vec::new() }
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
        for (number, follower) in self.followers.drain(..) {
            follower.abort();
            lock(&self.ledger).settle_follower(number);
        }
    }

    async fn act(&mut self) {
        match self.rng.u8(..100) {
            0..=34 => self.publish().await,
            35..=54 => self.follow().await,
            55..=58 => self.listen().await,
            59..=64 => self.follow_no_more(),
            65..=71 => self.keep().await,
            72..=75 => self.keep_no_more().await,
            76..=77 => self.leave(),
            78..=81 => self.wait().await,
            _ => self.world.network.disturb(),
        }
    }

    async fn publish(&mut self) {
        let channel = choose(&mut self.rng, &CHANNELS);
        let is_sure = self.rng.bool();
        for _ in 0..self.rng.u8(1..15) {
            let id = lock(&self.ledger).next_value();
            let message = (id, value(id, self.rng.usize(..300)));
            if !program::publish(&self.world, &self.client, channel, message, is_sure).await {
                return;
            }
        }
    }

    async fn follow(&mut self) {
        let filter = match self.rng.u8(..3) {
            0 => Filter::Pattern(choose(&mut self.rng, &FOLLOWED)),
            _ => Filter::Channel(choose(&mut self.rng, &CHANNELS)),
        };
        let last = [0, 0, 1, 5, 1000][self.rng.usize(..5)];
        let pause = Duration::from_millis([0, 0, 1, 30, 100][self.rng.usize(..5)]);
        let (asked, process) = lock(&self.ledger).now();
        let subscribing = match filter {
            Filter::Channel(name) => self.client.subscribe(name),
            Filter::Pattern(pattern) => self.client.subscribe_pattern(pattern),
        };
        let subscribed = subscribing.last(last).await;
        let error = subscribed.as_ref().err();
        self.world.network.say(|| format!("follow {filter:?}, last {last}: {error:?}"));
        let Ok(subscription) = subscribed else { return };
        let mut ledger = lock(&self.ledger);
        let number = ledger.add_follower();
        let (granted, now) = ledger.now();
        drop(ledger);
        self.world.network.say(|| format!("that is follower {number}"));
        let had = Had::new((process == now).then_some(now));
        let follower = Follower {
            world: Arc::clone(&self.world),
            ledger: Arc::clone(&self.ledger),
            number,
            wish: Wish { filter, last, asked, process, granted },
            pause,
            had,
        };
        let task = tokio::spawn(follower.run(subscription));
        self.followers.push((number, task.abort_handle()));
    }

    /// Is there for the same messages without history: the session has them once for both.
    async fn listen(&mut self) {
        let subscribed = match self.rng.u8(..3) {
            0 => self.client.subscribe_pattern(choose(&mut self.rng, &FOLLOWED)).await,
            _ => self.client.subscribe(choose(&mut self.rng, &CHANNELS)).await,
        };
        let Ok(mut subscription) = subscribed else { return };
        let listening = async move { while subscription.next().await.is_some() {} };
        self.followers.push((0, tokio::spawn(listening).abort_handle()));
    }

    fn follow_no_more(&mut self) {
        if let Some(at) = self.rng.choice(0..self.followers.len()) {
            let (number, follower) = self.followers.swap_remove(at);
            follower.abort();
            lock(&self.ledger).settle_follower(number);
        }
    }

    async fn keep(&mut self) {
        let pattern = choose(&mut self.rng, &PATTERNS);
        let bounds = bounds(&mut self.rng);
        let keep = Keep {
            messages_max: bounds.messages_max,
            bytes_max: bounds.bytes_max,
            age: bounds.age.into(),
        };
        let kept = self.client.keep_history(pattern, keep).await;
        self.world.network.say(|| format!("keep {pattern}, {keep:?}: {kept:?}"));
    }

    async fn keep_no_more(&mut self) {
        let pattern = choose(&mut self.rng, &PATTERNS);
        let dropped = self.client.drop_history(pattern).await;
        self.world.network.say(|| format!("drop {pattern}: {dropped:?}"));
    }

    /// The program ends, and begins anew.
    fn leave(&mut self) {
        self.stop();
        self.client = program::client(&self.world, &mut self.rng, MESSAGES_MAX);
    }

    /// Long enough for messages to be too old.
    async fn wait(&mut self) {
        tokio::time::sleep(Duration::from_millis(self.rng.u64(..3000))).await;
    }
}
