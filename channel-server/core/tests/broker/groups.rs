//! Queue groups: one session of each receives.

use crate::dialogue::Dialogue;

#[test]
fn one_session_of_each_group_receives_each_in_turn() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1, 2, 3], "a@g");
    for (text, receiver) in [("i", 1), ("j", 2), ("k", 3), ("l", 1)] {
        let push = format!("{receiver} <- a: {text} (group g)");
        talk.session(9).publishes("a", text).sees([&push, "9: published to 1"]);
    }
}

#[test]
fn groups_and_everybody_receive_side_by_side() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1, 2], "a@g");
    talk.subscribe_all([2, 3], "a@h");
    talk.subscribe_all([2], "a");
    talk.session(9).publishes("a", "hi").sees([
        "2 <- a: hi",
        "1 <- a: hi (group g)",
        "2 <- a: hi (group h)",
        "9: published to 3",
    ]);
    talk.session(9).publishes("a", "hi").sees([
        "2 <- a: hi",
        "2 <- a: hi (group g)",
        "3 <- a: hi (group h)",
        "9: published to 3",
    ]);
}

#[test]
fn a_group_over_overlapping_topics_is_one_group() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1], "~a.*@g");
    talk.subscribe_all([2], "a.b@g");
    talk.subscribe_all([3, 1], "~a.>@g");
    for receiver in [1, 2, 3, 1, 2] {
        let push = format!("{receiver} <- a.b: hi (group g)");
        talk.session(9).publishes("a.b", "hi").sees([&push, "9: published to 1"]);
    }
}

#[test]
fn the_turn_outlives_a_message_on_another_channel_and_new_subscriptions() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1, 2], "~a.*@g");
    talk.subscribe_all([3], "a.b@g");
    for (round, receiver) in (10..).zip([1, 2, 3, 1]) {
        let push = format!("{receiver} <- a.b: hi (group g)");
        talk.session(9).publishes("a.b", "hi").sees([&push, "9: published to 1"]);
        talk.session(9).publishes("b", "hi").sees(["9: published to 0"]);
        talk.subscribe_all([round], "a.b, ~a.>, x");
        talk.session(round).unsubscribes("a.b, ~a.>").done();
    }
}

#[test]
fn a_channel_of_its_own_takes_turns_by_itself() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1, 2], "a@g, b@g");
    for receiver in [1, 2, 1] {
        for channel in ["a", "b"] {
            let push = format!("{receiver} <- {channel}: hi (group g)");
            talk.session(9).publishes(channel, "hi").sees([&push, "9: published to 1"]);
        }
    }
}

#[test]
fn a_member_without_room_is_passed_over_while_another_has_room() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1, 2, 3], "a@g");
    talk.session(1).fills_up();
    let next = |talk: &mut Dialogue, receiver: u32| {
        let push = format!("{receiver} <- a: hi (group g)");
        talk.session(9).publishes("a", "hi").sees([&push, "9: published to 1"]);
    };
    next(&mut talk, 2);
    next(&mut talk, 3);
    next(&mut talk, 2);
    talk.session(2).fills_up();
    talk.session(3).fills_up();
    next(&mut talk, 3);
    next(&mut talk, 1);
    talk.session(2).drains().nothing();
    next(&mut talk, 2);
    next(&mut talk, 2);
}

#[test]
fn a_member_that_leaves_does_not_cost_another_its_turn() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1, 2, 3], "a@g");
    talk.session(9).publishes("a", "hi").sees(["1 <- a: hi (group g)", "9: published to 1"]);
    talk.session(1).closes().nothing();
    talk.session(9).publishes("a", "hi").sees(["2 <- a: hi (group g)", "9: published to 1"]);
    talk.session(3).unsubscribes("a@g").done();
    talk.session(9).publishes("a", "hi").sees(["2 <- a: hi (group g)", "9: published to 1"]);
    talk.session(2).unsubscribes("a@g").done();
    talk.session(9).publishes("a", "hi").sees(["9: published to 0"]);
    assert_eq!(talk.census(), Default::default());
}
