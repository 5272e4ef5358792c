//! Who reads too slowly gets exactly what its subscription says of that: from its own buffer, and from a server
//! whose client stands still.

use crate::slow::{Stalling, flood};
use crate::support::{builder, client, daemon, next, next_text};
use std::collections::BTreeMap;
use workyard_channel::{Event, Message, Subscribing, WhenSlow};
use workyard_tests::clients::{event, within};
use workyard_tests::words::{publish, published};
use workyard_tests::{ChannelWire, Daemon, Setup};

const HELD: u64 = 50;

/// With room for little that is sent, and then for fifty messages of a subscription.
fn narrow_daemon() -> Daemon<ChannelWire> {
    Setup::<ChannelWire>::new()
        .unix_socket("channel.sock")
        .flag("--write-buffer-bytes-max", "64KiB")
        .flag("--held-messages-per-subscription-max", HELD.to_string())
        .start()
}

/// The messages of one channel that came, up to the last of all that are awaited, by their numbers.
fn read_to(
    stalling: &Stalling,
    subscribing: impl FnOnce(&Stalling) -> Subscribing,
    daemon: &Daemon<ChannelWire>,
) -> BTreeMap<String, Vec<Message>> {
    const LAST: u64 = 1000;
    let mut subscription = stalling.run(subscribing(stalling)).unwrap();
    let mut publisher = daemon.peer();
    flood(&mut publisher, 1..LAST);
    stalling.run(stalling.client.ping()).unwrap();
    let text = LAST.to_string();
    let mut seen: BTreeMap<String, Vec<Message>> = BTreeMap::new();
    let mut channels = vec!["a"];
    for channel in ["a", "b"] {
        let is_there = stalling.run(stalling.client.presence(channel).counts()).unwrap();
        let receivers = is_there.subscribers + is_there.pattern_subscribers;
        publisher.ask(publish(channel, text.as_bytes()), published(receivers));
        if channel == "b" && receivers > 0 {
            channels.push("b");
        }
    }
    let is_over = |seen: &BTreeMap<String, Vec<Message>>| {
        channels.iter().all(|name| {
            let last = seen.get(*name).and_then(|messages| messages.last());
            last.is_some_and(|message| message.sequence() == LAST)
        })
    };
    while !is_over(&seen) {
        let message = stalling.run(next(&mut subscription));
        seen.entry(message.channel_str().into_owned()).or_default().push(message);
    }
    seen
}

/// The numbers that came before the first gap, and the gap.
fn first_gap(messages: &[Message]) -> (usize, std::ops::RangeInclusive<u64>) {
    let at = messages.iter().position(|message| message.missed_before() > 0).expect("a gap");
    let before = messages[..at].iter().map(Message::sequence);
    assert!(before.eq(1..=at as u64), "in order, from the first on");
    let numbers = messages[at].missed_numbers_before().expect("all of one channel");
    assert_eq!(messages[at].missed_before(), numbers.end() - numbers.start() + 1);
    assert_eq!(*numbers.start(), at as u64 + 1);
    (at, numbers)
}

#[test]
fn a_client_that_stood_still_has_the_newest_that_were_held() {
    let daemon = narrow_daemon();
    let stalling = Stalling::new(&daemon);
    let subscribing =
        |stalling: &Stalling| stalling.client.subscribe("a").when_slow(WhenSlow::DropOldest);
    let seen = read_to(&stalling, subscribing, &daemon);
    let (at, missing) = first_gap(&seen["a"]);
    assert_eq!(*missing.end(), 999 - HELD);
    let rest = &seen["a"][at..];
    assert!(rest.iter().map(Message::sequence).eq(1000 - HELD..=1000));
    assert!(rest[1..].iter().all(|message| message.missed_before() == 0));
}

