//! `watch`: who is told of what, when, and that it cannot be told.

use crate::ask::*;
use crate::listeners::*;
use workyard_engine::Engine;
use workyard_globaldata_core::StoreLimits;
use workyard_protocol::ValueRef;
use workyard_protocol::globaldata::{Expiry, Request, Step, Unwatch, Watch};

fn stage() -> Stage {
    Stage::new(StoreLimits::default())
}

fn int(value: i64) -> ValueRef<'static> {
    ValueRef::Int(value)
}

fn step_set(name: &str, value: i64) -> Step<'_> {
    Step::Set { key: key(name), expiry: Expiry::Never, value: int(value) }
}

#[test]
fn whoever_watches_a_key_is_told_of_its_changes_before_the_writer_is_answered() {
    let mut stage = stage();
    stage.say(1, set("a", int(1)));
    assert_eq!(stage.say(1, watch(&[on_key("a")])), ["1: watching from 1"]);
    assert_eq!(stage.say(2, set("a", int(2))), ["1: a = 2 @2", "2: done"]);
    assert_eq!(stage.say(1, increment("a", 5)), ["1: a = 7 @3", "1: done"]);
    assert_eq!(stage.say(2, delete("a")), ["1: a deleted @4", "2: done"]);
    assert_eq!(stage.say(2, set("ab", int(1))), ["2: done"]);
}

#[test]
fn what_changes_nothing_is_not_told() {
    let mut stage = stage();
    stage.say(1, watch(&[on_prefix("")]));
    for request in
        [delete("a"), cas("a", 5, int(1)), increment("a", 1), touch("a", 5), get("a"), persist("a")]
    {
        assert_eq!(stage.ask(2, request.clone()).len(), 1, "{request:?}");
    }
    stage.say(2, set("a", int(1)));
    assert_eq!(stage.say(2, touch("a", 50)), ["2: done"], "a lifetime is no change");
}

#[test]
fn a_prefix_covers_all_keys_that_begin_so_and_a_change_is_told_once() {
    let mut stage = stage();
    stage.say(
        1,
        watch(&[on_prefix("user:"), on_prefix("user:1"), on_key("user:12"), on_prefix("")]),
    );
    assert_eq!(stage.say(2, set("user:12", int(1))), ["1: user:12 = 1 @1", "2: done"]);
    assert_eq!(stage.say(2, set("x", int(1))), ["1: x = 1 @2", "2: done"]);
}

#[test]
fn values_come_to_those_who_want_them() {
    let mut stage = stage();
    stage.say(1, watch_names(&[on_key("a")]));
    stage.say(2, watch(&[on_key("a")]));
    stage.say(3, watch_names(&[on_key("a")]));
    stage.say(3, watch(&[on_prefix("a")]));
    assert_eq!(
        stage.say(4, set("a", int(1))),
        ["2: a = 1 @1", "3: a = 1 @1", "1: a is set @1", "4: done"]
    );
    assert_eq!(
        stage.say(4, delete("a")),
        ["1: a deleted @2", "2: a deleted @2", "3: a deleted @2", "4: done"]
    );
}

#[test]
fn who_asks_for_values_later_has_them_from_then_on_and_keeps_them() {
    let mut stage = stage();
    for request in [watch_names(&[on_key("a")]), watch(&[on_key("a")]), watch_names(&[on_key("a")])]
    {
        stage.say(1, request);
    }
    assert_eq!(stage.say(2, set("a", int(1))), ["1: a = 1 @1", "2: done"]);
}

#[test]
fn lifetimes_are_told_with_what_is_left_of_them() {
    let mut stage = stage();
    stage.say(1, watch(&[on_key("a")]));
    let request = expiring(after(30), set("a", int(1)));
    assert_eq!(stage.say(2, request), ["1: a = 1 for 30 ms @1", "2: done"]);
    stage.pass(10);
    let again = ["3: watching from 1", "3: [4] a = 1 for 20 ms @1", "3: [4] live, told up to 1"];
    assert_eq!(stage.say(3, watch_after(&[on_key("a")], 4, 0)), again);
}

