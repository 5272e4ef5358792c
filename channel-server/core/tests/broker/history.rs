//! What is kept, for how long, and how a subscription begins with it.

use crate::dialogue::{Dialogue, EPOCH};
use workyard_channel_core::BrokerLimits;
use workyard_protocol::channel::Start;

/// Publishes these texts to a channel, and does not look at what comes of it.
pub(crate) fn publish<const N: usize>(talk: &mut Dialogue, channel: &str, texts: [&str; N]) {
    for text in texts {
        let _ = talk.session(9).publishes(channel, text).texts();
    }
}

pub(crate) fn kept(pattern: &str, messages_max: u64) -> Dialogue {
    let mut talk = Dialogue::new();
    talk.shows_numbers();
    talk.session(9).keeps(pattern, messages_max, 1000, 1000).done();
    talk
}

/// Room for the numbers of few channels: those where nobody is are soon forgotten.
pub(crate) fn forgetful() -> Dialogue {
    let limits = BrokerLimits { sequence_bytes_max: 130, ..BrokerLimits::default() };
    let mut talk = Dialogue::with(limits);
    talk.shows_numbers();
    talk
}

#[test]
fn the_last_messages_come_first_and_then_what_is_published() {
    let mut talk = kept("a", 10);
    publish(&mut talk, "a", ["one", "two", "three"]);
    talk.session(1).subscribes_to_last("a", 2, &[5]).sees([
        "1: subscribed at [3]",
        "1 <- replay 5: a #2 @2: two",
        "1 <- replay 5: a #3 @3: three",
        "1 <- replay 5: done at 3",
    ]);
    let live = ["1 <- a #4 @4: four", "9: published to 1"];
    talk.session(9).publishes("a", "four").sees(live);
}

#[test]
fn more_than_there_are_is_all_and_none_is_none() {
    let mut talk = kept("a", 10);
    publish(&mut talk, "a", ["one"]);
    let one = ["1: subscribed at [1]", "1 <- replay 1: a #1 @1: one", "1 <- replay 1: done at 1"];
    talk.session(1).subscribes_to_last("a", u64::MAX, &[1]).sees(one);
    let none = ["2: subscribed at [1]", "2 <- replay 1: done at 1"];
    talk.session(2).subscribes_to_last("a", 0, &[1]).sees(none);
    let empty = ["3: subscribed at [0]", "3 <- replay 1: done at 0"];
    talk.session(3).subscribes_to_last("b", 3, &[1]).sees(empty);
}

#[test]
fn who_resumes_misses_nothing_and_has_nothing_twice() {
    let mut talk = kept(">", 10);
    talk.subscribe_all([1], "a");
    publish(&mut talk, "a", ["one", "two"]);
    talk.session(1).closes().nothing();
    publish(&mut talk, "a", ["three", "four"]);
    talk.session(2).resumes("a", 2, 1).sees([
        "2: subscribed at [4]",
        "2 <- replay 1: a #3 @3: three",
        "2 <- replay 1: a #4 @4: four",
        "2 <- replay 1: done at 4",
    ]);
    talk.session(9).publishes("a", "five").sees(["2 <- a #5 @5: five", "9: published to 1"]);
    talk.session(3).resumes("a", 5, 1).sees(["3: subscribed at [5]", "3 <- replay 1: done at 5"]);
}

#[test]
fn what_is_not_kept_any_more_is_told_exactly() {
    let mut talk = kept("a", 2);
    publish(&mut talk, "a", ["1", "2", "3", "4", "5"]);
    talk.session(1).resumes("a", 1, 8).sees([
        "1: subscribed at [5]",
        "1 <- replay 8: a #2..#3 gone, 2",
        "1 <- replay 8: a #4 @4: 4",
        "1 <- replay 8: a #5 @5: 5",
        "1 <- replay 8: done at 5",
    ]);
}

