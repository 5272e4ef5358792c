//! What becomes of messages for which a session has no room, as its subscriptions say.

use crate::dialogue::Dialogue;
use workyard_channel_core::{BrokerLimits, Census};
use workyard_protocol::channel::WhenSlow::{Disconnect, DropNewest, DropOldest, Latest};

fn dialogue(held_messages_per_subscription_max: usize) -> Dialogue {
    let defaults = BrokerLimits::default();
    let mut talk = Dialogue::with(BrokerLimits { held_messages_per_subscription_max, ..defaults });
    talk.shows_numbers();
    talk
}

/// Session 9 publishes, and nobody sees it yet.
fn publish(talk: &mut Dialogue, channel: &str, texts: &[&str]) {
    for text in texts {
        talk.session(9).publishes(channel, text).sees(["9: published to 1"]);
    }
}

#[test]
fn the_newest_are_held_and_the_oldest_given_up_with_their_numbers() {
    let mut talk = dialogue(3);
    talk.session(1).subscribes_when_slow("a", DropOldest).done();
    talk.session(9).publishes("a", "zero").sees(["1 <- a #1: zero", "9: published to 1"]);
    talk.session(1).fills_up();
    publish(&mut talk, "a", &["one", "two", "three", "four", "five"]);
    assert_eq!(talk.census().held_messages, 3);
    talk.session(1).drains().sees([
        "1 <- a #2..#3 missed, 2",
        "1 <- a #4: three",
        "1 <- a #5: four",
        "1 <- a #6: five",
    ]);
    let Census { slow_sessions, held_messages, held_bytes, .. } = talk.census();
    assert_eq!((slow_sessions, held_messages, held_bytes), (0, 0, 0));
    talk.session(9).publishes("a", "six").sees(["1 <- a #7: six", "9: published to 1"]);
}

#[test]
fn the_latest_of_each_channel_is_held_in_the_place_of_the_first() {
    let mut talk = dialogue(100);
    talk.session(1).subscribes_when_slow("~p.*", Latest).done();
    talk.session(1).fills_up();
    publish(&mut talk, "p.a", &["1"]);
    publish(&mut talk, "p.b", &["1", "2", "3"]);
    publish(&mut talk, "p.a", &["2"]);
    talk.session(9).publishes_one("p.a", "3").sees(["9: published to 1"]);
    publish(&mut talk, "p.c", &["1"]);
    assert_eq!(talk.census().held_messages, 3);
    talk.session(1).drains().sees([
        "1 <- p.a #1..#2 missed, 2",
        "1 <- p.a #0: 3 (one)",
        "1 <- p.b #1..#2 missed, 2",
        "1 <- p.b #3: 3",
        "1 <- p.c #1: 1",
    ]);
}

#[test]
fn more_channels_than_are_held_lose_the_first_in_line() {
    let mut talk = dialogue(2);
    talk.session(1).subscribes_when_slow("~p.*", Latest).done();
    talk.session(1).fills_up();
    publish(&mut talk, "p.a", &["1", "2"]);
    publish(&mut talk, "p.b", &["1"]);
    publish(&mut talk, "p.c", &["1"]);
    publish(&mut talk, "p.a", &["3"]);
    talk.session(1).drains().sees([
        "1 <- p.a #1..#2 missed, 2",
        "1 <- p.b #1..#1 missed, 1",
        "1 <- p.c #1: 1",
        "1 <- p.a #3: 3",
    ]);
}

#[test]
fn a_session_ends_before_it_loses_what_it_shall_not() {
    let mut talk = dialogue(100);
    talk.session(1).subscribes_when_slow("a", Disconnect).done();
    talk.session(2).subscribes("a").done();
    talk.session(9).publishes("a", "1").sees(["1 2 <- a #1: 1", "9: published to 2"]);
    talk.session(1).fills_up();
    let seen = talk.session(9).publishes("a", "2").texts();
    assert_eq!(seen[0], "1 ends: SlowConsumer");
    talk.session(1).closes().nothing();
    talk.session(9).publishes("a", "3").sees(["2 <- a #3: 3", "9: published to 1"]);
}

#[test]
fn nothing_overtakes_what_is_held() {
    let mut talk = dialogue(100);
    talk.session(1).subscribes_when_slow("a, ~b.*", DropOldest).done();
    talk.session(1).subscribes_when_slow("c", Disconnect).done();
    talk.session(1).subscribes("d").done();
    talk.session(1).fills_up();
    publish(&mut talk, "a", &["1"]);
    talk.session(1).has_room_again();
    for channel in ["b.b", "a", "c"] {
        publish(&mut talk, channel, &["2"]);
    }
    talk.session(9).publishes_one("a", "3").sees(["9: published to 1"]);
    talk.session(9).publishes("d", "at once").sees(["1 <- d #1: at once", "9: published to 1"]);
    talk.session(1).drains().sees([
        "1 <- a #1: 1",
        "1 <- b.b #1: 2",
        "1 <- a #2: 2",
        "1 <- c #1: 2",
        "1 <- a #0: 3 (one)",
    ]);
}