#[test]
fn a_client_that_stood_still_has_the_latest_of_each_channel() {
    let daemon = narrow_daemon();
    let stalling = Stalling::new(&daemon);
    let subscribing =
        |stalling: &Stalling| stalling.client.subscribe_pattern("*").when_slow(WhenSlow::Latest);
    let seen = read_to(&stalling, subscribing, &daemon);
    assert_eq!(seen.len(), 2);
    for messages in seen.values() {
        let (at, missing) = first_gap(messages);
        assert_eq!(*missing.end(), 998);
        assert!(messages[at..].iter().map(Message::sequence).eq(999..=1000));
    }
}

#[test]
fn a_client_that_stood_still_is_disconnected_before_it_misses_anything() {
    let daemon = narrow_daemon();
    let mut stalling = Stalling::new(&daemon);
    let strict = stalling.client.subscribe("a").when_slow(WhenSlow::Disconnect);
    let mut strict = stalling.run(strict).unwrap();
    let mut other = stalling.run(stalling.client.subscribe("other")).unwrap();
    let mut publisher = daemon.peer();
    flood(&mut publisher, 1..1000);
    assert!(daemon.log().has("SlowConsumer"));
    let ended = |event| matches!(event, Event::TooSlow { .. }).then_some(());
    stalling.runtime.block_on(event(&mut stalling.events, ended));
    let mut count = 0;
    while let Some(message) = stalling.run(strict.next()) {
        count += 1;
        assert_eq!((message.sequence(), message.missed_before()), (count, 0));
    }
    assert!(strict.was_too_slow() && count < 999);
    let back = |event| matches!(event, Event::Connected { .. }).then_some(());
    stalling.runtime.block_on(event(&mut stalling.events, back));
    stalling.run(stalling.client.ping()).unwrap();
    publisher.ask(publish("other", b"on"), published(1));
    let message = stalling.run(next(&mut other));
    assert!(message.interrupted_before() && !other.was_too_slow());
    publisher.ask(publish("a", b"nobody"), published(0));
}

#[tokio::test]
async fn a_full_buffer_keeps_what_its_subscription_wants() {
    let daemon = daemon();
    let publisher = client(&daemon).await;
    let narrow = builder(&daemon).subscription_messages_max(10).connect().await.unwrap();
    let mut events = narrow.events();
    let mut oldest = narrow.subscribe("news").when_slow(WhenSlow::DropOldest).await.unwrap();
    let mut latest = narrow.subscribe("news").when_slow(WhenSlow::Latest).await.unwrap();
    let mut strict = narrow.subscribe("news").when_slow(WhenSlow::Disconnect).await.unwrap();
    let mut other = narrow.subscribe("other").await.unwrap();
    for number in 1..=100 {
        publisher.send("news", &number).await.unwrap();
    }
    publisher.publish("other", "on").await.unwrap();
    assert_eq!(next_text(&mut other).await, "on", "others go on");

    let told = |message: &Message| (message.sequence(), message.missed_numbers_before());
    assert_eq!(told(&next(&mut oldest).await), (91, Some(1..=90)));
    for number in 92..=100 {
        assert_eq!(told(&next(&mut oldest).await), (number, None));
    }
    assert_eq!(told(&next(&mut latest).await), (100, Some(1..=99)));
    for number in 1..=10 {
        assert_eq!(told(&next(&mut strict).await), (number, None));
    }
    assert!(within(strict.next()).await.is_none() && strict.was_too_slow());
    // 90 of the one, 99 of the other, and the one that was too much for the third.
    let mut lost = 0;
    while lost < 90 + 99 + 1 {
        lost += event(&mut events, |event| match event {
            Event::Gap { missed, .. } => Some(missed),
            Event::Disconnected { .. } => panic!("a full buffer costs no connection"),
            _ => None,
        })
        .await;
    }
    assert_eq!(lost, 190);
    publisher.publish("news", "after").await.unwrap();
    for subscription in [&mut oldest, &mut latest] {
        let after = next(subscription).await;
        assert_eq!((after.value().to_string().as_str(), after.missed_before()), ("after", 0));
    }
}
