//! Clients of a daemon, for the suites beside this file.

use futures_util::FutureExt;
use workyard_channel::{Builder, ChannelClient, Error, Message, Subscription};
use workyard_tests::clients::{BACKOFF, address, within};
use workyard_tests::{ChannelWire, Daemon, Setup};

/// A daemon as it comes.
pub(crate) fn daemon() -> Daemon<ChannelWire> {
    Setup::new().start()
}

/// A client to be, which connects again soon.
pub(crate) fn builder(daemon: &Daemon<ChannelWire>) -> Builder {
    ChannelClient::builder(address(daemon)).backoff(BACKOFF)
}

/// A client.
pub(crate) async fn client(daemon: &Daemon<ChannelWire>) -> ChannelClient {
    within(builder(daemon).connect()).await.expect("the daemon welcomes clients")
}

/// Some clients.
pub(crate) async fn clients(daemon: &Daemon<ChannelWire>, count: usize) -> Vec<ChannelClient> {
    let mut clients = Vec::new();
    while clients.len() < count {
        clients.push(client(daemon).await);
    }
    clients
}

/// The next message.
#[track_caller]
pub(crate) fn next(subscription: &mut Subscription) -> impl Future<Output = Message> {
    let message = within(subscription.next());
    async { message.await.expect("the subscription goes on") }
}

/// The next message, which is text or a number.
#[track_caller]
pub(crate) fn next_text(subscription: &mut Subscription) -> impl Future<Output = String> {
    let message = next(subscription);
    async { message.await.value().to_string() }
}

/// The texts that wait to be taken, once the server has dealt with everything before.
pub(crate) async fn waiting(
    client: &ChannelClient,
    subscription: &mut Subscription,
) -> Vec<String> {
    within(client.ping()).await.expect("the server answers");
    let message = || subscription.next().now_or_never().flatten();
    let messages = std::iter::from_fn(message);
    messages.map(|message| message.value().to_string()).collect()
}

/// Runs all, at once, and returns what they return in their order.
pub(crate) async fn all<T>(futures: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    futures_util::future::join_all(futures).await
}

/// The outcomes, none of which is an error.
pub(crate) fn done<T>(outcomes: Vec<Result<T, Error>>) -> Vec<T> {
    outcomes.into_iter().map(|outcome| outcome.expect("the server does it")).collect()
}
