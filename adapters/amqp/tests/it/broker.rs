//! The broker of all tests, each of which has a virtual host of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use workyard_amqp::{Amqp, Consume, Consumer, Delivery, Options, Publish, Queue, Result};
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

/// One that tells, for a test that fails, what becomes of its connections.
pub(crate) fn told(mut options: Options) -> Amqp {
    options.observer = Some(Arc::new(Told::default()));
    Amqp::with(options).unwrap()
}

/// In a virtual host of its own.
pub(crate) async fn opened(parameters: &str) -> Amqp {
    let rabbit = &broker().await.rabbit;
    let vhost = rabbit.vhost().await;
    told(Options::new(format!("{}?{parameters}", rabbit.url(&vhost))))
}

/// The same through a relay, and another that needs none.
pub(crate) async fn relayed(parameters: &str) -> (Relay, Amqp, Amqp) {
    let rabbit = &broker().await.rabbit;
    let vhost = rabbit.vhost().await;
    let relay = Relay::to(rabbit.address()).await;
    let through = format!("{}?{parameters}", rabbit.url_at(relay.address(), &vhost));
    (relay, told(Options::new(through)), told(Options::new(rabbit.url(&vhost))))
}

pub(crate) async fn with_queue(amqp: &Amqp, name: &str) {
    amqp.declare_queue(&Queue::named(name)).await.unwrap();
}

pub(crate) fn to(queue: &str, text: impl std::fmt::Display) -> Publish {
    Publish::to_queue(queue).body(format!("{text}"))
}

pub(crate) async fn next(consumer: &mut Consumer) -> Delivery {
    let next = timeout(PATIENCE, consumer.next()).await;
    let next = next.unwrap_or_else(|_| panic!("a message comes to {consumer:?}"));
    next.expect("it has not ended").unwrap()
}

pub(crate) async fn is_quiet(consumer: &mut Consumer) -> bool {
    timeout(MOMENT, consumer.next()).await.is_err()
}

/// How often each text is in a queue, which is empty then.
pub(crate) async fn drained(amqp: &Amqp, queue: &str) -> BTreeMap<String, usize> {
    amqp.publish(&to(queue, "the end").mandatory()).await.unwrap();
    let mut all = amqp.consume(Consume::from(queue).prefetch(1000)).await.unwrap();
    let mut counts = BTreeMap::new();
    loop {
        let message = next(&mut all).await;
        message.ack().await.unwrap();
        let text = message.text().unwrap().to_owned();
        if text == "the end" {
            return counts;
        }
        *counts.entry(text).or_default() += 1;
    }
}

/// What was promised for each text, and how often it is there.
pub(crate) fn check(outcomes: Vec<(String, Result<()>)>, counts: &BTreeMap<String, usize>) {
    for (text, published) in outcomes {
        let times = counts.get(&text).copied().unwrap_or_default();
        match published {
            Ok(()) => assert_eq!(times, 1, "{text}"),
            Err(error) if error.outcome_unknown() => assert!(times <= 1, "{text}: {error}"),
            Err(error) => assert_eq!(times, 0, "{text}: {error}"),
        }
    }
}
