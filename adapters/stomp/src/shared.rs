//! What handles and the task of a connection both know.

use crate::connect::Agreed;
use crate::error;
use crate::options::Settled;
use crate::{Error, ErrorKind, Result, State, Status};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio_rustls::TlsConnector;
use workyard_adapter_kit::Guard;

pub(crate) struct Shared {
    pub(crate) settled: Settled,
    pub(crate) tls: Option<TlsConnector>,
    pub(crate) guard: Guard,
    pub(crate) status: Status,
    /// The number of the connection that brings messages, 0 while there is none. Numbers only grow.
    alive: AtomicU64,
    /// The same, once all is restored and it serves calls.
    current: AtomicU64,
    agreed: Mutex<Option<Agreed>>,
}

impl Shared {
    pub(crate) fn new(settled: Settled, tls: Option<TlsConnector>, guard: Guard) -> Self {
        Self {
            settled,
            tls,
            guard,
            status: Status::default(),
            alive: AtomicU64::new(0),
            current: AtomicU64::new(0),
            agreed: Mutex::new(None),
        }
    }

    /// Whether the connection of that number is still the one.
    pub(crate) fn is_alive(&self, number: u64) -> bool {
        self.alive.load(Ordering::Acquire) == number
    }

    pub(crate) fn agreed(&self) -> Option<Agreed> {
        self.agreed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// There is a connection, and what was subscribed is being restored.
    pub(crate) fn restoring(&self, number: u64) {
        self.alive.store(number, Ordering::Release);
    }

    pub(crate) fn connected(&self, number: u64, agreed: &Agreed) {
        *self.agreed.lock().unwrap_or_else(PoisonError::into_inner) = Some(agreed.clone());
        self.current.store(number, Ordering::Release);
        self.status.set(State::Ready);
        self.guard.connected();
    }

    pub(crate) fn lost(&self, error: Error) {
        self.gone();
        let error = self.guard.placed(error);
        self.guard.lost(&error);
        self.status.set(State::Down(error));
    }

    pub(crate) fn closed(&self) {
        self.gone();
        self.status.set(State::Closed);
    }

    /// Waits until there is a connection: not so long that the caller's time would be over before what
    /// keeps it from being there can be told.
    pub(crate) async fn connection(&self) -> Result<()> {
        if self.current.load(Ordering::Acquire) > 0 {
            return Ok(());
        }
        let calls = self.guard.options();
        let patience = calls.connect_timeout.min(calls.request_timeout.mul_f32(0.9));
        self.status.ready(patience).await.map_err(|error| match error.kind() {
            ErrorKind::Refused | ErrorKind::Closed => error,
            _ => {
                let message = format!("there is no connection ({})", error.message());
                Error::new(ErrorKind::Unreachable, message).with_source(error)
            }
        })
    }

    /// Refuses what belongs to another connection than the one of that number.
    pub(crate) fn check_alive(&self, number: u64, what: &str) -> Result<()> {
        match self.status.state() {
            _ if self.is_alive(number) => Ok(()),
            State::Closed => Err(error::closed()),
            _ => Err(error::outlived(what)),
        }
    }

    fn gone(&self) {
        self.current.store(0, Ordering::Release);
        self.alive.store(0, Ordering::Release);
    }
}
