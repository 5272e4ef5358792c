//! All clients of this process.

use crate::orders::{ConnectionStatus, WorkerStatus};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

thread_local! {
    static CLIENTS: RefCell<Clients> = RefCell::default();
}

#[derive(Default)]
struct Clients {
    last: u64,
    by_id: BTreeMap<u64, Rc<dyn AnyClient>>,
    /// What those have counted that have gone.
    gone: WorkerStatus,
    /// Told when one has gone.
    changed: Rc<Notify>,
}

/// A client of any protocol.
pub(super) trait AnyClient {
    /// Ends, and does not come back.
    fn leave(&self);

    /// Its connection and what it has counted.
    fn status(&self) -> WorkerStatus;

    fn connections(&self) -> Vec<ConnectionStatus>;
}

/// Counts a client among those of the process; returns its number.
pub(super) fn remember(client: Rc<dyn AnyClient>) -> u64 {
    CLIENTS.with_borrow_mut(|clients| {
        clients.last += 1;
        clients.by_id.insert(clients.last, client);
        clients.last
    })
}

/// A client has gone, and counted this much since it came.
pub(super) fn forget(id: u64, counted: &WorkerStatus) {
    CLIENTS.with_borrow_mut(|clients| {
        clients.by_id.remove(&id);
        clients.gone = sum(&clients.gone, &WorkerStatus { connections: 0, ..*counted });
        clients.changed.notify_one();
    });
}

fn all() -> Vec<Rc<dyn AnyClient>> {
    CLIENTS.with_borrow(|clients| clients.by_id.values().cloned().collect())
}

/// How they are, those included that have gone.
pub(crate) fn status() -> WorkerStatus {
    let gone = CLIENTS.with_borrow(|clients| clients.gone.clone());
    all().iter().fold(gone, |sum_so_far, client| sum(&sum_so_far, &client.status()))
}

fn sum(one: &WorkerStatus, other: &WorkerStatus) -> WorkerStatus {
    WorkerStatus {
        connections: one.connections + other.connections,
        send_fail: one.send_fail + other.send_fail,
        timers: one.timers + other.timers,
        total_request: one.total_request + other.total_request,
    }
}

/// Their connections.
pub(crate) fn connections() -> Vec<ConnectionStatus> {
    all().iter().flat_map(|client| client.connections()).collect()
}

/// The process leaves: all of them send what they have queued, and end.
pub(crate) async fn leave(patience: Duration) {
    let deadline = Instant::now() + patience;
    let changed = CLIENTS.with_borrow(|clients| Rc::clone(&clients.changed));
    all().iter().for_each(|client| client.leave());
    while !all().is_empty() {
        if timeout_at(deadline, changed.notified()).await.is_err() {
            return;
        }
    }
}
