//! Subscribing, unsubscribing and publishing.

use crate::dialogue::Dialogue;
use crate::history::forgetful;
use workyard_channel_core::Broker;
use workyard_engine::{Engine, Loss};
use workyard_protocol::ChannelName;
use workyard_protocol::channel::Push;

#[test]
fn everybody_receives_in_the_order_of_subscription_the_publisher_too() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([3, 1, 2], "a");
    talk.session(1).publishes("a", "hi").sees(["3 1 2 <- a: hi", "1: published to 3"]);
    talk.session(9).publishes("a", "yo").sees(["3 1 2 <- a: yo", "9: published to 3"]);
}

#[test]
fn without_subscribers_a_message_goes_nowhere() {
    let mut talk = Dialogue::new();
    talk.session(1).publishes("a", "hi").sees(["1: published to 0"]);
    talk.session(1).publishes_one("a", "hi").sees(["1: published to 0"]);
    talk.subscribe_all([1], "~b.>");
    talk.session(1).publishes("a", "hi").sees(["1: published to 0"]);
    talk.session(1).publishes_one("a", "hi").sees(["1: published to 0"]);
    talk.session(1).publishes_many("a, b, c", "hi").sees(["1: published to 0"]);
}

#[test]
fn names_are_any_bytes_and_wildcards_in_them_mean_nothing() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1], "a.*, >, ");
    talk.session(2).publishes("a.b", "hi").sees(["2: published to 0"]);
    talk.session(2).publishes("a.*", "hi").sees(["1 <- a.*: hi", "2: published to 1"]);
    talk.session(2).publishes(">", "hi").sees(["1 <- >: hi", "2: published to 1"]);
    talk.session(2).publishes("", "hi").sees(["1 <- : hi", "2: published to 1"]);
}

#[test]
fn subscribing_twice_is_subscribing_once_and_keeps_the_place() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1, 2, 1], "a, a");
    talk.session(3).publishes("a", "hi").sees(["1 2 <- a: hi", "3: published to 2"]);
    assert_eq!(talk.census().subscriptions, 2);
}

#[test]
fn unsubscribing_and_subscribing_again_is_joining_at_the_end() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1, 2], "a");
    talk.session(1).unsubscribes("a, b, ~x.*, a@g").done();
    talk.session(1).publishes("a", "hi").sees(["2 <- a: hi", "1: published to 1"]);
    talk.subscribe_all([1], "a");
    talk.session(1).publishes("a", "hi").sees(["2 1 <- a: hi", "1: published to 2"]);
}

#[test]
fn unsubscribing_ends_exactly_what_is_named() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1], "a, ~a, a@g, ~a@g");
    assert_eq!(talk.census().subscriptions, 4);
    talk.session(1).unsubscribes("a, a@g").done();
    let both = ["1 <- a: hi", "1 <- a: hi (group g)", "2: published to 2"];
    talk.session(2).publishes("a", "hi").sees(both);
    talk.session(1).unsubscribes("~a").done();
    let group = ["1 <- a: hi (group g)", "2: published to 1"];
    talk.session(2).publishes("a", "hi").sees(group);
    talk.session(1).unsubscribes("~a@g").done();
    talk.session(2).publishes("a", "hi").sees(["2: published to 0"]);
}

#[test]
fn patterns_receive_under_the_name_that_was_published_to() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1], "~orders.*");
    talk.subscribe_all([2], "~orders.>");
    let both = ["1 2 <- orders.7: new", "3: published to 2"];
    talk.session(3).publishes("orders.7", "new").sees(both);
    let deep = ["2 <- orders.7.paid: yes", "3: published to 1"];
    talk.session(3).publishes("orders.7.paid", "yes").sees(deep);
    talk.session(3).publishes("orders", "none").sees(["3: published to 0"]);
}

#[test]
fn a_session_receives_once_however_many_of_its_interests_match() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1], "~a.*");
    talk.subscribe_all([2], "a.b");
    talk.subscribe_all([1], "a.b, ~a.>, ~>");
    talk.session(3).publishes("a.b", "hi").sees(["1 2 <- a.b: hi", "3: published to 2"]);
    talk.session(1).unsubscribes("~a.*").done();
    talk.session(3).publishes("a.b", "hi").sees(["2 1 <- a.b: hi", "3: published to 2"]);
    talk.session(1).unsubscribes("a.b, ~a.>").done();
    talk.session(3).publishes("a.b", "hi").sees(["2 1 <- a.b: hi", "3: published to 2"]);
    talk.session(1).unsubscribes("~>").done();
    talk.session(3).publishes("a.b", "hi").sees(["2 <- a.b: hi", "3: published to 1"]);
}