#[test]
fn what_comes_by_several_interests_is_lost_by_the_one_that_loses_least() {
    let mut talk = dialogue(1);
    talk.session(1).subscribes("a").done();
    talk.session(1).subscribes_when_slow("~*", Latest).done();
    talk.session(1).subscribes_when_slow("~>", DropOldest).done();
    talk.session(1).fills_up();
    publish(&mut talk, "a", &["1", "2"]);
    talk.session(1).unsubscribes("~>").sees(["1 <- a #1..#2 missed, 2", "1: done"]);
    publish(&mut talk, "a", &["3", "4"]);
    talk.session(1).drains().sees(["1 <- a #3..#3 missed, 1", "1 <- a #4: 4"]);
    talk.session(1).unsubscribes("~*").done();
    talk.session(1).fills_up();
    talk.session(9).publishes("a", "5").sees(["1 <- a #5: 5", "9: published to 1"]);
}

#[test]
fn a_message_does_not_go_before_what_another_interest_of_its_session_has_held() {
    let mut talk = dialogue(100);
    talk.session(1).subscribes_when_slow("a", Latest).done();
    talk.session(1).subscribes_when_slow("~*", Latest).done();
    talk.session(1).fills_up();
    publish(&mut talk, "a", &["1"]);
    talk.session(1).subscribes_when_slow("~*", DropOldest).done();
    publish(&mut talk, "a", &["2"]);
    talk.session(1).subscribes_when_slow("~*", Latest).done();
    publish(&mut talk, "a", &["3", "4"]);
    talk.session(1).drains().sees([
        "1 <- a #1: 1",
        "1 <- a #2: 2",
        "1 <- a #3..#3 missed, 1",
        "1 <- a #4: 4",
    ]);
}

#[test]
fn what_is_said_later_counts_and_dropping_the_newest_holds_nothing() {
    let mut talk = dialogue(100);
    talk.session(1).subscribes_when_slow("a", DropOldest).done();
    talk.session(1).fills_up();
    publish(&mut talk, "a", &["1", "2"]);
    talk.session(1).subscribes_when_slow("a", Latest).done();
    publish(&mut talk, "a", &["3", "4"]);
    talk.session(1).subscribes_when_slow("a", DropOldest).done();
    publish(&mut talk, "a", &["5"]);
    talk.session(1).subscribes_when_slow("a", Latest).done();
    publish(&mut talk, "a", &["6", "7"]);
    assert_eq!(talk.census().held_messages, 5);
    talk.session(1)
        .subscribes_when_slow("a", DropNewest)
        .sees(["1 <- a #1..#7 missed, 7", "1: done"]);
    assert_eq!(talk.census().held_messages, 0);
    talk.session(9).publishes("a", "8").sees(["1 <- a #8: 8", "9: published to 1"]);
}

#[test]
fn only_what_is_still_wanted_is_told_of_what_was_held() {
    let mut talk = dialogue(100);
    talk.session(1).subscribes_when_slow("a, b", DropOldest).done();
    talk.session(1).subscribes("~b").done();
    talk.session(1).fills_up();
    publish(&mut talk, "a", &["1"]);
    publish(&mut talk, "b", &["1", "2"]);
    talk.session(1).unsubscribes("a, b").sees(["1 <- b #1..#2 missed, 2", "1: done"]);
    assert_eq!(talk.census().slow_sessions, 0);
}

#[test]
fn a_group_holds_for_its_member_when_nobody_has_room() {
    let mut talk = dialogue(2);
    talk.session(1).subscribes_when_slow("a@g", DropOldest).done();
    talk.session(2).subscribes_when_slow("a@g", Disconnect).done();
    talk.session(1).fills_up();
    for (text, expected) in [("1", "2 <- a #1: 1 (group g)"), ("2", "2 <- a #2: 2 (group g)")] {
        talk.session(9).publishes("a", text).sees([expected, "9: published to 1"]);
    }
    talk.session(2).fills_up();
    // Rather held for one than lost with the other's connection.
    publish(&mut talk, "a", &["3", "4"]);
    talk.session(2).closes().nothing();
    publish(&mut talk, "a", &["5", "6"]);
    talk.session(1).drains().sees([
        "1 <- a #3..#4 missed, 2",
        "1 <- a #5: 5 (group g)",
        "1 <- a #6: 6 (group g)",
    ]);
}

