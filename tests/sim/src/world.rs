//! What everybody in a run has in common: the network, the steps that are left, what was found.

use crate::findings::Findings;
use crate::network::Network;
use crate::socket::Socket;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
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

    /// Whether there is a step left to take. It is taken.
    pub(crate) fn take_step(&self) -> bool {
        let taken = self
            .steps_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        taken.is_ok() && self.findings.first().is_none()
    }

    /// What leads clients into the simulated network.
    pub(crate) fn connector(&self) -> Connector {
        let network = Arc::clone(&self.network);
        Connector::new(move |_| Socket::connect(Arc::clone(&network)))
    }
}
