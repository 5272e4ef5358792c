//! A program that does jobs: mostly well, sometimes not, sometimes never.

use super::ledger::Ledger;
use super::value_id;
use crate::world::{World, lock};
use fastrand::Rng;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use workyard_channel::{Consumer, ErrorKind, Job};

pub(crate) struct Worker {
    pub(crate) world: Arc<World>,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    pub(crate) rng: Rng,
    /// It does nothing but work, and nothing goes wrong.
    pub(crate) is_diligent: bool,
}

impl Worker {
    pub(crate) async fn run(mut self, mut consumer: Consumer) {
        let mut forgotten = Vec::new();
        while let Some(job) = consumer.next().await {
            if self.is_diligent {
                self.ack(&job).await;
                continue;
            }
            tokio::time::sleep(Duration::from_millis(self.rng.u64(..150))).await;
            match self.rng.u8(..20) {
                0..=12 => self.ack(&job).await,
                13 => {
                    self.ack(&job).await;
                    self.ack_again(&job).await;
                }
                14..=16 => self.nack(&job).await,
                17 => forgotten.push(job),
                _ => {}
            }
        }
    }

    async fn ack(&self, job: &Job) {
        let value = value_id(job.value().as_ref());
        let process = lock(&self.ledger).processes;
        let acked = job.ack().await;
        self.world.network.say(|| format!("job {}, value {value}: ack {acked:?}", job.id()));
        if acked.is_ok() {
            lock(&self.ledger).job_acknowledged(value, process);
        }
    }

    /// What is finished is no longer anybody's.
    async fn ack_again(&self, job: &Job) {
        let acked = job.ack().await;
        self.world.network.say(|| format!("job {}: ack again {acked:?}", job.id()));
        // An answer to the first one that was lost leaves the second one the chance to be right.
        let is_denied = acked.as_ref().is_err_and(|error| error.kind() == ErrorKind::LeaseLost);
        if acked.is_ok() && !is_denied {
            let value = value_id(job.value().as_ref());
            let process = lock(&self.ledger).processes;
            lock(&self.ledger).job_acknowledged(value, process);
        }
    }

    async fn nack(&self, job: &Job) {
        let nacked = job.nack().await;
        self.world.network.say(|| format!("job {}: nack {nacked:?}", job.id()));
    }
}
