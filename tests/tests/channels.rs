//! Publish and subscribe over the wire: who receives what, how often, and in which order.

use workyard_protocol::channel::{self, Push, Reply, Topic, Unsubscribe};
use workyard_protocol::{NO_REPLY, ToClient, ToServer, ValueRef};
use workyard_tests::words::{
    channel, grouped, message, message_to_group, message_to_one, number_message, pattern, publish,
    publish_many, publish_number, publish_one, published, queues, subscribe, unsubscribe,
};
use workyard_tests::{
    ChannelPeer, ChannelWire, Daemon, Frame, Setup, eventually, raise_descriptor_limit,
};

type Request = channel::Request<'static>;

fn daemon() -> Daemon<ChannelWire> {
    Setup::new().start()
}

/// A peer with one interest.
#[track_caller]
fn subscriber(daemon: &Daemon<ChannelWire>, interest: channel::Interest<'_>) -> ChannelPeer {
    let mut peer = daemon.peer();
    peer.ask(subscribe(interest), Reply::Done);
    peer
}

/// The numbers in messages.
fn numbers(frames: &[Frame]) -> Vec<i64> {
    let number = |frame: &Frame| match frame.decode::<ChannelWire>() {
        ToClient::Push(Push::Message { value: ValueRef::Int(number), .. }) => number,
        other => panic!("expected a message with a number, got {other:?}"),
    };
    frames.iter().map(number).collect()
}

#[test]
fn a_message_reaches_every_subscriber_once() {
    let daemon = daemon();
    let mut publisher = daemon.peer();
    publisher.ask(publish("news", b"nobody"), published(0));
    let mut one = subscriber(&daemon, channel("news"));
    let mut two = subscriber(&daemon, channel("news"));
    let mut other = subscriber(&daemon, channel("new"));
    one.ask(subscribe(channel("news")), Reply::Done);
    publisher.ask(publish("news", b"hello"), published(2));
    publisher.ask(publish("news", b""), published(2));
    for peer in [&mut one, &mut two] {
        peer.expect_push(message("news", 1, b"hello"));
        peer.expect_push(message("news", 2, b""));
        peer.expect_silence();
    }
    other.expect_silence();
}

#[test]
fn a_publisher_receives_its_own_message_before_the_receipt() {
    let daemon = daemon();
    let mut peer = subscriber(&daemon, channel("own"));
    peer.send(9, publish("own", b"x"));
    peer.expect_push(message("own", 1, b"x"));
    peer.expect_reply(9, published(1));
    peer.expect_silence();
}

#[test]
fn after_unsubscribing_nothing_comes() {
    let daemon = daemon();
    let mut peer = subscriber(&daemon, channel("a"));
    peer.ask(subscribe(pattern("a.*")), Reply::Done);
    peer.ask(unsubscribe(channel("a")), Reply::Done);
    peer.ask(publish("a", b"x"), published(0));
    peer.ask(unsubscribe(channel("never")), Reply::Done);
    let interests = vec![pattern("a.*"), channel("b")];
    let all = Unsubscribe { interests };
    peer.ask(channel::Request::Unsubscribe(all), Reply::Done);
    peer.ask(publish("a.b", b"x"), published(0));
    peer.expect_silence();
}

#[test]
fn requests_in_one_write_take_effect_one_after_the_other() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    let mut stream = Vec::new();
    for (id, request) in (1..).zip([
        publish("a", b"before"),
        subscribe(channel("a")),
        publish("a", b"one"),
        publish("a", b"two"),
        unsubscribe(channel("a")),
        publish("a", b"after"),
    ]) {
        ToServer::Request(id, request).encode(&mut stream);
    }
    peer.send_bytes(&stream);
    peer.expect_reply(1, published(0));
    peer.expect_reply(2, Reply::Done);
    peer.expect_push(message("a", 1, b"one"));
    peer.expect_reply(3, published(1));
    peer.expect_push(message("a", 2, b"two"));
    peer.expect_reply(4, published(1));
    peer.expect_reply(5, Reply::Done);
    peer.expect_reply(6, published(0));
    peer.expect_silence();
}

