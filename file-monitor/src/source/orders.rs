//! How the thread is told what is wanted of it.

use crate::change::ChangeSet;
use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

/// What the thread is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The next set; what was made of the last one is over, and whether it went well.
    Next { well: bool },
    /// What has changed since the last set, or that nothing has.
    More,
    /// Word when the content of all files was read.
    Read,
    /// A look at everything.
    Rescan,
    /// The end.
    Stop,
}

/// What it answers, once for each order that wants an answer.
#[derive(Debug)]
pub(crate) enum Answer {
    Next(ChangeSet),
    More(Option<ChangeSet>),
    Read,
}

/// Orders on their way to the thread, which sleeps in `poll` and is woken by a descriptor.
#[derive(Debug)]
pub(crate) struct Orders {
    given: Mutex<Vec<Order>>,
    bell: OwnedFd,
}

impl Orders {
    /// # Errors
    /// When the system has no descriptors left.
    pub(crate) fn new() -> io::Result<Self> {
        let bell = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        Ok(Self { given: Mutex::new(Vec::new()), bell })
    }

    pub(crate) fn give(&self, order: Order) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        if !given.contains(&order) {
            given.push(order);
        }
        drop(given);
        // It can only fail when it was rung already, 2^64 times.
        let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
    }

    pub(crate) fn take(&self) -> Vec<Order> {
        let _ = rustix::io::read(&self.bell, &mut [0; 8]);
        std::mem::take(&mut *self.given.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl AsFd for Orders {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}
