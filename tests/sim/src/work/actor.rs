//! A program that stores jobs, has them done, and looks after queues, one step after the other.

use super::ledger::Ledger;
use super::worker::Worker;
use super::{QUEUES, settings_of};
use crate::channel::value;
use crate::program::{self, choose};
use crate::world::{World, lock};
use fastrand::Rng;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::AbortHandle;
use workyard_channel::ChannelClient;

pub(super) struct Actor {
    world: Arc<World>,
    ledger: Arc<Mutex<Ledger>>,
    rng: Rng,
    client: ChannelClient,
    workers: Vec<AbortHandle>,
}

impl Actor {
    pub(super) fn new(world: Arc<World>, ledger: Arc<Mutex<Ledger>>, mut rng: Rng) -> Self {
        let client = program::client(&world, &mut rng, [100]);
        Self { world, ledger, rng, client, workers: Vec::new() }
    }

    /// Goes on until no steps are left, and ends.
    pub(super) async fn run(mut self) {
        while self.world.take_step(&mut self.rng).await {
            self.act().await;
        }
        self.stop();
    }

    async fn act(&mut self) {
        match self.rng.u8(..100) {
            0..=29 => self.enqueue().await,
            30..=45 => self.consume().await,
            46..=52 => self.stop_working(),
            53..=58 => self.configure().await,
            59..=64 => self.remove().await,
            65..=70 => self.redrive().await,
            71..=73 => self.leave(),
            74..=77 => self.wait().await,
            _ => self.world.network.disturb(),
        }
    }

    async fn enqueue(&mut self) {
        let queue = choose(&mut self.rng, &QUEUES);
        for _ in 0..self.rng.u8(1..8) {
            let (id, process) = {
                let mut ledger = lock(&self.ledger);
                (ledger.next_value(), ledger.process)
            };
            let mut job = self.client.new_job_value(queue, value(id, self.rng.usize(..200)));
            if self.rng.u8(..3) == 0 {
                job = job.delay(Duration::from_millis(self.rng.u64(..3000)));
            }
            if self.rng.bool() {
                job = job.priority(self.rng.u8(..3));
            }
            if self.rng.u8(..4) == 0 {
                job = job.id([self.rng.u8(..3)]);
            }
            let stored = job.enqueue().await;
            self.world.network.say(|| format!("enqueue to {queue}, value {id}: {stored:?}"));
            if let Ok(stored) = stored {
                let mut ledger = lock(&self.ledger);
                ledger.stored(queue, id, stored.job, stored.duplicate, process);
            }
        }
    }

    async fn consume(&mut self) {
        let queue = choose(&mut self.rng, &QUEUES);
        let Ok(consumer) = self.client.consume(queue, self.rng.u32(1..6)).await else { return };
        let worker = Worker {
            world: Arc::clone(&self.world),
            ledger: Arc::clone(&self.ledger),
            rng: self.rng.fork(),
            is_diligent: false,
        };
        self.workers.push(tokio::spawn(worker.run(consumer)).abort_handle());
    }

    fn stop_working(&mut self) {
        if let Some(at) = self.rng.choice(0..self.workers.len()) {
            self.workers.swap_remove(at).abort();
        }
    }

    async fn configure(&mut self) {
        let queue = choose(&mut self.rng, &QUEUES);
        let settings = settings_of(&mut self.rng);
        let configured = self.client.configure_queue(queue, &settings).await;
        self.world.network.say(|| format!("configure {queue}, {settings:?}: {configured:?}"));
    }

    /// Removes a job that it knows of, wherever that is now.
    async fn remove(&mut self) {
        let known = self.rng.choice(lock(&self.ledger).known.iter().copied());
        let Some((queue, job)) = known else { return };
        let name = if self.rng.u8(..4) == 0 { format!("{queue}.dead") } else { queue.to_owned() };
        let removed = self.client.remove_job(&name, job).await;
        self.world.network.say(|| format!("remove job {job} of {name}: {removed:?}"));
    }

    async fn redrive(&mut self) {
        let queue = choose(&mut self.rng, &QUEUES);
        let redriven = self.client.redrive(queue).await;
        self.world.network.say(|| format!("redrive {queue}: {redriven:?}"));
    }

    /// The program ends, and begins anew.
    fn leave(&mut self) {
        self.stop();
        self.client = program::client(&self.world, &mut self.rng, [100]);
    }

    fn stop(&mut self) {
        self.workers.drain(..).for_each(|worker| worker.abort());
    }

    /// Long enough for leases and delays to end.
    async fn wait(&mut self) {
        tokio::time::sleep(Duration::from_millis(self.rng.u64(..3000))).await;
    }
}