#[test]
fn patterns_match_whole_tokens() {
    let daemon = daemon();
    let mut publisher = daemon.peer();
    let mut any = subscriber(&daemon, pattern("orders.*"));
    let mut rest = subscriber(&daemon, pattern("orders.>"));
    let mut all = subscriber(&daemon, pattern(">"));
    let mut literal = subscriber(&daemon, channel("orders.*"));
    publisher.ask(publish("orders.1", b"1"), published(3));
    publisher.ask(publish("orders.1.paid", b"2"), published(2));
    publisher.ask(publish("orders", b"3"), published(1));
    publisher.ask(publish("orders.*", b"4"), published(4));
    for (peer, expected) in [
        (&mut any, vec![("orders.1", b"1"), ("orders.*", b"4")]),
        (&mut rest, vec![("orders.1", b"1"), ("orders.1.paid", b"2"), ("orders.*", b"4")]),
        (&mut literal, vec![("orders.*", b"4")]),
        (
            &mut all,
            vec![("orders.1", b"1"), ("orders.1.paid", b"2"), ("orders", b"3"), ("orders.*", b"4")],
        ),
    ] {
        for (name, value) in expected {
            peer.expect_push(message(name, 1, value));
        }
        peer.expect_silence();
    }
}

#[test]
fn overlapping_interests_bring_a_message_once() {
    let daemon = daemon();
    let mut peer = subscriber(&daemon, channel("a.b"));
    peer.ask(subscribe(pattern("a.*")), Reply::Done);
    peer.ask(subscribe(pattern(">")), Reply::Done);
    daemon.peer().ask(publish("a.b", b"x"), published(1));
    peer.expect_push(message("a.b", 1, b"x"));
    peer.expect_silence();
}

#[test]
fn one_of_a_group_receives_each_in_turn() {
    let daemon = daemon();
    let workers = || subscriber(&daemon, grouped(channel("work"), "workers"));
    let mut members = [workers(), workers(), workers()];
    let mut everybody = subscriber(&daemon, channel("work"));
    let mut publisher = daemon.peer();
    for _ in 0..3 {
        for name in [b"a", b"b", b"c"] {
            publisher.ask(publish("work", name), published(2));
        }
    }
    for ((member, name), first) in members.iter_mut().zip([b"a", b"b", b"c"]).zip(1..) {
        for sequence in [first, first + 3, first + 6] {
            member.expect_push(message_to_group("workers", "work", sequence, name));
        }
        member.expect_silence();
    }
    assert_eq!(everybody.receive_all().len(), 9);
}

#[test]
fn a_session_receives_once_for_each_group_that_chose_it() {
    let daemon = daemon();
    let mut peer = subscriber(&daemon, channel("a"));
    peer.ask(subscribe(grouped(channel("a"), "g")), Reply::Done);
    peer.ask(subscribe(grouped(pattern(">"), "h")), Reply::Done);
    daemon.peer().ask(publish("a", b"x"), published(3));
    let mut groups = 0;
    for frame in peer.receive_all() {
        let expected = [
            message("a", 1, b"x"),
            message_to_group("g", "a", 1, b"x"),
            message_to_group("h", "a", 1, b"x"),
        ];
        let ToClient::Push(push) = frame.decode::<ChannelWire>() else {
            panic!("expected a push");
        };
        assert!(expected.contains(&push), "{push:?}");
        groups += 1;
    }
    assert_eq!(groups, 3);
}

