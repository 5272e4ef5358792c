//! What goes while replays wait or nobody is there: who is told of it, and how exactly.

use crate::dialogue::Dialogue;
use crate::history::{forgetful, kept, publish};

#[test]
fn what_goes_while_a_replay_waits_is_told_exactly_by_pattern_too() {
    let mut talk = kept(">", 2);
    publish(&mut talk, "a", ["1"]);
    talk.session(1).fills_up();
    talk.session(2).fills_up();
    talk.session(1).resumes("a", 0, 1).sees(["1: subscribed at [1]"]);
    let last = ["2: subscribed at [1]"];
    talk.session(2).subscribes_to_last("~*", 9, &[1]).sees(last);
    publish(&mut talk, "a", ["2", "3", "4"]);
    talk.session(1).drains().nothing();
    talk.session(2).drains().nothing();
    talk.expires().sees([
        "1 <- replay 1: a #1..#2 gone, 2",
        "1 <- replay 1: a #3 @3: 3",
        "1 <- replay 1: a #4 @4: 4",
        "1 <- replay 1: done at 4",
        "2 <- replay 1: a #1..#2 gone, 2",
        "2 <- replay 1: a #3 @3: 3",
        "2 <- replay 1: a #4 @4: 4",
        "2 <- replay 1: done at 4",
    ]);
}

#[test]
fn what_was_not_kept_is_not_among_what_goes_while_a_replay_waits() {
    let mut talk = kept(">", 2);
    publish(&mut talk, "a", ["1", "2"]);
    talk.session(1).fills_up();
    talk.session(1).subscribes_to_last("~*", 9, &[1]).sees(["1: subscribed at [2]"]);
    talk.session(9).drops_history(">").done();
    talk.session(9).publishes("a", "3").sees(["1 <- a #3: 3", "9: published to 1"]);
    talk.session(9).keeps(">", 1, 1000, 1000).done();
    publish(&mut talk, "a", ["4", "5", "6"]);
    talk.session(1).drains().nothing();
    talk.expires().sees([
        "1 <- replay 1: a #1..#2 gone, 2",
        "1 <- replay 1: a #4..#5 gone, 2",
        "1 <- replay 1: a #6 @5: 6",
        "1 <- replay 1: done at 5",
    ]);
}

#[test]
fn what_went_by_the_thousands_while_a_replay_waited_is_told_to_be_unknown() {
    let mut talk = kept(">", 2);
    publish(&mut talk, "old", ["1", "2"]);
    publish(&mut talk, "a", ["1"]);
    for number in [1, 2] {
        talk.session(number).fills_up();
    }
    talk.session(1).resumes("~*", 2, 1).sees(["1: subscribed at [3]"]);
    talk.session(2).subscribes_to_last("~*", 1, &[1]).sees(["2: subscribed at [3]"]);
    for _ in 0..70_000 {
        let _ = talk.session(9).publishes("a", "x").texts();
    }
    for number in [1, 2] {
        talk.session(number).drains().nothing();
    }
    let seen = talk.later(0);
    seen.sees([
        "1 <- replay 1: a #0..#69999 gone, 0",
        "1 <- replay 1: a #70000 @70002: x",
        "1 <- replay 1: a #70001 @70003: x",
        "1 <- replay 1: done at 70003",
        "2 <- replay 1: a #0..#69999 gone, 0",
        "2 <- replay 1: old #2 @2: 2",
        "2 <- replay 1: a #70000 @70002: x",
        "2 <- replay 1: a #70001 @70003: x",
        "2 <- replay 1: done at 70003",
    ]);
}

#[test]
fn of_the_last_messages_only_those_that_were_wanted_can_be_lost() {
    let mut talk = kept(">", 5);
    publish(&mut talk, "a", ["1", "2", "3", "4", "5"]);
    publish(&mut talk, "b", ["1", "2", "3"]);
    talk.session(1).fills_up();
    talk.session(1).subscribes_to_last("~*", 2, &[1]).sees(["1: subscribed at [8]"]);
    // Of "a" all go and a later one too, of "b" only one that is not among the last.
    publish(&mut talk, "a", ["6", "7", "8", "9", "10", "11"]);
    publish(&mut talk, "b", ["4", "5", "6"]);
    talk.session(1).drains().nothing();
    let seen = talk.later(0).texts();
    assert_eq!(seen[0], "1 <- replay 1: a #4..#6 gone, 3");
    assert_eq!(seen[1], "1 <- replay 1: b #2 @7: 2");
    assert_eq!(seen.len(), 1 + 2 + 5 + 3 + 1);
}