#[test]
fn an_expiry_is_told_when_it_happens() {
    let mut stage = stage();
    stage.say(1, watch(&[on_key("a")]));
    stage.say(2, expiring(after(30), set("a", int(1))));
    assert_eq!(words(&stage.pass(29)), [""; 0]);
    assert_eq!(words(&stage.pass(1)), ["1: a expired @2"]);
}

#[test]
fn an_expiry_that_makes_way_for_a_write_is_told_before_it() {
    let mut stage = stage();
    stage.say(1, watch(&[on_key("a")]));
    stage.say(2, expiring(after(30), set("a", int(1))));
    stage.now = at(40);
    let expected = ["1: a expired @2", "1: a = 2 @3", "2: done"];
    assert_eq!(stage.say(2, set("a", int(2))), expected);
}

#[test]
fn an_expiry_before_a_batch_that_fails_is_told_all_the_same() {
    let mut stage = stage();
    stage.say(1, watch(&[on_key("a")]));
    stage.say(2, expiring(after(30), set("a", int(1))));
    stage.now = at(40);
    let steps = [step_set("a", 2), Step::Delete { key: key("b") }, require("c", 77)];
    assert_eq!(stage.say(2, batch(&steps)), ["1: a expired @2", "2: done"]);
}

fn require(name: &str, revision: u64) -> Step<'_> {
    let expect = workyard_protocol::globaldata::Expect::Revision(revision);
    Step::Require { key: key(name), expect }
}

#[test]
fn a_batch_is_told_as_one_and_as_it_ends() {
    let mut stage = stage();
    stage.say(2, set("old", int(1)));
    stage.say(1, watch(&[on_prefix("")]));
    stage.say(3, watch(&[on_key("b")]));
    let steps = [
        step_set("a", 1),
        step_set("b", 1),
        step_set("a", 2),
        step_set("nobody saw it", 1),
        Step::Delete { key: key("old") },
        Step::Delete { key: key("nobody saw it") },
    ];
    assert_eq!(
        stage.say(2, batch(&steps)),
        [
            "1: a = 2 @2 …",
            "1: b = 1 @2 …",
            "3: b = 1 @2 …",
            "1: old deleted @2 …",
            "1: told up to 2",
            "3: told up to 2",
            "2: done"
        ]
    );
}

#[test]
fn a_batch_that_changes_one_variable_is_a_change_like_others() {
    let mut stage = stage();
    stage.say(1, watch(&[on_prefix("")]));
    assert_eq!(
        stage.say(2, batch(&[step_set("a", 1), step_set("a", 2)])),
        ["1: a = 2 @1", "2: done"]
    );
    let gone_and_back = [Step::Delete { key: key("a") }, step_set("a", 3)];
    assert_eq!(stage.say(2, batch(&gone_and_back)), ["1: a = 3 @2", "2: done"]);
    let nothing = [step_set("b", 1), Step::Delete { key: key("b") }];
    assert_eq!(stage.say(2, batch(&nothing)), ["2: done"]);
}

#[test]
fn what_a_failed_batch_did_is_not_told() {
    let mut stage = stage();
    stage.say(1, watch(&[on_prefix("")]));
    assert_eq!(stage.say(2, batch(&[step_set("a", 1), require("a", 9)])), ["2: done"]);
}

#[test]
fn what_came_after_a_revision_is_told_again_and_then_goes_on() {
    let mut stage = stage();
    stage.say(1, watch(&[on_prefix("")]));
    for value in 1..=4 {
        stage.say(2, set(if value % 2 == 0 { "even" } else { "odd" }, int(value)));
    }
    assert_eq!(
        stage.say(3, watch_after(&[on_key("odd")], 5, 1)),
        ["3: watching from 4", "3: [5] odd = 3 @3", "3: [5] live, told up to 4"]
    );
    assert_eq!(
        stage.say(3, watch_after(&[], 6, 1)),
        ["3: watching from 4", "3: [6] live, told up to 4"]
    );
    assert_eq!(stage.say(2, set("odd", int(5))), ["1: odd = 5 @5", "3: odd = 5 @5", "2: done"]);
}