#[test]
fn without_history_who_resumes_learns_exactly_how_many_are_gone() {
    let mut talk = Dialogue::new();
    talk.shows_numbers();
    talk.subscribe_all([1], "a");
    publish(&mut talk, "a", ["1", "2"]);
    talk.session(1).closes().nothing();
    publish(&mut talk, "a", ["3", "4", "5"]);
    talk.session(2).resumes("a", 2, 1).sees([
        "2: subscribed at [5]",
        "2 <- replay 1: a #3..#5 gone, 3",
        "2 <- replay 1: done at 5",
    ]);
}

#[test]
fn another_epoch_is_never_taken_for_this_one() {
    let mut talk = kept(">", 10);
    publish(&mut talk, "a", ["one", "two"]);
    let other = |replay| [Start::Resume { replay, epoch: EPOCH - 1, mark: 1 }];
    talk.session(1).subscribes_from("a", other(3)).sees([
        "1: subscribed at [2]",
        "1 <- replay 3: a #0..#0 gone, 0",
        "1 <- replay 3: a #1 @1: one",
        "1 <- replay 3: a #2 @2: two",
        "1 <- replay 3: done at 2",
    ]);
    talk.session(1).subscribes_from("~*", other(4)).sees([
        "1: subscribed at [2]",
        "1 <- replay 4: something #0..#0 gone, 0",
        "1 <- replay 4: a #1 @1: one",
        "1 <- replay 4: a #2 @2: two",
        "1 <- replay 4: done at 2",
    ]);
    talk.session(1).subscribes_from("never", other(5)).sees([
        "1: subscribed at [0]",
        "1 <- replay 5: never #0..#0 gone, 0",
        "1 <- replay 5: done at 0",
    ]);
}

#[test]
fn a_channel_that_was_forgotten_meanwhile_is_told_to_be_unknown() {
    let mut talk = forgetful();
    talk.subscribe_all([1], "~*");
    publish(&mut talk, "a", ["1", "2", "3"]);
    publish(&mut talk, "b", ["1"]);
    publish(&mut talk, "c", ["1"]);
    // Forgotten, and then begun anew.
    let gone =
        ["2: subscribed at [4]", "2 <- replay 1: a #0..#0 gone, 0", "2 <- replay 1: done at 4"];
    talk.session(2).resumes("a", 2, 1).sees(gone);
    publish(&mut talk, "a", ["4"]);
    let gone = [
        "3: subscribed at [5]",
        "3 <- replay 1: a #0..#0 gone, 0",
        "3 <- replay 1: a #5..#5 gone, 1",
        "3 <- replay 1: done at 5",
    ];
    talk.session(3).resumes("a", 2, 1).sees(gone);
}

#[test]
fn patterns_resume_by_position_in_the_order_of_publishing() {
    let mut talk = kept("a.*", 2);
    talk.session(1)
        .subscribes_to_last("~a.*", 0, &[1])
        .sees(["1: subscribed at [0]", "1 <- replay 1: done at 0"]);
    publish(&mut talk, "a.1", ["one"]);
    publish(&mut talk, "b", ["not kept"]);
    publish(&mut talk, "a.2", ["two"]);
    publish(&mut talk, "a.1", ["three"]);
    talk.session(1).closes().nothing();
    talk.session(1).resumes("~*.*", 1, 1).sees([
        "1: subscribed at [3]",
        "1 <- replay 1: a.2 #1 @2: two",
        "1 <- replay 1: a.1 #2 @3: three",
        "1 <- replay 1: done at 3",
    ]);
    publish(&mut talk, "a.1", ["four"]);
    // One is gone, and which of them the session had is not known here.
    talk.session(2).resumes("~a.>", 0, 1).sees([
        "2: subscribed at [4]",
        "2 <- replay 1: a.1 #0..#1 gone, 0",
        "2 <- replay 1: a.2 #1 @2: two",
        "2 <- replay 1: a.1 #2 @3: three",
        "2 <- replay 1: a.1 #3 @4: four",
        "2 <- replay 1: done at 4",
    ]);
}

