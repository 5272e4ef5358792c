//! Slow receivers: what is dropped is counted and told, and nobody else waits for them.

use crate::dialogue::{connected, connected_as, grant, hear, message};
use crate::support::{FakeServer, Peer};
use workyard_channel::{ChannelClient, Event, GapCause, Message, Subscription, Value};
use workyard_protocol::ChannelName;
use workyard_protocol::channel::{Delivery, Push, Reply};

/// A publish of the client's and its answer: everything that was pushed before has been dealt with.
pub(crate) async fn settle(client: &ChannelClient, peer: &mut Peer) {
    let serving = async {
        let id = hear(peer, "publish settle 0").await;
        peer.reply(id, Reply::Published { receivers: 0 }).await;
    };
    let (published, ()) = tokio::join!(client.publish("settle", &0), serving);
    published.unwrap();
}

async fn subscribed(client: &ChannelClient, peer: &mut Peer) -> Subscription {
    let (subscription, ()) = tokio::join!(client.subscribe("a"), grant(peer, "subscribe a"));
    subscription.unwrap()
}

/// The server has dropped `missed` messages from the one of the number `from` on.
pub(crate) async fn gap(peer: &mut Peer, channel: Option<&str>, from: u64, missed: u64) {
    let channel = channel.map(|name| ChannelName::new(name).unwrap());
    let to = if from == 0 { 0 } else { from + missed - 1 };
    peer.push(Push::Gap { channel, from, to, missed, replay: 0 }).await;
}

pub(crate) fn told(message: &Message) -> (i64, u64) {
    (message.decode().unwrap(), message.missed_before())
}

#[tokio::test]
async fn a_full_buffer_drops_the_newest_and_says_how_many() {
    let server = FakeServer::bind().await;
    let builder = ChannelClient::builder(server.address()).subscription_messages_max(2);
    let (client, mut peer) = connected_as(&server, builder).await;
    let mut events = client.events();
    let mut subscription = subscribed(&client, &mut peer).await;
    for number in 0..5 {
        message(&mut peer, Delivery::Everybody, "a", number).await;
    }
    settle(&client, &mut peer).await;
    assert_eq!(told(&subscription.next().await.unwrap()), (0, 0));
    message(&mut peer, Delivery::Everybody, "a", 5).await;
    settle(&client, &mut peer).await;
    assert_eq!(told(&subscription.next().await.unwrap()), (1, 0));
    let after = subscription.next().await.unwrap();
    assert_eq!((told(&after), after.missed_numbers_before()), ((5, 3), Some(3..=5)));
    assert_eq!(after.sequence(), 6);
    message(&mut peer, Delivery::Everybody, "a", 6).await;
    assert_eq!(told(&subscription.next().await.unwrap()), (6, 0));

    let mut told_missed = 0;
    while told_missed < 3 {
        match events.next().await {
            Some(Event::Gap {
                channel: Some(channel),
                numbers: Some(numbers),
                missed,
                cause: GapCause::Subscription,
            }) => {
                assert_eq!(
                    (channel.as_ref(), numbers.end() - numbers.start() + 1),
                    (&b"a"[..], missed)
                );
                told_missed += missed;
            }
            other => panic!("unexpected {other:?}"),
        }
    }
    assert_eq!(told_missed, 3);
}

#[tokio::test]
async fn bytes_are_bounded_too() {
    let server = FakeServer::bind().await;
    let builder = ChannelClient::builder(server.address()).subscription_bytes_max(10_000);
    let (client, mut peer) = connected_as(&server, builder).await;
    let mut subscription = subscribed(&client, &mut peer).await;
    let large = Value::raw(vec![0; 4000]);
    for sequence in 1..=5 {
        let channel = ChannelName::new("a").unwrap();
        let delivery = Delivery::Everybody;
        let value = large.as_ref();
        peer.push(Push::Message { delivery, channel, sequence, position: 0, value }).await;
    }
    settle(&client, &mut peer).await;
    for _ in 0..2 {
        assert_eq!(subscription.next().await.unwrap().missed_before(), 0);
    }
    message(&mut peer, Delivery::Everybody, "a", 1).await;
    assert_eq!(told(&subscription.next().await.unwrap()), (1, 3));
}

#[tokio::test]
async fn what_the_server_dropped_is_told_before_the_next_message_and_as_an_event() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut events = client.events();
    let mut subscription = subscribed(&client, &mut peer).await;
    gap(&mut peer, Some("b"), 1, 9).await;
    gap(&mut peer, Some("a"), 101, 37).await;
    message(&mut peer, Delivery::Everybody, "a", 1).await;
    let after = subscription.next().await.unwrap();
    assert_eq!((told(&after), after.missed_numbers_before()), ((1, 37), Some(101..=137)));
    gap(&mut peer, None, 0, 5).await;
    message(&mut peer, Delivery::Everybody, "a", 2).await;
    let after = subscription.next().await.unwrap();
    assert_eq!((told(&after), after.missed_numbers_before()), ((2, 5), None));
    for expected in [(Some("b"), Some(1..=9), 9), (Some("a"), Some(101..=137), 37), (None, None, 5)]
    {
        match events.next().await {
            Some(Event::Gap { channel, numbers, missed, cause: GapCause::Server }) => {
                let channel = channel.as_deref().map(|name| std::str::from_utf8(name).unwrap());
                assert_eq!((channel, numbers, missed), expected);
            }
            other => panic!("unexpected {other:?}"),
        }
    }
}