#[test]
fn a_batch_that_is_told_again_has_its_end_too() {
    let mut stage = stage();
    stage.say(1, watch(&[on_key("unrelated")]));
    stage.say(2, batch(&[step_set("a", 1), step_set("b", 1)]));
    stage.say(2, batch(&[step_set("c", 1), step_set("d", 1)]));
    assert_eq!(
        stage.say(1, watch_after(&[on_key("a")], 5, 0)),
        [
            "1: watching from 2",
            "1: [5] a = 1 @1 …",
            "1: [5] told up to 1",
            "1: [5] live, told up to 2"
        ]
    );
}

#[test]
fn a_revision_that_the_log_does_not_reach_back_to_is_answered_honestly() {
    let limits = StoreLimits { watch_log_changes_max: 2, ..StoreLimits::default() };
    let mut stage = Stage::new(limits);
    stage.say(2, set("a", int(0)));
    let before = stage.say(1, watch_after(&[on_key("a")], 5, 0));
    assert_eq!(before, ["1: compacted up to 1"], "nobody watched then");
    stage.say(1, watch(&[on_key("b")]));
    for value in 1..=3 {
        stage.say(2, set("a", int(value)));
    }
    assert_eq!(stage.say(3, watch_after(&[on_key("a")], 5, 1)), ["3: compacted up to 2"]);
    assert_eq!(stage.ask(3, watch_after(&[on_key("a")], 5, 2)).len(), 4);
    let ahead = stage.say(3, watch_after(&[on_key("a")], 5, 5));
    assert_eq!(ahead, ["3: compacted up to 2"], "a revision of another epoch");
    let told = stage.say(2, set("a", int(9)));
    assert_eq!(told[0], "3: a = 9 @5", "the one that was taken is live");
    assert!(told[1].ends_with("told up to 5"), "{told:?}");
}

#[test]
fn a_batch_leaves_the_log_as_a_whole() {
    let limits = StoreLimits { watch_log_changes_max: 2, ..StoreLimits::default() };
    let mut stage = Stage::new(limits);
    stage.say(1, watch(&[on_prefix("")]));
    stage.say(2, batch(&[step_set("a", 1), step_set("b", 1), step_set("c", 1)]));
    assert_eq!(stage.say(3, watch_after(&[on_key("c")], 5, 0)), ["3: compacted up to 1"]);
}

#[test]
fn bytes_bound_the_log_too() {
    let limits = StoreLimits { watch_log_bytes_max: 1000, ..StoreLimits::default() };
    let mut stage = Stage::new(limits);
    stage.say(1, watch_names(&[on_key("unrelated")]));
    let large = "x".repeat(400);
    for _ in 0..3 {
        stage.say(2, set("a", raw(&large)));
    }
    assert_eq!(stage.say(3, watch_after(&[on_key("a")], 5, 0)), ["3: compacted up to 1"]);
}

#[test]
fn a_slow_session_is_told_later_and_misses_nothing() {
    let mut stage = stage();
    stage.say(1, watch(&[on_prefix("")]));
    stage.say(3, watch(&[on_key("a")]));
    stage.fill(1);
    // At once, so that it does not believe to know everything when it hears of something else.
    let said = stage.say(2, set("a", int(1)));
    assert_eq!(said, ["1: behind, told up to 0", "3: a = 1 @1", "2: done"]);
    stage.say(2, batch(&[step_set("a", 2), step_set("b", 2)]));
    assert_eq!(
        words(&stage.drain(1)),
        [
            "1: a = 1 @1",
            "1: a = 2 @2 …",
            "1: b = 2 @2 …",
            "1: behind, told up to 2",
            "1: told up to 2"
        ]
    );
    assert_eq!(stage.say(2, set("b", int(3))), ["1: b = 3 @3", "2: done"]);
    assert_eq!(words(&stage.drain(1)), [""; 0]);
}

#[test]
fn what_a_slow_session_missed_and_the_log_forgot_ends_its_topics() {
    let limits = StoreLimits { watch_log_changes_max: 2, ..StoreLimits::default() };
    let mut stage = Stage::new(limits);
    stage.say(1, watch(&[on_prefix("")]));
    stage.fill(1);
    for value in 1..=3 {
        stage.say(2, set("a", int(value)));
    }
    assert_eq!(words(&stage.drain(1)), ["1: compacted up to 1"]);
    assert_eq!(stage.say(2, set("a", int(4))), ["2: done"]);
    assert_eq!(stage.say(1, watch(&[on_prefix("")])), ["1: watching from 4"]);
    assert_eq!(stage.say(2, set("a", int(5))).len(), 3, "and how far it is");
}