#[test]
fn the_last_of_a_pattern_are_those_of_each_channel() {
    let mut talk = kept(">", 10);
    publish(&mut talk, "a.1", ["1", "2", "3"]);
    publish(&mut talk, "a.2", ["4"]);
    publish(&mut talk, "b", ["5"]);
    talk.session(1).subscribes_to_last("~a.*", 2, &[1]).sees([
        "1: subscribed at [5]",
        "1 <- replay 1: a.1 #2 @2: 2",
        "1 <- replay 1: a.1 #3 @3: 3",
        "1 <- replay 1: a.2 #1 @4: 4",
        "1 <- replay 1: done at 5",
    ]);
}

#[test]
fn a_replay_waits_for_room_and_what_is_published_meanwhile_is_part_of_it() {
    let mut talk = kept("a", 10);
    publish(&mut talk, "a", ["1"]);
    talk.session(1).fills_up();
    talk.session(1).resumes("a", 0, 1).sees(["1: subscribed at [1]"]);
    talk.session(9).publishes("a", "2").sees(["9: published to 0"]);
    talk.expires().nothing();
    talk.session(1).drains().nothing();
    talk.expires().sees([
        "1 <- replay 1: a #1 @1: 1",
        "1 <- replay 1: a #2 @2: 2",
        "1 <- replay 1: done at 2",
    ]);
    talk.session(9).publishes("a", "3").sees(["1 <- a #3 @3: 3", "9: published to 1"]);
    assert_eq!(talk.census().replays, 0);
}

#[test]
fn what_is_not_kept_reaches_who_waits_for_the_end_of_a_patterns_replay() {
    let mut talk = kept("a.*", 10);
    publish(&mut talk, "a.1", ["1"]);
    talk.session(1).fills_up();
    talk.session(1).resumes("~>", 0, 1).sees(["1: subscribed at [1]"]);
    talk.session(9).publishes("b", "x").sees(["1 <- b #1: x", "9: published to 1"]);
    talk.session(9).publishes("a.1", "2").sees(["9: published to 0"]);
    talk.subscribe_all([1, 2], "b");
    talk.session(9).publishes("b", "y").sees(["1 2 <- b #2: y", "9: published to 2"]);
    talk.session(1).drains().nothing();
    talk.expires().sees([
        "1 <- replay 1: a.1 #1 @1: 1",
        "1 <- replay 1: a.1 #2 @2: 2",
        "1 <- replay 1: done at 2",
    ]);
    talk.session(9).publishes("b", "z").sees(["1 2 <- b #3: z", "9: published to 2"]);
}

#[test]
fn a_long_replay_lets_others_have_their_turn() {
    let mut talk = kept("a", 10_000);
    for _ in 0..1200 {
        let _ = talk.session(9).publishes("a", "").texts();
    }
    let mut portions = vec![talk.session(1).resumes("a", 0, 1).texts().len()];
    while talk.census().replays > 0 {
        let portion = talk.expires().texts();
        assert!(!portion.is_empty(), "it is due until it is done");
        portions.push(portion.len());
    }
    assert_eq!(portions, [1 + 512, 512, 1200 - 1024 + 1]);
}

#[test]
fn a_session_may_have_a_replay_of_what_it_is_subscribed_to() {
    let mut talk = kept("a", 10);
    publish(&mut talk, "a", ["1"]);
    talk.subscribe_all([1], "a");
    talk.session(1).fills_up();
    talk.session(1).subscribes_to_last("a", 5, &[1]).sees(["1: subscribed at [1]"]);
    talk.session(9).publishes("a", "2").sees(["1 <- a #2 @2: 2", "9: published to 1"]);
    talk.session(1).drains().nothing();
    talk.expires().sees([
        "1 <- replay 1: a #1 @1: 1",
        "1 <- replay 1: a #2 @2: 2",
        "1 <- replay 1: done at 2",
    ]);
    talk.session(9).publishes("a", "3").sees(["1 <- a #3 @3: 3", "9: published to 1"]);
}

