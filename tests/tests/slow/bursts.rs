//! Much at once: one request that fans out widely, and what comes together after a pause.

use super::subscribers::{Learned, learned};
use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;
use workyard_protocol::NO_REPLY;
use workyard_protocol::channel::Reply;
use workyard_tests::words::{
    channel, message, pattern, publish, publish_many, published, subscribe,
};
use workyard_tests::{ChannelWire, Setup};

const MIB: u64 = 1 << 20;

#[test]
fn one_request_to_a_channel_eight_thousand_times_stays_within_bounds() {
    let daemon = Setup::<ChannelWire>::new().patient().start();
    let mut stalled = daemon.narrow_peer();
    stalled.ask(subscribe(channel("x")), Reply::Done);
    let mut publisher = daemon.peer();
    publisher.ask(publish_many(&["x"], b"first"), published(1));
    let before = daemon.memory_bytes();
    publisher.ask(publish_many(&["x"; 8000], &vec![0; 100_000]), published(8000));
    let grown = daemon.memory_peak_bytes().saturating_sub(before);
    assert!(grown < 48 * MIB, "800 MB for one subscriber took {} MiB", grown / MIB);
    publisher.expect_silence();
}

#[test]
fn losses_under_a_pattern_are_counted_for_each_channel_apart() {
    const EACH: u64 = 100;
    let daemon = Setup::<ChannelWire>::new().patient().start();
    let mut stalled = daemon.narrow_peer();
    stalled.ask(subscribe(pattern(">")), Reply::Done);
    let mut publisher = daemon.peer();
    let value = vec![0; 100_000];
    for name in ["a", "b", "a", "b"] {
        for _ in 0..EACH / 2 {
            publisher.send(NO_REPLY, publish(name, &value));
        }
    }
    publisher.expect_silence();
    stalled.widen();
    let (mut received, mut missed) = (0, BTreeMap::from([("a", EACH), ("b", EACH)]));
    while missed.values().any(|left| *left > 0) {
        let (channel, count) = match learned(&stalled.receive()) {
            Learned::Received { channel, .. } => (channel, 1),
            Learned::Missed { channel, numbers } => (channel, numbers.end - numbers.start),
        };
        received += u64::from(count == 1);
        let left = missed.get_mut(channel.as_str()).expect("a or b");
        *left = left.checked_sub(count).expect("more of it than was published");
    }
    assert!(received > 0 && received < 2 * EACH, "{received} were received");
}

#[test]
fn a_pause_of_the_daemon_ends_nobody_who_was_heard_meanwhile() {
    let daemon = Setup::<ChannelWire>::new().flag("--heartbeat", "400ms").start();
    let mut peers: Vec<_> = (0..20).map(|_| daemon.peer()).collect();
    daemon.pause();
    // Far beyond two intervals; each peer gives signs of life that nobody reads.
    for _ in 0..5 {
        for peer in &mut peers {
            peer.send_frame(&[0x03, 0]);
        }
        thread::sleep(Duration::from_millis(300));
    }
    daemon.resume();
    for peer in &mut peers {
        peer.expect_silence();
    }
}

#[test]
fn a_request_that_arrives_with_more_than_its_sender_may_have_waiting_is_answered() {
    let setup = Setup::<ChannelWire>::new().patient();
    let daemon = setup.flag("--write-buffer-bytes-max", "4KiB").start();
    let (mut publisher, mut subscriber) = (daemon.peer(), daemon.peer());
    publisher.ask(subscribe(channel("x")), Reply::Done);
    subscriber.ask(subscribe(channel("x")), Reply::Done);
    let value = vec![7; 20_000];
    for sequence in 1..=5 {
        // Stopped, so that it finds both at once. The receipt for the publisher, who is a subscriber
        // too, has the message handed out before the other one's request is looked at.
        daemon.pause();
        publisher.send(1, publish("x", &value));
        subscriber.send(2, publish("nowhere", b""));
        daemon.resume();
        publisher.expect_push(message("x", sequence, &value));
        publisher.expect_reply(1, published(2));
        subscriber.expect_push(message("x", sequence, &value));
        subscriber.expect_reply(2, published(0));
    }
}