#[test]
fn publish_one_takes_turns_and_leaves_groups_out() {
    let daemon = daemon();
    let mut one = subscriber(&daemon, channel("a"));
    let mut two = subscriber(&daemon, channel("a"));
    let mut member = subscriber(&daemon, grouped(channel("a"), "g"));
    let mut publisher = daemon.peer();
    for value in [b"1", b"2", b"3", b"4"] {
        publisher.ask(publish_one("a", value), published(1));
    }
    publisher.ask(publish_one("b", b"x"), published(0));
    for (peer, values) in [(&mut two, [b"1", b"3"]), (&mut one, [b"2", b"4"])] {
        for value in values {
            peer.expect_push(message_to_one("a", value));
        }
        peer.expect_silence();
    }
    member.expect_silence();
}

#[test]
fn publish_many_goes_through_its_list_in_order() {
    let daemon = daemon();
    let mut peer = subscriber(&daemon, channel("a"));
    peer.ask(subscribe(channel("b")), Reply::Done);
    let mut publisher = daemon.peer();
    publisher.ask(publish_many(&["b", "none", "a", "b"], b"x"), published(3));
    publisher.ask(publish_many(&[], b"x"), published(0));
    for (name, sequence) in [("b", 1), ("a", 1), ("b", 2)] {
        peer.expect_push(message(name, sequence, b"x"));
    }
    peer.expect_silence();
}

#[test]
fn every_kind_of_value_arrives_as_it_was() {
    let daemon = daemon();
    let mut peer = subscriber(&daemon, channel("a"));
    let mut publisher = daemon.peer();
    let large = vec![b'v'; 3 << 20];
    let values = [ValueRef::Int(i64::MIN), ValueRef::Float(f64::NAN), ValueRef::raw(&large)];
    for (value, sequence) in values.into_iter().zip(1..) {
        let name = workyard_protocol::ChannelName::new("a").expect("a short name");
        let request = channel::Publish { channel: name, value };
        publisher.ask(channel::Request::Publish(request), published(1));
        let delivery = channel::Delivery::Everybody;
        peer.expect_push(Push::Message { delivery, channel: name, sequence, position: 0, value });
    }
}

#[test]
fn messages_of_each_publisher_keep_their_order_and_need_no_answer() {
    const COUNT: i64 = 1000;
    const PUBLISHERS: i64 = 3;
    let daemon = daemon();
    let mut peer = subscriber(&daemon, channel("a"));
    let mut publishers: Vec<_> = (0..PUBLISHERS).map(|_| daemon.peer()).collect();
    for number in 0..COUNT {
        for (which, publisher) in (0..).zip(&mut publishers) {
            publisher.send(NO_REPLY, publish_number("a", which * COUNT + number));
        }
    }
    publishers.iter_mut().for_each(ChannelPeer::expect_silence);
    let received = numbers(&peer.receive_all());
    assert_eq!(received.len(), usize::try_from(COUNT * PUBLISHERS).expect("a few thousand"));
    for which in 0..PUBLISHERS {
        let of_one = received.iter().filter(|number| **number / COUNT == which);
        assert!(of_one.copied().eq(which * COUNT..(which + 1) * COUNT), "publisher {which}");
    }
}

#[test]
fn a_thousand_subscribers_receive_every_message_in_order() {
    const MESSAGES: i64 = 100;
    raise_descriptor_limit(1100);
    let daemon = Setup::<ChannelWire>::new().patient().start();
    let subscribers = (0..1000).map(|_| subscriber(&daemon, channel("wide")));
    let mut subscribers: Vec<_> = subscribers.collect();
    let mut stream = Vec::new();
    for number in 0..MESSAGES {
        let request: Request = publish_number("wide", number);
        ToServer::Request(NO_REPLY, request).encode(&mut stream);
    }
    let mut publisher = daemon.peer();
    publisher.send_bytes(&stream);
    publisher.expect_silence();
    for peer in &mut subscribers {
        for (number, sequence) in (0..MESSAGES).zip(1..) {
            peer.expect_push(number_message("wide", sequence, number));
        }
        peer.expect_silence();
    }
}