#[test]
fn who_leaves_takes_its_replays_along() {
    let mut talk = kept("a", 10);
    publish(&mut talk, "a", ["1"]);
    for number in [1, 2] {
        talk.session(number).fills_up();
        let _ = talk.session(number).subscribes_to_last("a, ~*", 5, &[1, 2]).texts();
    }
    assert_eq!(talk.census().replays, 4);
    talk.session(1).unsubscribes("a").done();
    assert_eq!(talk.census().replays, 3);
    talk.session(1).closes().nothing();
    talk.session(2).closes().nothing();
    let census = talk.census();
    assert_eq!((census.replays, census.subscriptions, census.channels), (0, 0, 0));
    assert_eq!(census.history_messages, 1);
}

#[test]
fn replays_of_one_number_and_too_many_are_refused_and_nothing_is_added() {
    let limits =
        BrokerLimits { replays_per_session_max: 2, replays_max: 3, ..BrokerLimits::default() };
    let mut talk = Dialogue::with(limits);
    talk.session(1).fills_up();
    talk.session(2).fills_up();
    let twice = "1: InvalidArgument: two replays of one number: expected a number for each";
    talk.session(1).subscribes_to_last("a, b", 1, &[4, 4]).sees([twice]);
    let many = "1: LimitReached: replays_per_session_max of 2 is reached";
    talk.session(1).subscribes_to_last("a, b, c", 1, &[1, 2, 3]).sees([many]);
    assert_eq!(talk.census().subscriptions, 0);
    let marks = "1: subscribed at [0, 0]";
    talk.session(1).subscribes_to_last("a, b", 1, &[1, 2]).sees([marks]);
    let known = "1: InvalidArgument: replay 2 is under way: expected another number";
    talk.session(1).subscribes_to_last("c", 1, &[2]).sees([known]);
    let all = "2: LimitReached: replays_max of 3 is reached";
    talk.session(2).subscribes_to_last("a, b", 1, &[1, 2]).sees([all]);
    assert_eq!(talk.census().subscriptions, 2);
}

#[test]
fn a_message_is_forgotten_when_it_is_too_old() {
    let mut talk = kept("a", 10);
    publish(&mut talk, "a", ["1"]);
    talk.wait(400);
    publish(&mut talk, "a", ["2"]);
    talk.wait(599);
    talk.expires().nothing();
    assert_eq!(talk.census().history_messages, 2);
    talk.wait(1);
    talk.expires().nothing();
    assert_eq!(talk.census().history_messages, 1);
    talk.session(1).resumes("a", 0, 1).sees([
        "1: subscribed at [2]",
        "1 <- replay 1: a #1..#1 gone, 1",
        "1 <- replay 1: a #2 @2: 2",
        "1 <- replay 1: done at 2",
    ]);
    talk.wait(400);
    talk.expires().nothing();
    assert_eq!(talk.census().history_messages, 0);
    let gone =
        ["2: subscribed at [2]", "2 <- replay 1: a #2..#2 gone, 1", "2 <- replay 1: done at 2"];
    talk.session(2).resumes("a", 1, 1).sees(gone);
}