#[test]
fn a_replay_begins_behind_what_is_held() {
    let mut talk = dialogue(100);
    talk.session(1).keeps("a", 100, 1000, 60_000).done();
    talk.session(1).subscribes_when_slow("a", DropOldest).done();
    talk.session(1).fills_up();
    publish(&mut talk, "a", &["1", "2"]);
    talk.session(1).has_room_again();
    talk.session(1).resumes("a", 1, 5).sees(["1: subscribed at [2]"]);
    talk.session(1).drains().sees(["1 <- a #1 @1: 1", "1 <- a #2 @2: 2"]);
    talk.expires().sees(["1 <- replay 5: a #2 @2: 2", "1 <- replay 5: done at 2"]);
    talk.session(1).fills_up();
    publish(&mut talk, "a", &["3"]);
    assert_eq!(talk.census().held_messages, 1, "a replay says nothing about the slow");
}

#[test]
fn bytes_are_bounded_for_one_and_for_all() {
    let of_one = BrokerLimits::HELD_OVERHEAD_BYTES + 2 + 1;
    let limits = BrokerLimits {
        held_bytes_per_subscription_max: 3 * of_one,
        held_bytes_max: 4 * of_one,
        ..BrokerLimits::default()
    };
    let mut talk = Dialogue::with(limits);
    talk.shows_numbers();
    talk.session(1).subscribes_when_slow("a", DropOldest).done();
    talk.session(2).subscribes_when_slow("b, c", DropOldest).done();
    for number in [1, 2] {
        talk.session(number).fills_up();
    }
    publish(&mut talk, "a", &["1", "2", "3", "4"]);
    publish(&mut talk, "b", &["1", "2"]);
    publish(&mut talk, "c", &["1"]);
    assert_eq!((talk.census().held_messages, talk.census().held_bytes), (4, 4 * of_one));
    talk.session(1).drains().sees([
        "1 <- a #1..#1 missed, 1",
        "1 <- a #2: 2",
        "1 <- a #3: 3",
        "1 <- a #4: 4",
    ]);
    talk.session(2).drains().sees([
        "2 <- b #1..#1 missed, 1",
        "2 <- c #1..#1 missed, 1",
        "2 <- b #2: 2",
    ]);
    talk.session(1).fills_up();
    publish(&mut talk, "a", &["5", &"x".repeat(4 * of_one)]);
    talk.session(1).drains().sees(["1 <- a #5..#6 missed, 2"]);
    talk.session(1).fills_up();
    publish(&mut talk, "a", &["7"]);
    talk.session(1).closes().nothing();
    assert_eq!(talk.census().held_bytes, 0);
}

#[test]
fn what_is_counted_of_many_subscriptions_is_bounded_and_complete() {
    let mut talk = dialogue(0);
    for number in 0..40 {
        talk.session(1).subscribes_when_slow(&format!("c{number}"), DropOldest).done();
    }
    talk.session(1).fills_up();
    for round in 0..3 {
        for number in 0..40 {
            publish(&mut talk, &format!("c{number}"), &[&round.to_string()]);
        }
    }
    talk.session(1).unsubscribes("c0, c39").done();
    let mut told = talk.session(1).drains().texts();
    told.sort_unstable();
    let of = |number: usize| format!("1 <- c{number} #1..#3 missed, 3");
    let mut expected: Vec<_> = (1..40).map(of).collect();
    expected.sort_unstable();
    assert_eq!(told, expected);
    assert_eq!(talk.census().slow_sessions, 0);
}

#[test]
fn nothing_is_left_of_many_subscriptions_that_ended_before_their_session_had_room() {
    let mut talk = dialogue(0);
    let names = || (0..40).map(|number| format!("c{number}"));
    for name in names() {
        talk.session(1).subscribes_when_slow(&name, DropOldest).done();
    }
    talk.session(1).fills_up();
    names().for_each(|name| publish(&mut talk, &name, &["1"]));
    names().for_each(|name| talk.session(1).unsubscribes(&name).done());
    talk.session(1).closes().nothing();
    assert_eq!(talk.census().slow_sessions, 0);
    // Another one with the same place.
    talk.session(1).subscribes_when_slow("a", DropOldest).done();
    talk.session(1).fills_up();
    talk.session(9).publishes("a", "1").sees(["9: published to 1"]);
    talk.session(1).drains().sees(["1 <- a #1..#1 missed, 1"]);
    talk.session(1).closes().nothing();
}
