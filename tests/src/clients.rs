//! What tests with the asynchronous clients share: addresses, and bounded waits.

use crate::{Daemon, Endpoint, PATIENCE, Service};
use std::panic::Location;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use workyard_channel::{Address, Backoff, Event, Events};

/// Short waits between attempts to connect: a test waits for them.
pub const BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(10), max: Duration::from_millis(200) };

/// Where a daemon listens, as clients want it.
#[must_use]
pub fn address<W: Service>(daemon: &Daemon<W>) -> Address {
    match daemon.endpoint() {
        Endpoint::Tcp(address) => (*address).into(),
        Endpoint::Unix(path) => Address::Unix(path.clone()),
    }
}

/// Waits for what must happen, but not for ever.
///
/// # Panics
/// When it does not within [`PATIENCE`].
#[track_caller]
pub fn within<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let place = Location::caller();
    async move {
        let outcome = timeout(PATIENCE, future).await;
        outcome.unwrap_or_else(|_| panic!("not within {PATIENCE:?} at {place}"))
    }
}

/// Waits until a question is answered with yes, where there is no event to wait for.
///
/// # Panics
/// When it is not within [`PATIENCE`].
#[track_caller]
pub fn until<F: Future<Output = bool>>(
    what: &str,
    mut question: impl FnMut() -> F,
) -> impl Future<Output = ()> {
    let place = Location::caller();
    async move {
        let deadline = Instant::now() + PATIENCE;
        while !question().await {
            assert!(Instant::now() < deadline, "not within {PATIENCE:?} at {place}: {what}");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The next event that `pick` picks.
///
/// # Panics
/// When none comes within [`PATIENCE`].
#[track_caller]
pub fn event<T>(events: &mut Events, pick: impl Fn(Event) -> Option<T>) -> impl Future<Output = T> {
    within(async move {
        loop {
            let event = events.next().await.expect("the client goes on");
            if let Some(picked) = pick(event) {
                return picked;
            }
        }
    })
}
