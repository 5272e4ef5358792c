//! A program of one or more workers.

use crate::orders::Order;
use crate::scheme::Scheme;
use crate::settings::Settings;
use crate::socket::Listening;
use crate::worker::Worker;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use tokio::sync::{mpsc, oneshot};

/// A worker of any protocol.
pub(crate) trait AnyWorker {
    fn settings(&self) -> &Settings;

    /// Serves in this process, which is a worker process, until it is ordered to stop and has. To be polled
    /// within a `LocalRuntime`.
    fn serve(self: Box<Self>, start: Start) -> Pin<Box<dyn Future<Output = Served>>>;
}

/// What a worker process begins with.
#[derive(Debug)]
pub(crate) struct Start {
    /// 0 to count - 1; whoever replaces a process has its number.
    pub(crate) id: u16,
    /// The sockets to accept from; none if it listens nowhere.
    pub(crate) sockets: Vec<Listening>,
    pub(crate) orders: mpsc::UnboundedReceiver<Order>,
    /// Told when `on_worker_start` is over and connections are accepted.
    pub(crate) ready: oneshot::Sender<()>,
}

/// How a worker ended.
#[derive(Debug)]
pub(crate) enum Served {
    /// As it was ordered to, or as its own code wanted.
    Stopped,
    /// `on_worker_start` failed.
    NotStarted(String),
    /// A callback failed, and the worker is to be replaced for that.
    Failed(String),
}

/// The workers of a program, and what they have in common.
#[derive(Default)]
pub struct Service {
    pub(crate) workers: Vec<Box<dyn AnyWorker>>,
}

impl fmt::Debug for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.workers.iter().map(|worker| worker.settings());
        formatter.debug_list().entries(settings).finish()
    }
}

impl Service {
    /// No workers yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more worker.
    #[must_use]
    pub fn with<S: Scheme, D: Default + 'static>(mut self, worker: Worker<S, D>) -> Self {
        self.workers.push(Box::new(worker));
        self
    }

    /// Runs.
    pub fn run(self) -> std::process::ExitCode {
        todo!()
    }
}