#[test]
fn a_channel_that_is_forgotten_before_a_replay_gets_to_it_is_told_to_be_unknown() {
    let mut talk = forgetful();
    talk.session(9).keeps("a", 10, 1000, 100).done();
    publish(&mut talk, "a", ["1", "2"]);
    talk.later(100).nothing();
    talk.session(1).fills_up();
    talk.session(1).resumes("~*", 1, 1).sees(["1: subscribed at [2]"]);
    talk.session(2).subscribes("~*").done();
    for channel in ["b", "c", "d", "e"] {
        publish(&mut talk, channel, ["x"]);
    }
    talk.session(1).drains().nothing();
    talk.later(0).sees(["1 <- replay 1: something #0..#0 gone, 0", "1 <- replay 1: done at 2"]);
}

#[test]
fn a_session_with_many_replays_is_told_once_what_is_not_kept() {
    let mut talk = kept("a", 10);
    talk.session(1).fills_up();
    let _ = talk.session(1).subscribes_to_last("~*, ~>, ~*", 5, &[7, 8, 9]).texts();
    talk.session(9).publishes("b", "x").sees(["1 <- b #1: x", "9: published to 1"]);
    talk.session(1).unsubscribes("~*").done();
    assert_eq!(talk.census().replays, 1);
    talk.session(9).publishes("b", "y").sees(["1 <- b #2: y", "9: published to 1"]);
    talk.session(1).drains().nothing();
    talk.expires().sees(["1 <- replay 8: done at 0"]);
    assert_eq!(talk.census().replays, 0);
}

#[test]
fn what_went_after_a_waiting_pattern_had_left_is_nobodys_loss() {
    let mut talk = kept(">", 2);
    publish(&mut talk, "a", ["1"]);
    talk.session(1).fills_up();
    talk.session(1).subscribes_to_last("~*", 9, &[1]).sees(["1: subscribed at [1]"]);
    talk.session(1).closes().nothing();
    publish(&mut talk, "a", ["2", "3", "4"]);
    talk.session(2).fills_up();
    talk.session(2).subscribes_to_last("~*", 9, &[1]).sees(["2: subscribed at [4]"]);
    talk.session(2).drains().nothing();
    talk.expires().sees([
        "2 <- replay 1: a #3 @3: 3",
        "2 <- replay 1: a #4 @4: 4",
        "2 <- replay 1: done at 4",
    ]);
}

#[test]
fn who_waits_for_room_on_a_channel_without_others_misses_nothing_untold() {
    let mut talk = Dialogue::new();
    talk.shows_numbers();
    publish(&mut talk, "a", ["for nobody"]);
    talk.session(1).fills_up();
    talk.session(1).subscribes_to_last("a", 0, &[1]).sees(["1: subscribed at [0]"]);
    publish(&mut talk, "a", ["lost"]);
    talk.session(1).drains().nothing();
    talk.expires().sees(["1 <- replay 1: a #1..#1 gone, 1", "1 <- replay 1: done at 1"]);
}

#[test]
fn who_stood_at_the_last_number_before_it_was_forgotten_cannot_know_either() {
    let mut talk = forgetful();
    talk.subscribe_all([1], "~*");
    publish(&mut talk, "a", ["1", "2", "3"]);
    publish(&mut talk, "b", ["1"]);
    publish(&mut talk, "c", ["1"]);
    talk.session(1).closes().nothing();
    // Nobody is there, and nobody counts.
    publish(&mut talk, "a", ["4"]);
    let gone =
        ["2: subscribed at [4]", "2 <- replay 1: a #0..#0 gone, 0", "2 <- replay 1: done at 4"];
    talk.session(2).resumes("a", 3, 1).sees(gone);
}

#[test]
fn who_was_there_before_the_first_message_learns_how_many_it_has_missed() {
    let mut talk = Dialogue::new();
    talk.shows_numbers();
    talk.session(1)
        .subscribes_to_last("a", 0, &[1])
        .sees(["1: subscribed at [0]", "1 <- replay 1: done at 0"]);
    talk.session(1).closes().nothing();
    publish(&mut talk, "a", ["1", "2", "3"]);
    talk.session(2).resumes("a", 0, 1).sees([
        "2: subscribed at [3]",
        "2 <- replay 1: a #1..#3 gone, 3",
        "2 <- replay 1: done at 3",
    ]);
}

#[test]
fn a_message_that_is_above_all_bounds_leaves_nothing_to_look_at() {
    let mut talk = Dialogue::new();
    talk.session(9).keeps("a", 999, 100_000, 1000).done();
    talk.expires().nothing();
    for number in 0..999 {
        talk.session(9).publishes("a", &number.to_string()).sees(["9: published to 0"]);
    }
    assert_eq!(talk.census().history_messages, 999);
    let large = "x".repeat(200_000);
    talk.session(9).publishes("a", &large).sees(["9: published to 0"]);
    assert_eq!((talk.census().history_messages, talk.deadline()), (0, None));
}
