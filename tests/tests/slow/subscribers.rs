//! A subscriber that does not read loses messages by count, or its connection.

use std::collections::BTreeMap;
use std::ops::Range;
use workyard_protocol::channel::{Interest, Push, Reply, Request};
use workyard_protocol::{NO_REPLY, Reason, ToClient, ValueRef};
use workyard_tests::words::{channel, grouped, publish, publish_one, published, subscribe};
use workyard_tests::{ChannelPeer, ChannelWire, Daemon, Frame, Setup};

const MIB: u64 = 1 << 20;

/// Messages that may wait for somebody who reads.
const ROUND: u64 = 8;

/// A message that begins with its number.
fn numbered(number: u64, length: usize) -> Vec<u8> {
    let mut value = vec![0; length];
    value[..8].copy_from_slice(&number.to_be_bytes());
    value
}

/// What a subscriber learned from a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Learned {
    Received {
        channel: String,
        number: u64,
    },
    /// Exactly these, in the order of publishing.
    Missed {
        channel: String,
        numbers: Range<u64>,
    },
}

pub(super) fn learned(frame: &Frame) -> Learned {
    match frame.decode::<ChannelWire>() {
        ToClient::Push(Push::Message {
            channel, value: ValueRef::Encoded { bytes, .. }, ..
        }) => Learned::Received {
            channel: channel.to_string(),
            number: u64::from_be_bytes(*bytes.first_chunk().expect("a number")),
        },
        ToClient::Push(Push::Gap { channel: Some(channel), from, to, missed, replay: 0 }) => {
            assert_eq!(missed, to + 1 - from, "everybody of one audience misses what lies between");
            // A channel's own numbers begin at 1, those in the messages at 0.
            Learned::Missed { channel: channel.to_string(), numbers: from - 1..to }
        }
        other => panic!("expected a message or a gap, got {other:?}"),
    }
}

/// Publishes numbered messages, and has a healthy subscriber receive each of them.
#[track_caller]
pub(super) fn publish_numbered(
    publisher: &mut ChannelPeer,
    healthy: &mut ChannelPeer,
    name: &str,
    numbers: Range<u64>,
    length: usize,
) {
    for number in numbers.clone() {
        publisher.send(NO_REPLY, publish(name, &numbered(number, length)));
        // Who publishes faster than others can read makes them slow.
        if number % ROUND == ROUND - 1 || number + 1 == numbers.end {
            publisher.expect_silence();
            let first = number - number % ROUND;
            for number in first.max(numbers.start)..=number {
                let channel = name.to_owned();
                assert_eq!(learned(&healthy.receive()), Learned::Received { channel, number });
            }
        }
    }
}

/// Reads until everything up to `end` is received or reported missing; how many were missing.
#[track_caller]
fn catch_up(peer: &mut ChannelPeer, name: &str, numbers: Range<u64>) -> u64 {
    let mut next = numbers.start;
    let mut missing = 0;
    while next < numbers.end {
        match learned(&peer.receive()) {
            Learned::Received { channel, number } => {
                assert_eq!((channel.as_str(), number), (name, next), "after {missing} missing");
                next += 1;
            }
            Learned::Missed { channel, numbers } => {
                assert_eq!((channel.as_str(), numbers.start), (name, next));
                missing += numbers.end - numbers.start;
                next = numbers.end;
            }
        }
    }
    assert_eq!(next, numbers.end, "more are missing than were published");
    missing
}

#[track_caller]
pub(super) fn subscriber(daemon: &Daemon<ChannelWire>, names: &[&str]) -> ChannelPeer {
    let mut peer = daemon.peer();
    for name in names {
        peer.ask(subscribe(channel(name)), Reply::Done);
    }
    peer
}

#[track_caller]
fn stalled_subscriber(daemon: &Daemon<ChannelWire>, names: &[&str]) -> ChannelPeer {
    let mut peer = daemon.narrow_peer();
    for name in names {
        peer.ask(subscribe(channel(name)), Reply::Done);
    }
    peer
}

#[test]
fn a_stalled_subscriber_costs_little_and_learns_exactly_what_it_missed() {
    const LENGTH: usize = 64 * 1024;
    let daemon = Setup::<ChannelWire>::new().patient().start();
    let mut stalled = stalled_subscriber(&daemon, &["a"]);
    let mut healthy = subscriber(&daemon, &["a"]);
    let mut publisher = daemon.peer();
    let before = daemon.memory_peak_bytes();
    let mut start = 0;
    for count in [4096, 1024] {
        let numbers = start..start + count;
        publish_numbered(&mut publisher, &mut healthy, "a", numbers.clone(), LENGTH);
        let grown = daemon.memory_peak_bytes().saturating_sub(before);
        assert!(grown < 64 * MIB, "{grown} bytes for one that does not read");
        stalled.widen();
        let missing = catch_up(&mut stalled, "a", numbers.clone());
        assert!(missing > 0, "it was not slow");
        assert!(missing < count, "nothing came");
        stalled.expect_silence();
        start = numbers.end;
        // From here on it gets everything again.
        publish_numbered(&mut publisher, &mut healthy, "a", start..start + 10, LENGTH);
        assert_eq!(catch_up(&mut stalled, "a", start..start + 10), 0);
        start += 10;
    }
}

