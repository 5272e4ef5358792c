//! Small histories with their verdicts: what the search must accept, and what it must not.

use workyard_tests::linearizability::{
    Action, Call, Finding, NEVER, Outcome, Search, State, check, search,
};

const MS: u64 = 1_000_000;

/// Calls by begin, end, action and outcome; each of another caller.
fn calls(calls: &[(u64, u64, Action, Outcome)]) -> Vec<Call> {
    let call = |(caller, &(called, returned, action, outcome))| Call {
        caller,
        called,
        returned,
        action,
        outcome,
    };
    calls.iter().enumerate().map(call).collect()
}

#[track_caller]
fn right(history: &[(u64, u64, Action, Outcome)]) {
    if let Err(finding) = check(calls(history)) {
        panic!("{finding}");
    }
}

#[track_caller]
fn wrong(history: &[(u64, u64, Action, Outcome)]) -> Finding {
    *check(calls(history)).expect_err("no order explains it")
}

use Action::{Add, Cas, Delete, DeleteAt, Get, Increment, Max, Set, SetFor, Swap, Take, Within};
use Outcome::{Added, Conflict, Deleted, OutOfBounds, Read, Stored, Sum, Unknown, Was};

#[test]
fn calls_one_after_the_other_count_as_they_stand() {
    right(&[
        (0, 1, Get, Read(None)),
        (2, 3, Set(5), Stored(1)),
        (4, 5, Add(6), Added(false)),
        (6, 7, Increment(2), Sum(7)),
        (8, 9, Get, Read(Some((7, 2)))),
        (10, 11, Cas(1, 8), Conflict(Some(2))),
        (12, 13, Cas(2, 8), Stored(3)),
        (14, 15, Delete, Deleted(true)),
        (16, 17, Delete, Deleted(false)),
        (17, 18, Cas(0, 9), Stored(5)),
        (18, 18, Cas(0, 9), Conflict(Some(5))),
        (18, 18, Delete, Deleted(true)),
        (19, 19, Cas(3, 9), Conflict(None)),
        (20, 21, Add(6), Added(true)),
        (22, 23, Get, Read(Some((6, 7)))),
    ]);
}

#[test]
fn verbs_that_spare_a_cas_count_as_they_stand() {
    right(&[
        (0, 1, Max(5), Sum(5)),
        (2, 3, Max(3), Sum(5)),
        (4, 5, Within(3, 8), Sum(8)),
        (6, 7, Within(1, 8), OutOfBounds(8)),
        (8, 9, Swap(2), Was(Some(8))),
        (10, 11, Take, Was(Some(2))),
        (12, 13, Swap(9), Was(None)),
        (14, 15, Get, Read(Some((9, 6)))),
        (16, 17, DeleteAt(5), Conflict(Some(6))),
        (18, 19, DeleteAt(6), Deleted(true)),
        (20, 21, DeleteAt(6), Conflict(None)),
        (22, 23, Within(9, 8), OutOfBounds(0)),
    ]);
}

#[test]
fn verbs_that_tell_what_was_not_so_are_found() {
    let set = (0, 1, Set(5), Stored(1));
    wrong(&[set, (2, 3, Max(7), Sum(5))]);
    wrong(&[set, (2, 3, Within(1, 8), OutOfBounds(5))]);
    wrong(&[set, (2, 3, Within(4, 8), Sum(9))]);
    wrong(&[set, (2, 3, Swap(6), Was(None))]);
    wrong(&[set, (2, 9, Take, Was(Some(5))), (2, 9, Take, Was(Some(5)))]);
    wrong(&[set, (2, 3, DeleteAt(2), Deleted(true))]);
}

#[test]
fn calls_at_the_same_time_count_in_any_order() {
    right(&[
        (0, 10, Set(1), Stored(2)),
        (0, 10, Set(2), Stored(1)),
        (11, 12, Get, Read(Some((1, 2)))),
    ]);
    right(&[(0, 10, Set(1), Stored(1)), (0, 10, Get, Read(None))]);
    right(&[(0, 10, Set(1), Stored(1)), (0, 10, Get, Read(Some((1, 1))))]);
    right(&[
        (0, 9, Increment(1), Sum(3)),
        (0, 9, Increment(2), Sum(2)),
        (0, 9, Delete, Deleted(false)),
    ]);
}

#[test]
fn a_stale_read_is_found() {
    let finding = wrong(&[
        (0, 1, Set(1), Stored(1)),
        (2, 3, Set(2), Stored(2)),
        (4, 5, Get, Read(Some((1, 1)))),
        (6, 7, Get, Read(Some((2, 2)))),
    ]);
    assert_eq!(finding.calls.len(), 2, "{finding}");
    let text = finding.to_string();
    assert!(text.contains("get -> 1, revision 1"), "{text}");
    assert!(text.contains("none of these can be next"), "{text}");
}

#[test]
fn a_lost_increment_is_found() {
    wrong(&[(0, 10, Increment(1), Sum(1)), (0, 10, Increment(1), Sum(1))]);
    wrong(&[
        (0, 1, Set(5), Stored(1)),
        (2, 9, Increment(1), Sum(6)),
        (2, 9, Increment(1), Sum(7)),
        (10, 11, Get, Read(Some((6, 2)))),
    ]);
}

#[test]
fn two_winners_of_one_cas_are_found() {
    wrong(&[(0, 1, Set(5), Stored(1)), (2, 9, Cas(1, 6), Stored(2)), (2, 9, Cas(1, 7), Stored(3))]);
}

