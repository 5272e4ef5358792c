//! Clients of a daemon, for the suites beside this file.

use workyard_globaldata::{Builder, GlobalDataClient};
use workyard_tests::clients::{BACKOFF, address, within};
use workyard_tests::{Daemon, GlobalDataWire, Setup};

/// A daemon as it comes.
pub(crate) fn daemon() -> Daemon<GlobalDataWire> {
    Setup::new().start()
}

/// A client to be, which connects again soon.
pub(crate) fn builder(daemon: &Daemon<GlobalDataWire>) -> Builder {
    GlobalDataClient::builder(address(daemon)).backoff(BACKOFF)
}

/// A client.
pub(crate) async fn client(daemon: &Daemon<GlobalDataWire>) -> GlobalDataClient {
    within(builder(daemon).connect()).await.unwrap()
}

/// The revision of a write, the first of the client's only server being 1: they are counted from its
/// epoch on.
pub(crate) fn revision(client: &GlobalDataClient, write: u64) -> u64 {
    client.servers()[0].as_ref().unwrap().epoch + write
}

/// Some clients, each with a connection of its own.
pub(crate) async fn clients(
    daemon: &Daemon<GlobalDataWire>,
    count: usize,
) -> Vec<GlobalDataClient> {
    all((0..count).map(|_| client(daemon))).await
}

/// Runs all, at once, and returns what they return in their order.
pub(crate) async fn all<T>(futures: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    futures_util::future::join_all(futures).await
}

/// Runs all as tasks of their own, and returns what they return in their order.
pub(crate) async fn tasks<T: Send + 'static>(
    futures: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = futures.into_iter().map(tokio::spawn).collect();
    all(tasks).await.into_iter().map(Result::unwrap).collect()
}