#[test]
fn losses_are_counted_for_each_channel_apart() {
    const LENGTH: usize = 32 * 1024;
    const COUNT: u64 = 1024;
    let setup = Setup::<ChannelWire>::new().patient().flag("--write-buffer-bytes-max", "512KiB");
    let daemon = setup.start();
    let mut stalled = stalled_subscriber(&daemon, &["a", "b"]);
    let mut healthy = subscriber(&daemon, &["a", "b"]);
    let mut publisher = daemon.peer();
    for number in 0..COUNT {
        let name = ["a", "b", "b"][usize::try_from(number % 3).expect("below 3")];
        publish_numbered(&mut publisher, &mut healthy, name, number..number + 1, LENGTH);
    }
    stalled.widen();
    let mut received: BTreeMap<String, u64> = BTreeMap::new();
    let mut missed: BTreeMap<String, u64> = BTreeMap::new();
    let mut last = None;
    while received.values().chain(missed.values()).sum::<u64>() < COUNT {
        match learned(&stalled.receive()) {
            Learned::Received { channel, number } => {
                assert!(last < Some(number), "{number} after {last:?}");
                last = Some(number);
                *received.entry(channel).or_default() += 1;
            }
            Learned::Missed { channel, numbers } => {
                *missed.entry(channel).or_default() += numbers.end - numbers.start;
            }
        }
    }
    stalled.expect_silence();
    let of = |counts: &BTreeMap<String, u64>, name: &str| counts.get(name).copied().unwrap_or(0);
    assert!(of(&missed, "a") > 0 && of(&missed, "b") > 0, "{missed:?}");
    assert_eq!(of(&received, "a") + of(&missed, "a"), COUNT.div_ceil(3));
    assert_eq!(of(&received, "b") + of(&missed, "b"), COUNT - COUNT.div_ceil(3));
}

#[test]
fn fifty_stalled_subscribers_each_learn_what_they_missed() {
    const LENGTH: usize = 16 * 1024;
    const COUNT: u64 = 1024;
    let setup = Setup::<ChannelWire>::new().patient().flag("--write-buffer-bytes-max", "256KiB");
    let daemon = setup.start();
    let stalled = (0..50).map(|_| stalled_subscriber(&daemon, &["a"]));
    let mut stalled: Vec<_> = stalled.collect();
    let mut healthy = subscriber(&daemon, &["a"]);
    let mut publisher = daemon.peer();
    let before = daemon.memory_peak_bytes();
    publish_numbered(&mut publisher, &mut healthy, "a", 0..COUNT, LENGTH);
    let grown = daemon.memory_peak_bytes().saturating_sub(before);
    assert!(grown < 64 * MIB, "{grown} bytes for fifty that do not read");
    for peer in &mut stalled {
        peer.widen();
        assert!(catch_up(peer, "a", 0..COUNT) > 0, "it was not slow");
        peer.expect_silence();
    }
    publisher.ask(publish("a", &numbered(COUNT, 8)), published(51));
    for peer in &mut stalled {
        assert_eq!(catch_up(peer, "a", COUNT..COUNT + 1), 0);
    }
}

#[test]
fn what_is_for_one_subscriber_goes_to_one_that_reads() {
    let subscribers = [channel("a"), channel("a")];
    check_passed_over(subscribers, |value| publish_one("a", value));
    let member = || grouped(channel("a"), "g");
    check_passed_over([member(), member()], |value| publish("a", value));
}

/// Nothing is lost as long as one of two subscribers reads.
fn check_passed_over(
    interests: [Interest<'_>; 2],
    request: impl for<'a> Fn(&'a [u8]) -> Request<'a>,
) {
    const COUNT: u64 = 1024;
    const LENGTH: usize = 16 * 1024;
    let setup = Setup::<ChannelWire>::new().patient();
    let daemon = setup.flag("--write-buffer-bytes-max", "256KiB").start();
    let mut stalled = daemon.narrow_peer();
    let mut healthy = daemon.peer();
    let [one, two] = interests;
    stalled.ask(subscribe(one), Reply::Done);
    healthy.ask(subscribe(two), Reply::Done);
    let mut publisher = daemon.peer();
    let mut frames = Vec::new();
    for number in 0..COUNT {
        publisher.ask(request(&numbered(number, LENGTH)), published(1));
        if number % ROUND == 0 {
            frames.append(&mut healthy.receive_all());
        }
    }
    frames.append(&mut healthy.receive_all());
    assert!(frames.len() as u64 > COUNT / 2, "{} for the one that reads", frames.len());
    stalled.widen();
    frames.append(&mut stalled.receive_all());
    let number = |frame: &Frame| match learned(frame) {
        Learned::Received { number, .. } => number,
        missed => panic!("{missed:?}"),
    };
    let mut numbers: Vec<u64> = frames.iter().map(number).collect();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..COUNT), "each of them once");
}

#[test]
fn a_stalled_subscriber_can_be_disconnected_instead() {
    const LENGTH: usize = 16 * 1024;
    let daemon = Setup::<ChannelWire>::new()
        .patient()
        .flag("--slow-consumer", "disconnect")
        .flag("--write-buffer-bytes-max", "64KiB")
        .start();
    let mut stalled = stalled_subscriber(&daemon, &["a"]);
    let mut healthy = subscriber(&daemon, &["a"]);
    let mut publisher = daemon.peer();
    let mut published_count = 0;
    while !daemon.log().has("SlowConsumer") {
        assert!(published_count < 4096, "it is still served");
        let next = published_count + 4;
        publish_numbered(&mut publisher, &mut healthy, "a", published_count..next, LENGTH);
        published_count = next;
    }
    // It still gets what was sent to it, in order, and then the reason.
    stalled.widen();
    let mut next = 0;
    loop {
        let frame = stalled.receive();
        if let ToClient::Goodbye(goodbye) = frame.decode::<ChannelWire>() {
            assert_eq!(goodbye.refusal.reason, Reason::SlowConsumer);
            break;
        }
        let channel = "a".to_owned();
        assert_eq!(learned(&frame), Learned::Received { channel, number: next });
        next += 1;
    }
    stalled.expect_end();
    assert!(next < published_count);
    healthy.expect_silence();
}