#[test]
fn two_that_added_are_found() {
    wrong(&[(0, 9, Add(6), Added(true)), (0, 9, Add(7), Added(true))]);
}

#[test]
fn a_delete_that_did_not_last_is_found() {
    wrong(&[
        (0, 1, Set(5), Stored(1)),
        (2, 3, Delete, Deleted(true)),
        (4, 5, Get, Read(Some((5, 1)))),
    ]);
}

#[test]
fn a_revision_that_does_not_grow_is_found() {
    wrong(&[(0, 1, Set(5), Stored(3)), (2, 3, Set(6), Stored(3))]);
    wrong(&[(0, 1, Set(5), Stored(3)), (2, 3, Delete, Deleted(true)), (4, 5, Set(6), Stored(2))]);
}

#[test]
fn a_call_of_unknown_outcome_may_have_happened_at_any_time_from_then_on() {
    right(&[(0, NEVER, Set(5), Unknown), (1, 2, Get, Read(None))]);
    right(&[(0, NEVER, Set(5), Unknown), (1, 2, Get, Read(None)), (8, 9, Get, Read(Some((5, 7))))]);
    right(&[
        (0, 1, Set(1), Stored(1)),
        (2, NEVER, Increment(3), Unknown),
        (3, 4, Set(2), Stored(2)),
        (8, 9, Get, Read(Some((5, 3)))),
    ]);
    right(&[
        (0, 1, Set(1), Stored(1)),
        (2, NEVER, Cas(1, 2), Unknown),
        (3, 4, Increment(1), Sum(3)),
    ]);
}

#[test]
fn a_call_of_unknown_outcome_happens_at_most_once_and_not_before_it_began() {
    wrong(&[
        (0, 1, Set(1), Stored(1)),
        (2, NEVER, Increment(3), Unknown),
        (3, 4, Get, Read(Some((7, 3)))),
    ]);
    wrong(&[(0, 1, Get, Read(Some((5, 1)))), (2, NEVER, Set(5), Unknown)]);
    wrong(&[
        (0, 1, Set(1), Stored(1)),
        (2, NEVER, Cas(9, 2), Unknown),
        (3, 4, Increment(1), Sum(3)),
    ]);
}

#[test]
fn a_call_that_is_over_is_not_carried_out_any_more() {
    let set = (0, 5, Set(5), Unknown);
    right(&[set, (1, 2, Get, Read(None)), (4, 8, Get, Read(Some((5, 1))))]);
    right(&[set, (6, 7, Get, Read(Some((5, 1))))]);
    wrong(&[set, (6, 7, Get, Read(None)), (8, 9, Get, Read(Some((5, 1))))]);
}

#[test]
fn what_has_expired_is_gone_and_what_has_not_is_there() {
    let set = (0, MS, SetFor(5, 10 * MS), Stored(1));
    right(&[set, (9 * MS, 10 * MS, Get, Read(Some((5, 1)))), (12 * MS, 13 * MS, Get, Read(None))]);
    wrong(&[set, (11 * MS, 12 * MS, Get, Read(Some((5, 1))))]);
    wrong(&[set, (7 * MS, 8 * MS, Get, Read(None))]);
    right(&[set, (3 * MS, 4 * MS, Increment(1), Sum(6)), (12 * MS, 13 * MS, Increment(1), Sum(1))]);
    wrong(&[set, (3 * MS, 4 * MS, Increment(1), Sum(6)), (12 * MS, 13 * MS, Increment(1), Sum(7))]);
    right(&[
        set,
        (3 * MS, 4 * MS, Set(7), Stored(2)),
        (99 * MS, 100 * MS, Get, Read(Some((7, 2)))),
    ]);
    let once_gone = (9 * MS, 11 * MS, Get, Read(None));
    wrong(&[set, once_gone, (11 * MS, 12 * MS, Get, Read(Some((5, 1))))]);
}

#[test]
fn a_long_history_shrinks_to_what_is_wrong_in_it() {
    let mut history = Vec::new();
    for number in 0..500 {
        let at = number as u64 * 10;
        history.push((at, at + 1, Set(number), Stored(number as u64 + 1)));
        history.push((at + 2, at + 3, Get, Read(Some((number, number as u64 + 1)))));
    }
    right(&history);
    history[801].3 = Read(Some((399, 400)));
    let finding = wrong(&history);
    assert_eq!(finding.start, State::Anything);
    let kept: Vec<_> = finding.calls.iter().map(|call| call.called).collect();
    assert_eq!(kept, [4000, 4002], "{finding}");
}

#[test]
fn the_order_found_explains_every_outcome() {
    let history = calls(&[
        (0, 10, Increment(1), Sum(6)),
        (1, 9, Increment(2), Sum(2)),
        (2, 8, Increment(3), Sum(5)),
    ]);
    assert_eq!(search(State::Absent(0), &history), Search::Found(vec![1, 2, 0]));
}

#[test]
fn calls_that_wait_for_nothing_do_not_make_the_search_endless() {
    let mut history: Vec<_> =
        (0..200).map(|number| (number, NEVER, Increment(7), Unknown)).collect();
    for number in 0..200i64 {
        let at = 1000 + number as u64 * 10;
        history.push((at, at + 1, Set(number), Stored(number as u64 * 9 + 1)));
        history.push((at + 2, at + 3, Increment(1), Sum(number + 1 + 7)));
    }
    right(&history);
}
