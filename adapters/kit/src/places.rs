//! A bound on the calls under way, and one on those that wait.

use crate::error::{Error, ErrorKind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

pub(crate) struct Places {
    semaphore: Semaphore,
    calls_max: usize,
    waiting: AtomicUsize,
    waiting_max: usize,
    left: Notify,
    closing: Notify,
}

/// A call's right to be under way; given back when dropped.
pub(crate) struct Place<'a> {
    permit: Option<SemaphorePermit<'a>>,
    places: &'a Places,
}

/// Somebody who waits; counted until dropped.
struct Waiting<'a>(&'a Places);

impl Places {
    pub(crate) fn new(calls_max: usize, waiting_max: usize) -> Self {
        let calls_max = calls_max.min(Semaphore::MAX_PERMITS);
        Self {
            semaphore: Semaphore::new(calls_max),
            calls_max,
            waiting: AtomicUsize::new(0),
            waiting_max,
            left: Notify::new(),
            closing: Notify::new(),
        }
    }

    /// Takes a place, if there is one and nobody waits for it.
    pub(crate) fn try_take(&self) -> Option<Place<'_>> {
        self.semaphore.try_acquire().ok().map(|permit| self.place(permit))
    }

    /// Waits for a place until `deadline`. First come, first served.
    pub(crate) async fn wait(&self, deadline: Instant) -> Result<Place<'_>, Error> {
        if self.semaphore.is_closed() {
            return Err(closed());
        }
        let _waiting = self.join()?;
        match timeout_at(deadline, self.semaphore.acquire()).await {
            Ok(Ok(permit)) => Ok(self.place(permit)),
            Ok(Err(_)) => Err(closed()),
            Err(_) => Err(self.late()),
        }
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    pub(crate) fn taken(&self) -> usize {
        self.calls_max - self.semaphore.available_permits()
    }

    /// Takes back a place whose permit was [kept](Place::keep).
    pub(crate) fn give_back(&self) {
        self.semaphore.add_permits(1);
        self.left();
    }

    /// Nobody is let in any more, and those that wait are sent away.
    pub(crate) fn close(&self) {
        self.semaphore.close();
        self.closing.notify_waiters();
    }

    /// Returns once it is closed.
    pub(crate) async fn closing(&self) {
        let mut closing = pin!(self.closing.notified());
        // Enabled before the look, so that a closing in between is heard.
        closing.as_mut().enable();
        if !self.is_closed() {
            closing.await;
        }
    }

    /// What becomes of who got a place too late.
    pub(crate) fn late(&self) -> Error {
        self.busy("and none of them ended in time")
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.semaphore.is_closed()
    }

    /// Returns once nobody is there any more.
    pub(crate) async fn empty(&self) {
        loop {
            let mut left = pin!(self.left.notified());
            // Enabled before the count is read, so that no leaving is missed.
            left.as_mut().enable();
            if self.taken() == 0 {
                return;
            }
            left.await;
        }
    }

    fn place<'a>(&'a self, permit: SemaphorePermit<'a>) -> Place<'a> {
        Place { permit: Some(permit), places: self }
    }

    fn left(&self) {
        if self.semaphore.is_closed() {
            self.left.notify_waiters();
        }
    }

    fn join(&self) -> Result<Waiting<'_>, Error> {
        let waiting = self.waiting.fetch_add(1, Relaxed);
        let guard = Waiting(self);
        if waiting >= self.waiting_max {
            return Err(self.busy(&format!("and {} wait", self.waiting_max)));
        }
        Ok(guard)
    }

    fn busy(&self, rest: &str) -> Error {
        let message = format!(
            "{} calls are under way, as many as calls_max allows, {rest}; make fewer at once, or \
             raise calls_max or waiting_max",
            self.calls_max
        );
        Error::new(ErrorKind::Busy, message)
    }
}

impl Place<'_> {
    /// Stays taken until it is [given back](Places::give_back).
    pub(crate) fn keep(mut self) {
        if let Some(permit) = self.permit.take() {
            permit.forget();
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            drop(permit);
            self.places.left();
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Relaxed);
        // Whoever is handed a place and does not take it any more leaves, too.
        self.0.left();
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the adapter is closed")
}