#[test]
fn many_channels_are_published_to_in_the_order_of_the_list() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1], "a, b@g");
    talk.subscribe_all([2], "b, ~*");
    talk.session(3).publishes_many("b, none.of, a, b", "hi").sees([
        "2 <- b: hi",
        "1 <- b: hi (group g)",
        "1 2 <- a: hi",
        "2 <- b: hi",
        "1 <- b: hi (group g)",
        "3: published to 6",
    ]);
}

#[test]
fn a_subscriber_without_room_is_still_addressed() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1, 2], "a");
    talk.session(1).fills_up();
    talk.session(3).publishes("a", "hi").sees(["1 2 <- a: hi", "3: published to 2"]);
    talk.session(1).drains().nothing();
}

#[test]
fn a_notice_of_loss_names_the_channel_or_none() {
    let channel = ChannelName::new("a").unwrap();
    let loss = Loss { topic: Some(b"a"), from: 5, to: 9, missed: 3 };
    let gap = Push::Gap { channel: Some(channel), from: 5, to: 9, missed: 3, replay: 0 };
    assert_eq!(Broker::gap(loss), Some(gap));
    let loss = Loss { topic: None, from: 0, to: 0, missed: 4 };
    let gap = Push::Gap { channel: None, from: 0, to: 0, missed: 4, replay: 0 };
    assert_eq!(Broker::gap(loss), Some(gap));
}

#[test]
fn messages_are_numbered_by_channel_once_for_everybody_and_all_groups() {
    let mut talk = Dialogue::new();
    talk.shows_numbers();
    talk.session(9).publishes("a", "before anybody").sees(["9: published to 0"]);
    talk.subscribe_all([1], "~*, a@g");
    let both = ["1 <- a #1: x", "1 <- a #1: x (group g)", "9: published to 2"];
    talk.session(9).publishes("a", "x").sees(both);
    talk.session(9).publishes("b", "x").sees(["1 <- b #1: x", "9: published to 1"]);
    talk.session(9).publishes_one("a", "x").sees(["1 <- a #0: x (one)", "9: published to 1"]);
    let list = ["1 <- b #2: x", "1 <- a #2: x", "1 <- a #2: x (group g)", "1 <- b #3: x"];
    let seen = talk.session(9).publishes_many("b, a, b", "x").texts();
    assert_eq!(seen[..4], list);
}

#[test]
fn numbers_go_on_while_nobody_is_there_so_that_who_comes_back_can_count() {
    let mut talk = Dialogue::new();
    talk.shows_numbers();
    talk.subscribe_all([1], "a");
    talk.session(9).publishes("a", "x").sees(["1 <- a #1: x", "9: published to 1"]);
    talk.session(1).closes().nothing();
    talk.session(9).publishes("a", "x").sees(["9: published to 0"]);
    talk.session(9).publishes("a", "x").sees(["9: published to 0"]);
    talk.subscribe_all([2], "a");
    talk.session(9).publishes("a", "x").sees(["2 <- a #4: x", "9: published to 1"]);
}

#[test]
fn forgotten_channels_go_on_above_what_they_had() {
    let mut talk = forgetful();
    talk.subscribe_all([1], "~*");
    for (channel, number) in [("a", 1), ("a", 2), ("b", 1), ("c", 4), ("a", 4), ("a", 5)] {
        let expected = format!("1 <- {channel} #{number}: x");
        assert_eq!(talk.session(9).publishes(channel, "x").texts()[0], expected);
    }
}

#[test]
fn numbering_begins_with_the_first_publish_that_somebody_was_there_for_to_one_or_to_all() {
    let mut talk = Dialogue::new();
    talk.shows_numbers();
    talk.subscribe_all([1], "a");
    talk.session(9).publishes_one("a", "x").sees(["1 <- a #0: x (one)", "9: published to 1"]);
    talk.session(1).closes().nothing();
    talk.session(9).publishes("a", "x").sees(["9: published to 0"]);
    talk.subscribe_all([1], "a");
    talk.session(9).publishes("a", "x").sees(["1 <- a #2: x", "9: published to 1"]);
}
