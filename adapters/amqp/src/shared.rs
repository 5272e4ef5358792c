//! What handles and the keeper of the connection both know.

use crate::error;
use crate::live::Live;
use crate::options::Settled;
use crate::topology::Topology;
use crate::{Error, ErrorKind, Result, State, Status};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use workyard_adapter_kit::Guard;

pub(crate) struct Shared {
    pub(crate) settled: Settled,
    pub(crate) guard: Guard,
    pub(crate) status: Status,
    live: Mutex<Option<Arc<Live>>>,
    topology: Mutex<Topology>,
}

impl Shared {
    pub(crate) fn new(settled: Settled, guard: Guard) -> Self {
        Self {
            settled,
            guard,
            status: Status::default(),
            live: Mutex::new(None),
            topology: Mutex::default(),
        }
    }

    pub(crate) fn topology(&self) -> MutexGuard<'_, Topology> {
        self.topology.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, if there is one.
    pub(crate) fn live(&self) -> Option<Arc<Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn is_live(&self, number: u64) -> bool {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.as_ref().is_some_and(|live| live.number == number)
    }

    pub(crate) fn connected(&self, live: &Arc<Live>) {
        self.set_live(Some(Arc::clone(live)));
        self.status.set(State::Ready);
        self.guard.connected();
    }

    pub(crate) fn lost(&self, error: Error) {
        self.set_live(None);
        let error = self.guard.placed(error);
        self.guard.lost(&error);
        self.status.set(State::Down(error));
    }

    pub(crate) fn closed(&self) {
        self.set_live(None);
        self.status.set(State::Closed);
    }

    /// How long one step of a call may wait, so that there is time left to say what for.
    pub(crate) fn patience(&self) -> Duration {
        let calls = self.guard.options();
        calls.connect_timeout.min(calls.request_timeout.mul_f32(0.9))
    }

    /// Waits until there is a connection.
    pub(crate) async fn connection(&self) -> Result<Arc<Live>> {
        loop {
            if let Some(live) = self.live() {
                return Ok(live);
            }
            self.status.ready(self.patience()).await.map_err(unreachable)?;
            // Lost in between, it is waited for again.
            tokio::task::yield_now().await;
        }
    }

    /// Waits, for as long as it takes.
    pub(crate) async fn connected_or_closed(&self) {
        let mut states = self.status.watch();
        let settled = states.wait_for(|state| matches!(state, State::Ready | State::Closed));
        // An error says that nobody sets it any more, which the call that follows tells.
        let _ = settled.await;
    }

    fn set_live(&self, live: Option<Arc<Live>>) {
        *self.live.lock().unwrap_or_else(PoisonError::into_inner) = live;
    }
}

fn unreachable(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Refused => error,
        ErrorKind::Closed => error::closed(),
        _ => {
            let message = format!("there is no connection ({})", error.message());
            Error::new(ErrorKind::Unreachable, message).with_source(error)
        }
    }
}
