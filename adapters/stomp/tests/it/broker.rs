//! The broker of all tests, each of which has a virtual host of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use workyard_stomp::{Ack, Message, Options, Stomp, Subscribe, Subscription};
use workyard_testbed::{Authority, PATIENCE, RabbitMq, Relay, Told};

/// Long enough for what shall not happen to happen.
pub(crate) const MOMENT: Duration = Duration::from_millis(200);

pub(crate) struct Broker {
    pub(crate) authority: Authority,
    pub(crate) rabbit: RabbitMq,
}

pub(crate) async fn broker() -> &'static Broker {
    static SHARED: OnceCell<Broker> = OnceCell::const_new();
    let start = || async {
        let authority = Authority::new();
        let rabbit = RabbitMq::setup().tls(&authority).start().await;
        Broker { authority, rabbit }
    };
    SHARED.get_or_init(start).await
}

/// A new virtual host, and where it is.
pub(crate) async fn place() -> (SocketAddr, String) {
    let broker = broker().await;
    (broker.rabbit.stomp_address(), broker.rabbit.vhost().await)
}

pub(crate) fn url(address: SocketAddr, vhost: &str, parameters: &str) -> String {
    format!("stomp://worker:secret@{address}/{vhost}?{parameters}")
}

/// In a virtual host of its own.
pub(crate) async fn opened(parameters: &str) -> Stomp {
    let (address, vhost) = place().await;
    told(Options::new(url(address, &vhost, parameters)))
}

/// One that tells, for a test that fails, what becomes of its connections.
pub(crate) fn told(mut options: Options) -> Stomp {
    options.observer = Some(Arc::new(Told::default()));
    Stomp::with(options).unwrap()
}

/// The same through a relay, and another that needs none.
pub(crate) async fn relayed(parameters: &str) -> (Relay, Stomp, Stomp) {
    let (address, vhost) = place().await;
    let relay = Relay::to(address).await;
    let through = told(Options::new(url(relay.address(), &vhost, parameters)));
    (relay, through, told(Options::new(url(address, &vhost, ""))))
}

pub(crate) async fn next(subscription: &mut Subscription) -> Message {
    let next = timeout(PATIENCE, subscription.next()).await;
    let next = next.unwrap_or_else(|_| panic!("a message comes to {subscription:?}"));
    next.expect("it has not ended").unwrap()
}

pub(crate) async fn texts(subscription: &mut Subscription, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.len() < count {
        texts.push(next(subscription).await.text().unwrap().to_owned());
    }
    texts
}

pub(crate) async fn is_quiet(subscription: &mut Subscription) -> bool {
    timeout(MOMENT, subscription.next()).await.is_err()
}

/// How often each text is in a queue, which is empty then.
pub(crate) async fn drained(stomp: &Stomp, queue: &str) -> BTreeMap<String, usize> {
    stomp.send(queue, "the end", ()).await.unwrap();
    let mut all = stomp.subscribe(Subscribe::to(queue).ack(Ack::Auto)).await.unwrap();
    let mut counts = BTreeMap::new();
    loop {
        let text = next(&mut all).await.text().unwrap().to_owned();
        if text == "the end" {
            return counts;
        }
        *counts.entry(text).or_default() += 1;
    }
}