#[test]
fn a_replay_that_the_log_runs_away_from_ends_alone() {
    let limits = StoreLimits { watch_log_changes_max: 2, ..StoreLimits::default() };
    let mut stage = Stage::new(limits);
    stage.say(1, watch(&[on_key("b")]));
    stage.say(2, set("a", int(1)));
    stage.fill(1);
    assert_eq!(stage.say(1, watch_after(&[on_key("a")], 5, 0)), ["1: watching from 1"]);
    for value in 2..=4 {
        stage.say(2, set("a", int(value)));
    }
    assert_eq!(words(&stage.drain(1)), ["1: [5] compacted up to 2"]);
    assert_eq!(stage.say(2, set("a", int(5))), ["1: told up to 5", "2: done"]);
    assert_eq!(stage.say(2, set("b", int(6)))[0], "1: b = 6 @6");
}

#[test]
fn what_is_unwatched_is_told_no_more() {
    let mut stage = stage();
    stage.say(1, watch(&[on_key("a"), on_prefix("b")]));
    let gone = Request::Unwatch(Unwatch { topics: vec![on_key("a"), on_key("b")] });
    assert_eq!(stage.say(1, gone.clone()), ["1: 1 unwatched"]);
    assert_eq!(stage.say(1, gone), ["1: 0 unwatched"]);
    assert_eq!(stage.say(2, set("a", int(1))), ["2: done"]);
    assert_eq!(stage.say(2, set("b", int(1))), ["1: b = 1 @2", "2: done"]);
}

#[test]
fn a_replay_that_is_unwatched_stops() {
    let mut stage = stage();
    stage.say(1, watch(&[on_key("b")]));
    stage.say(2, set("a", int(1)));
    stage.fill(1);
    stage.say(1, watch_after(&[on_key("a")], 5, 0));
    stage.say(1, Request::Unwatch(Unwatch { topics: vec![on_key("a")] }));
    assert_eq!(words(&stage.drain(1)), [""; 0]);
}

#[test]
fn a_session_that_is_gone_is_told_nothing() {
    let mut stage = stage();
    stage.say(1, watch(&[on_prefix("")]));
    stage.say(3, watch(&[on_prefix("")]));
    stage.close(1);
    assert_eq!(stage.say(2, set("a", int(1))), ["3: a = 1 @1", "2: done"]);
}

#[test]
fn the_log_outlives_the_last_watch_for_a_while() {
    let limits = StoreLimits { watch_log_linger_ms: 100, ..StoreLimits::default() };
    let mut stage = Stage::new(limits);
    stage.say(1, watch(&[on_key("a")]));
    stage.close(1);
    stage.say(2, set("a", int(1)));
    stage.pass(99);
    assert_eq!(stage.ask(1, watch_after(&[on_key("a")], 5, 0)).len(), 3);
    stage.close(1);
    assert_eq!(stage.store.next_deadline(), Some(at(199)));
    stage.pass(100);
    assert_eq!(stage.store.next_deadline(), None);
    assert_eq!(stage.say(1, watch_after(&[on_key("a")], 5, 0)), ["1: compacted up to 1"]);
}

#[test]
fn who_watches_what_seldom_changes_hears_how_far_the_others_are() {
    let limits = StoreLimits { watch_log_changes_max: 80, ..StoreLimits::default() };
    let mut stage = Stage::new(limits);
    stage.say(1, watch(&[on_key("seldom")]));
    let mut told = Vec::new();
    for value in 1..=25 {
        told.extend(stage.say(2, set("often", int(value))));
    }
    told.retain(|word| word != "2: done");
    assert_eq!(told, ["1: told up to 10", "1: told up to 20"]);
}

#[test]
fn ten_thousand_hear_of_one_write() {
    let mut stage = stage();
    for session in 0..10_000 {
        let names =
            Watch { watch: 1, topics: vec![on_key("a")], values: session % 2 == 0, after: None };
        stage.ask(session, Request::Watch(names));
    }
    let effects = stage.ask(10_000, set("a", int(1)));
    assert_eq!(effects.len(), 10_001);
    assert_eq!(hearers(&effects).len(), 10_000);
}
