//! A subscriber that does not read gets exactly what its subscription says of that.

use super::subscribers::{Learned, learned, publish_numbered, subscriber};
use std::collections::BTreeMap;
use workyard_protocol::channel::{Interest, Reply, Request, Subscribe, Subscription, WhenSlow};
use workyard_protocol::{Reason, ToClient};
use workyard_tests::words::{channel, pattern};
use workyard_tests::{ChannelPeer, ChannelWire, Daemon, Setup};

const LENGTH: usize = 16 * 1024;
const HELD: u64 = 20;

/// With room for 64 KiB that are sent, and then for twenty messages of a subscription.
fn daemon() -> Daemon<ChannelWire> {
    Setup::new()
        .patient()
        .flag("--write-buffer-bytes-max", "64KiB")
        .flag("--held-messages-per-subscription-max", HELD.to_string())
        .start()
}

fn wanting(interest: Interest<'_>, when_slow: WhenSlow) -> Request<'_> {
    let subscription = Subscription { when_slow, ..Subscription::live(interest) };
    Request::Subscribe(Subscribe { subscriptions: vec![subscription] })
}

#[track_caller]
fn stalled(
    daemon: &Daemon<ChannelWire>,
    interest: Interest<'_>,
    when_slow: WhenSlow,
) -> ChannelPeer {
    let mut peer = daemon.narrow_peer();
    peer.ask(wanting(interest, when_slow), Reply::Done);
    peer
}

/// What comes until so many messages have come or are known to be missing.
#[track_caller]
fn received(peer: &mut ChannelPeer, mut count: u64) -> Vec<Learned> {
    peer.widen();
    let mut seen = Vec::new();
    while count > 0 {
        let learned = learned(&peer.receive());
        count -= match &learned {
            Learned::Received { .. } => 1,
            Learned::Missed { numbers, .. } => numbers.end - numbers.start,
        };
        seen.push(learned);
    }
    peer.expect_silence();
    seen
}

fn message(name: &str, number: u64) -> Learned {
    Learned::Received { channel: name.to_owned(), number }
}

#[test]
fn the_newest_are_held_and_what_lies_between_is_told() {
    const COUNT: u64 = 2000;
    let daemon = daemon();
    let mut stalled = stalled(&daemon, channel("a"), WhenSlow::DropOldest);
    let mut healthy = subscriber(&daemon, &["a"]);
    let mut publisher = daemon.peer();
    publish_numbered(&mut publisher, &mut healthy, "a", 0..COUNT, LENGTH);

    let seen = received(&mut stalled, COUNT);
    let at = seen.iter().position(|learned| matches!(learned, Learned::Missed { .. }));
    let at = at.expect("it was slow") as u64;
    let mut expected: Vec<_> = (0..at).map(|number| message("a", number)).collect();
    expected.push(Learned::Missed { channel: "a".to_owned(), numbers: at..COUNT - HELD });
    expected.extend((COUNT - HELD..COUNT).map(|number| message("a", number)));
    assert!(seen == expected, "{seen:?}");
    // From here on it gets everything again.
    publish_numbered(&mut publisher, &mut healthy, "a", COUNT..COUNT + 10, LENGTH);
    let expected: Vec<_> = (COUNT..COUNT + 10).map(|number| message("a", number)).collect();
    assert_eq!(received(&mut stalled, 10), expected);
}

#[test]
fn the_latest_of_each_channel_is_held() {
    const COUNT: u64 = 300;
    let names: Vec<String> = (0..8).map(|number| format!("price.{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let daemon = daemon();
    let mut stalled = stalled(&daemon, pattern("price.*"), WhenSlow::Latest);
    let mut healthy = subscriber(&daemon, &names);
    let mut publisher = daemon.peer();
    for number in 0..COUNT {
        for name in &names {
            publish_numbered(&mut publisher, &mut healthy, name, number..number + 1, LENGTH);
        }
    }
    let mut next: BTreeMap<String, u64> = BTreeMap::new();
    let mut held = 0;
    for learned in received(&mut stalled, COUNT * names.len() as u64) {
        match learned {
            Learned::Received { channel, number } => {
                let next = next.entry(channel).or_default();
                assert_eq!(number, *next, "in order, and nothing is left out untold");
                *next += 1;
            }
            Learned::Missed { channel, numbers } => {
                assert_eq!(Some(&numbers.start), next.get(&channel));
                assert_eq!(numbers.end, COUNT - 1, "all but the latest");
                next.insert(channel, numbers.end);
                held += 1;
            }
        }
    }
    assert_eq!(held, names.len());
    assert!(next.len() == names.len() && next.values().all(|next| *next == COUNT), "{next:?}");
}

#[test]
fn a_connection_ends_before_it_loses_anything_and_no_other_does() {
    let daemon = daemon();
    let mut stalled = stalled(&daemon, channel("a"), WhenSlow::Disconnect);
    let mut loser = daemon.narrow_peer();
    loser.ask(wanting(channel("a"), WhenSlow::DropNewest), Reply::Done);
    let mut healthy = subscriber(&daemon, &["a"]);
    let mut publisher = daemon.peer();
    let mut count = 0;
    while !daemon.log().has("SlowConsumer") {
        assert!(count < 4096, "it is still served");
        publish_numbered(&mut publisher, &mut healthy, "a", count..count + 4, LENGTH);
        count += 4;
    }
    stalled.widen();
    let mut next = 0;
    let goodbye = loop {
        let frame = stalled.receive();
        if let ToClient::Goodbye(goodbye) = frame.decode::<ChannelWire>() {
            break goodbye.refusal.reason;
        }
        assert_eq!(learned(&frame), message("a", next));
        next += 1;
    };
    assert_eq!(goodbye, Reason::SlowConsumer);
    stalled.expect_end();
    // The other slow one has lost some, and was told.
    let seen = received(&mut loser, count);
    assert!(seen.iter().any(|learned| matches!(learned, Learned::Missed { .. })));
    healthy.expect_silence();
}
