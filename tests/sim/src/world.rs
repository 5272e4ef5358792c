//! What everybody in a run has in common: the network, the steps that are left, what was found.

use crate::findings::Findings;
use crate::network::Network;
use crate::run::Counted;
use crate::socket::Socket;
use fastrand::Rng;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use workyard_link::Connector;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) network: Arc<Network>,
    pub(crate) findings: Arc<Findings>,
    steps_left: AtomicU32,
}

impl World {
    pub(crate) fn new(network: Arc<Network>, findings: Arc<Findings>, steps: u32) -> Self {
        Self { network, findings, steps_left: AtomicU32::new(steps) }
    }

    /// Whether there is a step left to take. It is taken, after a while.
    pub(crate) async fn take_step(&self, rng: &mut Rng) -> bool {
        let taken = self
            .steps_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        let is_left = taken.is_ok() && self.findings.first().is_none();
        if is_left {
            tokio::time::sleep(Duration::from_millis(rng.u64(..120))).await;
        }
        is_left
    }

    /// Nobody is there any more: nothing of them may be either.
    pub(crate) fn check_nothing_is_left(&self, core: &impl Counted) {
        if let Some(leftover) = core.leftover() {
            self.findings
                .report(format!("nobody is there any more, and the core holds {leftover}"));
        }
    }

    /// What leads clients into the simulated network.
    pub(crate) fn connector(&self) -> Connector {
        let network = Arc::clone(&self.network);
        Connector::new(move |_| Socket::connect(Arc::clone(&network)))
    }
}

/// What a panic left behind is as good as anything: the run has failed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
