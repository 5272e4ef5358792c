//! What is kept, and what subscribers that come back make of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use workyard_protocol::channel::{
    HistoryBounds, Interest, KeepHistory, Push, Reply, Request, Start, Subscribe, Subscription,
};
use workyard_protocol::{NO_REPLY, Pattern, ToClient, Ttl, ValueRef};
use workyard_tests::words::{channel, pattern, publish, publish_number, published, subscribe};
use workyard_tests::{ChannelPeer, ChannelWire, Setup};

const MIB: u64 = 1 << 20;

fn from<'a>(interest: Interest<'a>, start: Start) -> Request<'a> {
    Request::Subscribe(Subscribe {
        subscriptions: vec![Subscription { start, ..Subscription::live(interest) }],
    })
}

fn keep(name: &str, messages_max: u64, bytes_max: u64) -> Request<'_> {
    let pattern = Pattern::new(name).unwrap();
    let age = Ttl::from_millis(3_600_000).unwrap();
    Request::KeepHistory(KeepHistory {
        pattern,
        bounds: HistoryBounds { messages_max, bytes_max, age },
    })
}

/// What a replay brings: numbers of messages, ranges of what is gone, and its end.
#[derive(Debug, PartialEq, Eq)]
enum Came {
    Message(u64),
    Gone(u64, u64),
    CaughtUp(u64),
}

/// The next thing of replay 1.
fn next(peer: &mut ChannelPeer) -> Came {
    match peer.receive().decode::<ChannelWire>() {
        ToClient::Push(Push::Replayed { replay: 1, sequence, .. }) => Came::Message(sequence),
        ToClient::Push(Push::Gap { replay: 1, from, to, missed, .. }) => {
            assert!(missed == 0 || missed == to + 1 - from);
            Came::Gone(from, to)
        }
        ToClient::Push(Push::CaughtUp { replay: 1, mark }) => Came::CaughtUp(mark),
        other => panic!("expected a part of replay 1, got {other:?}"),
    }
}

#[test]
fn rules_of_the_settings_keep_messages_that_nobody_waits_for() {
    let setup = Setup::<ChannelWire>::new().flag("--history", "a.>=2,1KiB,1h");
    let daemon = setup.start();
    let mut publisher = daemon.peer();
    for number in 1..=3 {
        publisher.ask(publish_number("a.b", number), published(0));
    }
    let mut peer = daemon.peer();
    let start = Start::Last { replay: 1, count: 10 };
    peer.ask(from(channel("a.b"), start), Reply::Subscribed { marks: vec![3] });
    for expected in [Came::Message(2), Came::Message(3), Came::CaughtUp(3)] {
        assert_eq!(next(&mut peer), expected);
    }
    let epoch = peer.epoch();
    let mut other = daemon.peer();
    let start = Start::Resume { replay: 1, epoch, mark: 0 };
    other.ask(from(channel("a.b"), start), Reply::Subscribed { marks: vec![3] });
    for expected in [Came::Gone(1, 1), Came::Message(2), Came::Message(3), Came::CaughtUp(3)] {
        assert_eq!(next(&mut other), expected);
    }
    publisher.ask(publish("a.b", b"live"), published(2));
    for peer in [&mut peer, &mut other] {
        let frame = peer.receive();
        let ToClient::Push(Push::Message { sequence: 4, position: 4, value, .. }) =
            frame.decode::<ChannelWire>()
        else {
            panic!("expected the live message, got {frame:?}");
        };
        assert_eq!(value, ValueRef::raw(b"live"));
        peer.expect_silence();
    }
}

#[test]
fn a_mark_of_another_start_of_the_server_is_no_mark() {
    let setup = || Setup::<ChannelWire>::new().flag("--history", ">=10,1KiB,1h");
    let first = setup().start();
    let epoch = first.peer().epoch();
    drop(first);
    let daemon = setup().start();
    daemon.peer().ask(publish_number("a", 1), published(0));
    for interest in [channel("a"), pattern("*")] {
        let mut peer = daemon.peer();
        let start = Start::Resume { replay: 1, epoch, mark: 1 };
        peer.ask(from(interest, start), Reply::Subscribed { marks: vec![1] });
        for expected in [Came::Gone(0, 0), Came::Message(1), Came::CaughtUp(1)] {
            assert_eq!(next(&mut peer), expected);
        }
    }
}

#[test]
fn a_long_replay_to_a_slow_reader_takes_no_memory_and_loses_nothing() {
    const COUNT: u64 = 20_000;
    let daemon = Setup::<ChannelWire>::new().patient().start();
    let mut publisher = daemon.peer();
    publisher.ask(keep("a", COUNT + 1, 1 << 30), Reply::Done);
    let value = vec![7; 2000];
    for _ in 0..COUNT {
        publisher.send(NO_REPLY, publish("a", &value));
    }
    publisher.expect_silence();
    let before = daemon.memory_peak_bytes();
    let mut readers: Vec<_> = (0..8).map(|_| daemon.narrow_peer()).collect();
    let epoch = publisher.epoch();
    for reader in &mut readers {
        let start = Start::Resume { replay: 1, epoch, mark: 0 };
        reader.ask(from(channel("a"), start), Reply::Subscribed { marks: vec![COUNT] });
    }
    // What is published while they have not caught up is part of their replays.
    publisher.ask(publish_number("a", 0), published(0));
    publisher.expect_silence();
    let grown = daemon.memory_peak_bytes().saturating_sub(before);
    assert!(grown < 32 * MIB, "{grown} bytes for eight that do not read 40 MB each");
    for reader in &mut readers {
        reader.widen();
        for number in 1..=COUNT + 1 {
            assert_eq!(next(reader), Came::Message(number));
        }
        assert_eq!(next(reader), Came::CaughtUp(COUNT + 1));
    }
    publisher.ask(publish_number("a", 0), published(8));
}

#[test]
fn without_history_what_was_missed_is_counted_all_the_same() {
    let daemon = Setup::<ChannelWire>::new().start();
    let mut publisher = daemon.peer();
    let mut peer = daemon.peer();
    peer.ask(subscribe(channel("a")), Reply::Done);
    publisher.ask(publish("a", b"seen"), published(1));
    drop(peer);
    let mut missed = 0;
    while missed < 7 {
        // The connection's end may be seen a little later.
        let answer = publisher.answer(publish("a", b"missed"));
        match answer.decode::<ChannelWire>() {
            ToClient::Reply(_, Reply::Published { receivers: 0 }) => missed += 1,
            ToClient::Reply(_, Reply::Published { .. }) => missed = 0,
            other => panic!("expected a receipt, got {other:?}"),
        }
    }
    let epoch = publisher.epoch();
    let mut peer = daemon.peer();
    let start = Start::Resume { replay: 1, epoch, mark: 1 };
    let frame = peer.answer(from(channel("a"), start));
    let ToClient::Reply(_, Reply::Subscribed { marks }) = frame.decode::<ChannelWire>() else {
        panic!("expected marks, got {frame:?}");
    };
    assert!(marks[0] >= 8);
    assert_eq!(next(&mut peer), Came::Gone(2, marks[0]));
    assert_eq!(next(&mut peer), Came::CaughtUp(marks[0]));
}
