//! `publish_one`: one subscriber receives, each in turn.

use crate::dialogue::Dialogue;

#[track_caller]
fn next(talk: &mut Dialogue, channel: &str, receiver: u32) {
    let push = format!("{receiver} <- {channel}: hi (one)");
    talk.session(9).publishes_one(channel, "hi").sees([&push, "9: published to 1"]);
}

#[test]
fn each_subscriber_is_reached_in_turn_from_the_second_on() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1, 2, 3], "a");
    for receiver in [2, 3, 1, 2] {
        next(&mut talk, "a", receiver);
    }
}

#[test]
fn a_single_subscriber_has_every_turn() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1], "a");
    next(&mut talk, "a", 1);
    next(&mut talk, "a", 1);
}

#[test]
fn publish_does_not_move_the_turn() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1, 2], "a");
    next(&mut talk, "a", 2);
    talk.session(9).publishes("a", "hi").sees(["1 2 <- a: hi", "9: published to 2"]);
    next(&mut talk, "a", 1);
}

#[test]
fn a_new_subscriber_is_reached_in_its_turn() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1, 2], "a");
    next(&mut talk, "a", 2);
    talk.subscribe_all([3], "a");
    for receiver in [3, 1, 2] {
        next(&mut talk, "a", receiver);
    }
}

#[test]
fn when_the_last_in_turn_leaves_the_one_after_it_is_skipped() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1, 2, 3, 4], "a");
    next(&mut talk, "a", 2);
    talk.session(2).closes().nothing();
    for receiver in [4, 1, 3] {
        next(&mut talk, "a", receiver);
    }
    talk.session(4).closes().nothing();
    next(&mut talk, "a", 1);
}

#[test]
fn when_the_last_in_turn_was_the_last_of_all_the_first_is_next() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1, 2, 3], "a");
    next(&mut talk, "a", 2);
    next(&mut talk, "a", 3);
    talk.session(3).unsubscribes("a").done();
    next(&mut talk, "a", 1);
    next(&mut talk, "a", 2);
}

#[test]
fn those_without_room_are_passed_over_while_another_has_room() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1, 2], "a");
    talk.session(1).fills_up();
    next(&mut talk, "a", 2);
    next(&mut talk, "a", 2);
    talk.session(2).fills_up();
    next(&mut talk, "a", 1);
    next(&mut talk, "a", 2);
}

#[test]
fn groups_take_no_part() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1], "a@g");
    talk.session(9).publishes_one("a", "hi").sees(["9: published to 0"]);
    talk.subscribe_all([2], "a");
    next(&mut talk, "a", 2);
    next(&mut talk, "a", 2);
}

#[test]
fn patterns_take_part_and_nobody_has_two_turns() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1], "~a.*");
    talk.subscribe_all([2], "a.b");
    talk.subscribe_all([1, 3], "~a.>");
    for receiver in [2, 3, 1, 2, 3] {
        next(&mut talk, "a.b", receiver);
        talk.session(9).publishes("other", "hi").sees(["9: published to 0"]);
    }
    for receiver in [3, 1, 3] {
        next(&mut talk, "a.c", receiver);
    }
    next(&mut talk, "a.b", 1);
}