#[test]
fn bytes_are_bounded_by_channel_and_for_all_together() {
    let limits = BrokerLimits { history_bytes_max: 1100, ..BrokerLimits::default() };
    let mut talk = Dialogue::with(limits);
    talk.shows_numbers();
    talk.session(9).keeps(">", 100, 10, 1000).done();
    publish(&mut talk, "a", ["12345", "12345", "1"]);
    assert_eq!(talk.census().history_messages, 2, "ten bytes are the most of a channel");
    publish(&mut talk, "a", ["12345678901"]);
    assert_eq!(talk.census().history_messages, 0, "what is too large replaces all and is not kept");
    let gone =
        ["1: subscribed at [4]", "1 <- replay 1: a #3..#4 gone, 2", "1 <- replay 1: done at 4"];
    talk.session(1).resumes("a", 2, 1).sees(gone);
    talk.session(1).closes().nothing();
    // A channel takes 257 bytes, a message 97: the fourth channel is one too many.
    for channel in ["a", "b", "c"] {
        publish(&mut talk, channel, ["x"]);
    }
    assert_eq!(talk.census().history_messages, 3);
    publish(&mut talk, "d", ["x"]);
    assert_eq!(talk.census().history_messages, 3);
    let oldest =
        ["1: subscribed at [5]", "1 <- replay 1: a #5..#5 gone, 1", "1 <- replay 1: done at 5"];
    talk.session(1).resumes("a", 4, 1).sees(oldest);
}

#[test]
fn a_rule_that_ends_takes_along_what_it_alone_has_kept() {
    let mut talk = kept("a.*", 10);
    talk.session(9).keeps("*.1", 1, 1000, 1000).done();
    for channel in ["a.1", "a.2", "b.1"] {
        publish(&mut talk, channel, ["x", "y"]);
    }
    assert_eq!(talk.census().history_messages, 5);
    talk.session(9).drops_history("a.*").done();
    talk.expires().nothing();
    assert_eq!(talk.census().history_messages, 2);
    let unknown = "9: UnknownRule: no history is kept under the pattern a.*";
    talk.session(9).drops_history("a.*").sees([unknown]);
    talk.session(9).drops_history("*.1").done();
    talk.expires().nothing();
    assert_eq!(talk.census().history_messages, 0);
    publish(&mut talk, "a.1", ["z"]);
    assert_eq!(talk.census().history_messages, 0);
}

#[test]
fn a_rule_that_has_just_ended_leaves_no_row_with_a_hole() {
    let mut talk = kept("a", 10);
    publish(&mut talk, "a", ["1", "2", "3"]);
    talk.session(9).drops_history("a").done();
    publish(&mut talk, "a", ["4"]);
    talk.session(9).keeps("a", 10, 1000, 1000).done();
    publish(&mut talk, "a", ["5"]);
    talk.session(1).resumes("a", 3, 1).sees([
        "1: subscribed at [5]",
        "1 <- replay 1: a #4..#4 gone, 1",
        "1 <- replay 1: a #5 @4: 5",
        "1 <- replay 1: done at 5",
    ]);
}

/// Keeps this many messages of "a".
fn keep_many(talk: &mut Dialogue, count: usize) {
    talk.session(9).keeps(">", 1_000_000, 1_000_000, 1_000_000).done();
    for _ in 0..count {
        let _ = talk.session(9).publishes("a", "x").texts();
    }
}

/// Has everything done that is due, and looks that no step forgets very many.
fn forgets_in_portions(talk: &mut Dialogue, until: usize) {
    while talk.census().history_messages > until {
        let before = talk.census().history_messages;
        talk.expires().nothing();
        let forgotten = before - talk.census().history_messages;
        assert!((1..=1000).contains(&forgotten), "{forgotten} at once");
    }
}

#[test]
fn a_rule_that_ends_takes_along_a_portion_at_a_time() {
    let mut talk = kept(">", 1);
    keep_many(&mut talk, 5000);
    talk.session(9).drops_history(">").done();
    assert_eq!(talk.census().history_messages, 5000);
    forgets_in_portions(&mut talk, 0);
    assert_eq!(talk.deadline(), None);
}