#[test]
fn who_disconnects_leaves_nothing_behind() {
    let daemon = daemon();
    let mut publisher = daemon.peer();
    let descriptors = daemon.descriptors();
    for _ in 0..3 {
        let peers: Vec<_> = (0..100)
            .map(|_| {
                let mut peer = subscriber(&daemon, channel("a"));
                peer.ask(subscribe(pattern("a.>")), Reply::Done);
                peer.ask(subscribe(grouped(channel("a"), "g")), Reply::Done);
                peer.ask(workyard_tests::words::consume("jobs", 1), Reply::Done);
                peer
            })
            .collect();
        publisher.ask(publish("a", b"x"), published(101));
        drop(peers);
        eventually("the connections are gone", || daemon.descriptors() == descriptors);
        publisher.ask(publish("a", b"x"), published(0));
        publisher.ask(publish("a.b", b"x"), published(0));
        let none = Reply::Queues { cursor: 0, queues: vec![] };
        publisher.ask(queues(""), none);
    }
}

#[test]
fn subscribers_of_a_port_and_of_a_unix_socket_share_channels() {
    let setup = Setup::<ChannelWire>::new().listen("127.0.0.1:0");
    let daemon = setup.unix_socket("a.sock").start();
    let [tcp, unix] = daemon.endpoints() else {
        panic!("two addresses, not {:?}", daemon.endpoints());
    };
    let mut one = ChannelPeer::connect(tcp);
    let mut two = ChannelPeer::connect(unix);
    assert_eq!(one.hello().epoch, two.hello().epoch);
    for peer in [&mut one, &mut two] {
        peer.ask(subscribe(channel("a")), Reply::Done);
    }
    two.send(1, publish("a", b"over unix"));
    for peer in [&mut one, &mut two] {
        peer.expect_push(message("a", 1, b"over unix"));
    }
    two.expect_reply(1, published(2));
}

#[test]
fn a_list_of_interests_is_taken_whole_or_not_at_all() {
    let setup = Setup::<ChannelWire>::new().flag("--subscriptions-per-session-max", "2");
    let daemon = setup.start();
    let mut peer = daemon.peer();
    let interests: Vec<_> = ["a", "b", "c"].into_iter().map(channel).collect();
    assert!(matches!(interests[0].topic, Topic::Channel(_)));
    let all = channel::Request::Subscribe(channel::Subscribe::to(interests));
    let refusal = peer.ask_refused(all, workyard_protocol::Reason::LimitReached);
    assert!(refusal.text.contains("subscriptions_per_session_max"), "{refusal}");
    peer.ask(publish("a", b"x"), published(0));
    peer.ask(subscribe(channel("a")), Reply::Done);
}

/// A socket that takes nothing any more can still be read from.
#[test]
fn what_a_peer_said_counts_although_it_hung_up_on_its_own_messages() {
    const COUNT: u64 = 140;
    let setup = Setup::<ChannelWire>::new().unix_socket("channel.sock");
    let daemon = setup.flag("--write-buffer-bytes-max", "4MiB").start();
    let mut witness = subscriber(&daemon, channel("a"));
    let mut rude = subscriber(&daemon, channel("a"));
    rude.send(NO_REPLY, publish("a", &[0; 1024]));
    witness.expect_push(message("a", 1, &[0; 1024]));
    // Everything lies in the socket when the daemon goes on, more of it than is read at once.
    daemon.pause();
    let mut stream = Vec::new();
    for number in 1..=COUNT {
        let payload = [number.to_be_bytes().as_slice(), &[0; 1016]].concat();
        ToServer::Request(NO_REPLY, publish("a", &payload)).encode(&mut stream);
    }
    rude.send_bytes(&stream);
    drop(rude);
    daemon.resume();
    for number in 1..=COUNT {
        let payload = [number.to_be_bytes().as_slice(), &[0; 1016]].concat();
        witness.expect_push(message("a", number + 1, &payload));
    }
}
