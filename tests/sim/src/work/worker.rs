//! A program that does jobs: some at once, some late, some never.

use super::ledger::Ledger;
use crate::channel::value_id;
use crate::world::{World, lock};
use fastrand::Rng;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use workyard_channel::{Consumer, Error, Job};

pub(super) struct Worker {
    pub(super) world: Arc<World>,
    pub(super) ledger: Arc<Mutex<Ledger>>,
    pub(super) rng: Rng,
    /// It does nothing but work, and nothing goes wrong.
    pub(super) is_diligent: bool,
}

impl Worker {
    pub(super) async fn run(mut self, mut consumer: Consumer) {
        let mut forgotten = Vec::new();
        while let Some(job) = consumer.next().await {
            if self.is_diligent {
                self.ack(&job).await;
                continue;
            }
            let work_ms = if self.rng.u8(..8) == 0 { 3000 } else { 100 };
            tokio::time::sleep(Duration::from_millis(self.rng.u64(..work_ms))).await;
            let delay = Duration::from_millis(self.rng.u64(..2000));
            match self.rng.u8(..20) {
                0..=8 => self.ack(&job).await,
                9 => {
                    self.ack(&job).await;
                    self.ack(&job).await;
                }
                10..=12 => self.told(&job, "nack", &job.nack().await),
                13..=14 => self.told(&job, "nack later", &job.nack_after(delay).await),
                15 => self.told(&job, "nack", &job.nack_because("it is no good").await),
                16 => {
                    let told = job.renew().await;
                    self.told(&job, "renew", &told);
                    self.ack(&job).await;
                }
                17 => forgotten.push(job),
                _ => {}
            }
        }
    }

    async fn ack(&self, job: &Job) {
        let value = value_id(job.value().as_ref());
        let process = lock(&self.ledger).process;
        let acked = job.ack().await;
        self.told(job, "ack", &acked);
        if acked.is_ok() {
            lock(&self.ledger).acknowledged(value, process);
        }
    }

    fn told(&self, job: &Job, what: &str, told: &Result<(), Error>) {
        self.world
            .network
            .say(|| format!("job {}, lease {}: {what} {told:?}", job.id(), job.lease()));
    }
}