#[test]
fn what_is_published_to_a_long_row_without_a_rule_stands_behind_it_while_it_goes() {
    let mut talk = kept(">", 1);
    keep_many(&mut talk, 2500);
    talk.session(1).subscribes("a").done();
    talk.session(9).drops_history(">").done();
    talk.session(9).publishes("a", "y").sees(["1 <- a #2501 @2501: y", "9: published to 1"]);
    assert_eq!(talk.census().history_messages, 1501);
    talk.session(2).fills_up();
    talk.session(2).resumes("a", 999, 1).sees(["2: subscribed at [2501]"]);
    talk.session(9).publishes("a", "z").sees(["1 <- a #2502 @2502: z", "9: published to 1"]);
    talk.session(9).publishes("a", "!").sees(["1 <- a #2503: !", "9: published to 1"]);
    assert_eq!(talk.census().history_messages, 0);
    talk.session(2).drains().nothing();
    talk.later(0).sees(["2 <- replay 1: a #1000..#2503 gone, 1504", "2 <- replay 1: done at 2503"]);
}

#[test]
fn bounds_that_are_made_much_narrower_apply_a_portion_at_a_time() {
    let mut talk = kept(">", 1);
    keep_many(&mut talk, 5000);
    talk.session(9).keeps(">", 10, 1_000_000, 1_000_000).done();
    let _ = talk.session(9).publishes("a", "y").texts();
    assert_eq!(talk.census().history_messages, 4001);
    forgets_in_portions(&mut talk, 10);
    assert_eq!(talk.deadline(), Some(1_000_000));
    keep_many(&mut talk, 4990);
    talk.session(9).publishes("a", &"y".repeat(999_900)).texts().clear();
    assert_eq!(talk.census().history_messages, 4001);
    forgets_in_portions(&mut talk, 101);
}

#[test]
fn a_rule_that_is_made_narrower_applies_to_what_is_there() {
    let mut talk = kept(">", 10);
    publish(&mut talk, "a", ["1", "2", "3"]);
    talk.session(9).keeps(">", 2, 1000, 500).done();
    talk.expires().nothing();
    assert_eq!(talk.census().history_messages, 2);
    talk.wait(500);
    talk.expires().nothing();
    assert_eq!(talk.census().history_messages, 0);
}

#[test]
fn rules_are_listed_and_their_number_is_bounded() {
    let limits = BrokerLimits { history_rules_max: 2, ..BrokerLimits::default() };
    let mut talk = Dialogue::with(limits);
    talk.session(1).keeps("a", 1, 2, 3).done();
    talk.session(1).keeps("b.>", 4, 5, 6).done();
    let refused = "1: LimitReached: history_rules_max of 2 is reached";
    talk.session(1).keeps("c", 1, 1, 1).sees([refused]);
    talk.session(1).keeps("a", 7, 8, 9).done();
    talk.session(1).lists_histories("", 0, 1).sees(["1: a: 7, 8 B, 9 ms; next 1"]);
    talk.session(1).lists_histories("", 1, 1).sees(["1: b.>: 4, 5 B, 6 ms; next 0"]);
    talk.session(1).lists_histories("b", 0, 10).sees(["1: b.>: 4, 5 B, 6 ms; next 0"]);
}

#[test]
fn what_is_for_one_subscriber_is_not_kept() {
    let mut talk = kept("a", 10);
    talk.subscribe_all([1], "a");
    let one = ["1 <- a #0: x (one)", "9: published to 1"];
    talk.session(9).publishes_one("a", "x").sees(one);
    assert_eq!(talk.census().history_messages, 0);
}

#[test]
fn a_busy_channel_with_few_messages_leaves_no_trace_of_those_that_are_gone() {
    let mut talk = kept(">", 1);
    publish(&mut talk, "old", ["first"]);
    for _ in 0..1000 {
        let _ = talk.session(9).publishes("busy", "x").texts();
    }
    assert_eq!(talk.census().history_messages, 2);
    talk.session(1).subscribes_to_last("~*", 1, &[1]).sees([
        "1: subscribed at [1001]",
        "1 <- replay 1: old #1 @1: first",
        "1 <- replay 1: busy #1000 @1001: x",
        "1 <- replay 1: done at 1001",
    ]);
}
