//! A program that asks, serves, enters and follows, one step after the other.

use super::notes::Notes;
use super::{ROOMS, SERVED, tasks};
use crate::program::{self, choose};
use crate::world::{World, lock};
use fastrand::Rng;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::{AbortHandle, JoinSet};
use workyard_channel::ChannelClient;

/// What the subscriptions of a program hold, at most.
const MESSAGES_MAX: [usize; 3] = [1, 100, 100_000];

pub(super) struct Actor {
    number: usize,
    world: Arc<World>,
    notes: Arc<Mutex<Notes>>,
    rng: Rng,
    client: ChannelClient,
    responders: Vec<AbortHandle>,
    /// Those who follow, with their numbers.
    followers: Vec<(usize, AbortHandle)>,
    asking: JoinSet<()>,
}

impl Actor {
    pub(super) fn new(
        number: usize,
        world: Arc<World>,
        notes: Arc<Mutex<Notes>>,
        mut rng: Rng,
    ) -> Self {
        let client = program::client(&world, &mut rng, MESSAGES_MAX);
        let (responders, followers, asking) = (Vec::new(), Vec::new(), JoinSet::new());
        Self { number, world, notes, rng, client, responders, followers, asking }
    }

    /// Goes on until no steps are left, and all questions are settled.
    pub(super) async fn run(mut self) -> Self {
        while self.world.take_step(&mut self.rng).await {
            self.act().await;
        }
        while let Some(asked) = self.asking.join_next().await {
            self.died(asked);
        }
        self
    }

    /// Is in a room, or is not, whatever went wrong before. Returns as whom.
    pub(super) async fn make_sure(&mut self, room: &str) -> Option<String> {
        let name = self.rng.bool().then(|| format!("program {}", self.number));
        let room = self.client.presence(room);
        for _ in 0..100 {
            let done = match &name {
                Some(name) => room.enter(name).await,
                None => room.leave().await,
            };
            if done.is_ok() {
                return name;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        self.world.findings.report("nobody can enter or leave any more");
        None
    }

    /// Stops everything that it began.
    pub(super) fn stop(&mut self) {
        self.responders.drain(..).for_each(|responder| responder.abort());
        for (number, follower) in self.followers.drain(..) {
            follower.abort();
            lock(&self.notes).remove_follower(number);
        }
        self.asking.abort_all();
    }

    async fn act(&mut self) {
        match self.rng.u8(..100) {
            0..=34 => self.ask(),
            35..=49 => self.serve().await,
            50..=53 => self.stop_serving(),
            54..=67 => self.enter().await,
            68..=71 => self.leave_a_room().await,
            72..=81 => self.follow().await,
            82..=84 => self.follow_no_more(),
            85..=87 => self.begin_anew(),
            _ => self.world.network.disturb(),
        }
    }

    fn ask(&mut self) {
        for _ in 0..self.rng.u8(1..6) {
            let (world, notes) = (Arc::clone(&self.world), Arc::clone(&self.notes));
            let timeout = Duration::from_millis(self.rng.u64(1..8000));
            let (channel, repeatable) = (choose(&mut self.rng, &SERVED), self.rng.bool());
            let client = self.client.clone();
            self.asking.spawn(tasks::ask(world, notes, client, channel, repeatable, timeout));
        }
        if self.rng.u8(..10) == 0 {
            // Whoever gives up is nobody's trouble.
            self.asking.abort_all();
        }
        while let Some(asked) = self.asking.try_join_next() {
            self.died(asked);
        }
    }

    async fn serve(&mut self) {
        let channel = choose(&mut self.rng, &SERVED);
        let served = self.client.serve(channel).await;
        self.world.network.say(|| format!("serve {channel}: {:?}", served.as_ref().err()));
        let Ok(responder) = served else { return };
        let (world, notes) = (Arc::clone(&self.world), Arc::clone(&self.notes));
        let task = tokio::spawn(tasks::serve(world, notes, self.rng.fork(), responder));
        self.responders.push(task.abort_handle());
    }

    fn stop_serving(&mut self) {
        if let Some(at) = self.rng.choice(0..self.responders.len()) {
            self.responders.swap_remove(at).abort();
        }
    }

    async fn enter(&mut self) {
        let room = choose(&mut self.rng, &ROOMS);
        let name = format!("program {} as {}", self.number, self.rng.u8(..3));
        let entered = self.client.presence(room).enter(&name).await;
        self.world.network.say(|| format!("{name} enters {room}: {entered:?}"));
    }

    async fn leave_a_room(&mut self) {
        let room = choose(&mut self.rng, &ROOMS);
        let left = self.client.presence(room).leave().await;
        self.world.network.say(|| format!("leave {room}: {left:?}"));
    }

    async fn follow(&mut self) {
        let room = choose(&mut self.rng, &ROOMS);
        let followed = self.client.presence(room).follow().await;
        self.world.network.say(|| format!("follow {room}: {:?}", followed.as_ref().err()));
        let Ok(events) = followed else { return };
        let number = lock(&self.notes).add_follower(room);
        let pause = Duration::from_millis([0, 0, 1, 30][self.rng.usize(..4)]);
        let notes = Arc::clone(&self.notes);
        let task = tokio::spawn(tasks::follow(notes, number, pause, events));
        self.followers.push((number, task.abort_handle()));
    }

    fn follow_no_more(&mut self) {
        if let Some(at) = self.rng.choice(0..self.followers.len()) {
            let (number, follower) = self.followers.swap_remove(at);
            follower.abort();
            lock(&self.notes).remove_follower(number);
        }
    }

    /// The program ends, and begins anew.
    fn begin_anew(&mut self) {
        self.stop();
        self.client = program::client(&self.world, &mut self.rng, MESSAGES_MAX);
    }

    fn died(&self, task: Result<(), tokio::task::JoinError>) {
        if let Err(error) = task
            && error.is_panic()
        {
            self.world.findings.report(format!("a task died: {error}"));
        }
    }
}
