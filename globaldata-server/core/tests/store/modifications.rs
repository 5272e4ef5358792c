//! `modify` and deletions that expect something: what a variable becomes by what it holds.

use crate::ask::*;
use workyard_globaldata_core::StoreLimits;
use workyard_protocol::globaldata::{
    AddWithin, Delete, Expect, Modification, Modified, Modify, Outcome, Request, Step, StepResult,
};
use workyard_protocol::{Encoding, Number, Reason, ValueRef};

fn append(text: &str) -> Modification<'_> {
    Modification::Append(text.as_bytes())
}

fn prepend(text: &str) -> Modification<'_> {
    Modification::Prepend(text.as_bytes())
}

fn within(
    by: i64,
    least: Option<i64>,
    greatest: Option<i64>,
    clamp: bool,
) -> Modification<'static> {
    let (least, greatest) = (least.map(Number::Int), greatest.map(Number::Int));
    let (by, initial) = (Number::Int(by), Some(Number::Int(0)));
    Modification::AddWithin(AddWithin { by, initial, least, greatest, clamp })
}

fn length(revision: u64, length: u64) -> Answer<'static> {
    modified(revision, Outcome::Length(length))
}

fn number(revision: u64, number: impl Into<Number>) -> Answer<'static> {
    modified(revision, Outcome::Number(number.into()))
}

fn out_of_bounds(revision: u64, number: impl Into<Number>) -> Answer<'static> {
    modified(revision, Outcome::OutOfBounds(number.into()))
}

fn previous<'a>(revision: u64, value: &[ValueRef<'a>]) -> Answer<'a> {
    modified(revision, Outcome::Values(value.to_vec()))
}

fn delete_if<'a>(name: &'a str, expect: Expect<'a>) -> Request<'a> {
    Request::Delete(Delete { key: key(name), expect })
}

#[test]
fn bytes_are_put_behind_and_before_those_there_are() {
    dialogue(&[
        (modify("a", append("bc")), length(1, 2)),
        (modify("a", append("")), length(1, 2)),
        (modify("a", prepend("a")), length(2, 3)),
        (modify("a", append("d")), length(3, 4)),
        (get("a"), got(3, raw("abcd"))),
        (modify("b", prepend("")), length(0, 0)),
        (get("b"), got_nothing()),
        (modify("b", prepend("x")), length(4, 1)),
        (get("b"), got(4, raw("x"))),
    ]);
}

#[test]
fn only_raw_bytes_are_appended_to() {
    let json = ValueRef::Encoded { encoding: Encoding::Json, bytes: b"[1]" };
    let wrong = |kind: &str| {
        let text = format!("key \"a\" is {kind}: only raw bytes are appended to");
        refused(Reason::WrongKind, &text)
    };
    dialogue(&[
        (set("a", ValueRef::Int(5)), stored(1)),
        (modify("a", append("6")), wrong("int of 8 bytes")),
        (set("a", json), stored(2)),
        (modify("a", prepend("")), wrong("json of 3 bytes")),
        (get("a"), got(2, json)),
    ]);
}

#[test]
fn an_appended_value_stays_within_its_limits() {
    let limits = StoreLimits { modify_bytes_max: 4, ..StoreLimits::default() };
    let above = |bytes| {
        let text = format!(
            "key \"a\" has or would have {bytes} bytes, above modify_bytes_max, 4: begin another"
        );
        refused(Reason::LimitReached, &text)
    };
    dialogue_within(
        limits,
        &[
            (modify("a", append("1234")), length(1, 4)),
            (modify("a", append("5")), above(5)),
            (modify("a", prepend("0")), above(5)),
            (modify("a", append("")), length(1, 4)),
            (set("a", raw("123456")), stored(2)),
            (modify("a", append("7")), above(7)),
            (get("a"), got(2, raw("123456"))),
        ],
    );
    let limits = StoreLimits { reply_bytes_max: 4, ..StoreLimits::default() };
    dialogue_within(limits, &[(modify("a", append("12345")), above(5))]);
}

#[test]
fn the_lesser_and_the_greater_of_two_numbers_stay() {
    dialogue(&[
        (modify("low", Modification::Min(Number::Int(5))), number(1, 5)),
        (modify("low", Modification::Min(Number::Int(6))), number(1, 5)),
        (modify("low", Modification::Min(Number::Float(5.0))), number(1, 5)),
        (modify("low", Modification::Min(Number::Float(4.5))), number(2, 4.5)),
        (modify("low", Modification::Min(Number::Int(4))), number(3, 4)),
        (modify("high", Modification::Max(Number::Float(0.5))), number(4, 0.5)),
        (modify("high", Modification::Max(Number::Int(0))), number(4, 0.5)),
        (modify("high", Modification::Max(Number::Int(1))), number(5, 1)),
        (get("high"), got(5, ValueRef::Int(1))),
        (set("text", raw("5")), stored(6)),
        (
            modify("text", Modification::Max(Number::Int(1))),
            refused(
                Reason::NotANumber,
                "key \"text\" is raw of 1 bytes: only an int or a float is a number",
            ),
        ),
        (set("nan", ValueRef::Float(f64::NAN)), stored(7)),
        (modify("nan", Modification::Max(Number::Int(-1))), number(8, -1)),
    ]);
}

#[test]
fn integers_beyond_the_doubles_are_compared_exactly() {
    let big = 9_007_199_254_740_993;
    dialogue(&[
        (set("n", ValueRef::Float(9_007_199_254_740_992.0)), stored(1)),
        (modify("n", Modification::Max(Number::Int(big))), number(2, big)),
        (modify("n", Modification::Max(Number::Float(9_007_199_254_740_992.0))), number(2, big)),
    ]);
}

#[test]
fn a_sum_out_of_bounds_is_told_and_nothing_happens() {
    dialogue(&[
        (modify("stock", within(-1, Some(0), None, false)), out_of_bounds(0, 0)),
        (get("stock"), got_nothing()),
        (modify("stock", within(3, Some(0), Some(4), false)), number(1, 3)),
        (modify("stock", within(2, Some(0), Some(4), false)), out_of_bounds(1, 3)),
        (modify("stock", within(-3, Some(0), Some(4), false)), number(2, 0)),
        (modify("stock", within(-1, Some(0), None, false)), out_of_bounds(2, 0)),
        (get("stock"), got(2, ValueRef::Int(0))),
    ]);
}

#[test]
fn a_clamped_sum_becomes_the_bound_that_it_passed() {
    dialogue(&[
        (modify("volume", within(12, Some(0), Some(10), true)), number(1, 10)),
        (modify("volume", within(-3, Some(0), Some(10), true)), number(2, 7)),
        (modify("volume", within(-30, Some(0), Some(10), true)), number(3, 0)),
        (get("volume"), got(3, ValueRef::Int(0))),
    ]);
}

#[test]
fn a_sum_that_is_no_number_any_more_has_passed_the_bound_too() {
    let (max, min) = (i64::MAX, i64::MIN);
    let float = |by: f64, most: f64| {
        let (least, greatest) = (Some(Number::Float(-most)), Some(Number::Float(most)));
        let by = Number::Float(by);
        let initial = None;
        Modification::AddWithin(AddWithin { by, initial, least, greatest, clamp: true })
    };
    let not_finite = refused(
        Reason::OutOfRange,
        &format!("key \"f\": {} + {} is not a finite float", -f64::MAX, -f64::MAX),
    );
    dialogue(&[
        (set("n", ValueRef::Int(max)), stored(1)),
        (modify("n", within(1, None, Some(max), true)), number(2, max)),
        (modify("n", within(1, None, Some(max), false)), out_of_bounds(2, max)),
        (modify("n", within(max, Some(0), Some(10), true)), number(3, 10)),
        (set("n", ValueRef::Int(min)), stored(4)),
        (modify("n", within(-1, Some(-5), Some(5), false)), out_of_bounds(4, min)),
        (modify("n", within(min, Some(-5), Some(5), true)), number(5, -5)),
        (set("f", ValueRef::Float(f64::MAX)), stored(6)),
        (modify("f", float(f64::MAX, 1e9)), number(7, 1e9)),
        (set("f", ValueRef::Float(-f64::MAX)), stored(8)),
        (modify("f", float(-f64::MAX, 1e9)), number(9, -1e9)),
        (set("f", ValueRef::Float(-f64::MAX)), stored(10)),
        (modify("f", float(-f64::MAX, f64::INFINITY)), not_finite),
        (get("f"), got(10, ValueRef::Float(-f64::MAX))),
    ]);
}

#[test]
fn what_is_added_within_bounds_is_refused_as_any_increment() {
    let missing = Modification::AddWithin(AddWithin {
        by: Number::Int(1),
        initial: None,
        least: None,
        greatest: Some(Number::Int(10)),
        clamp: true,
    });
    dialogue(&[
        (
            modify("n", missing),
            refused(
                Reason::NotFound,
                "key \"n\" does not exist: set it first, or give an initial value",
            ),
        ),
        (set("n", ValueRef::Int(i64::MAX)), stored(1)),
        (
            modify("n", within(1, Some(10), None, true)),
            refused(
                Reason::OutOfRange,
                "key \"n\": 9223372036854775807 + 1 is not a 64-bit integer",
            ),
        ),
        (set("n", raw("")), stored(2)),
        (
            modify("n", within(1, None, None, false)),
            refused(
                Reason::NotANumber,
                "key \"n\" is raw of 0 bytes: only an int or a float is a number",
            ),
        ),
    ]);
}

#[test]
fn swap_and_take_tell_what_was_there() {
    let php = ValueRef::Encoded { encoding: Encoding::Php, bytes: b"b:1;" };
    dialogue(&[
        (modify("a", Modification::Swap(ValueRef::Int(1))), previous(1, &[])),
        (modify("a", Modification::Swap(php)), previous(2, &[ValueRef::Int(1)])),
        (modify("a", Modification::Take), previous(3, &[php])),
        (modify("a", Modification::Take), previous(0, &[])),
        (get("a"), got_nothing()),
        (set("a", raw("later")), stored(4)),
    ]);
}

#[test]
fn a_modification_says_what_becomes_of_the_lifetime() {
    let limits = StoreLimits::default();
    let for_ms = |millis, modification| {
        let Request::Modify(request) = modify("n", modification) else { unreachable!() };
        Request::Modify(Modify { expiry: after_if_new(millis), ..request })
    };
    let told = |revision, left, number| {
        let outcome = Outcome::Number(Number::Int(number));
        answered(Modified { revision, ttl_ms: Some(left), outcome })
    };
    let full = |revision, left| {
        let outcome = Outcome::OutOfBounds(Number::Int(2));
        answered(Modified { revision, ttl_ms: Some(left), outcome })
    };
    let count = || within(1, None, Some(2), false);
    dialogue_in_time(
        limits,
        &[
            (0, for_ms(100, count()), told(1, 100, 1)),
            (40, for_ms(100, count()), told(2, 60, 2)),
            (60, for_ms(100, count()), full(2, 40)),
            (99, for_ms(100, count()), full(2, 1)),
            // The old one's expiry has taken a revision.
            (100, for_ms(100, count()), told(4, 100, 1)),
            (150, modify("n", Modification::Take), previous(5, &[ValueRef::Int(1)])),
            (160, modify("n", Modification::Max(Number::Int(7))), number(6, 7)),
        ],
    );
}

#[test]
fn a_deletion_that_expects_something_else_is_a_conflict() {
    dialogue(&[
        (delete_if("a", Expect::Revision(1)), conflict(0)),
        (delete_if("a", Expect::Absent), deleted(false)),
        (set("a", raw("x")), stored(1)),
        (delete_if("a", Expect::Absent), conflict(1)),
        (delete_if("a", Expect::Revision(2)), conflict(1)),
        (delete_if("a", Expect::Value(raw("y"))), conflict(1)),
        (get("a"), got(1, raw("x"))),
        (delete_if("a", Expect::Value(raw("x"))), deleted(true)),
        (set("a", raw("x")), stored(3)),
        (delete_if("a", Expect::Revision(3)), deleted(true)),
        (get("a"), got_nothing()),
    ]);
}

#[test]
fn modifications_are_steps_of_a_batch() {
    let step = |name, modification| {
        let Request::Modify(Modify { key, expiry, modification }) = modify(name, modification)
        else {
            unreachable!()
        };
        Step::Modify { key, expiry, modification }
    };
    dialogue(&[
        (
            batch(&[
                step("a", append("x")),
                step("a", prepend("wv")),
                step("n", Modification::Max(Number::Int(3))),
                step("n", within(2, None, Some(4), true)),
            ]),
            applied(
                1,
                &[
                    StepResult::Length(1),
                    StepResult::Length(3),
                    StepResult::Incremented(Number::Int(3)),
                    StepResult::Incremented(Number::Int(4)),
                ],
            ),
        ),
        (get("a"), got(1, raw("wvx"))),
        (
            batch(&[step("a", append("y")), step("n", within(1, None, Some(4), false))]),
            batch_refused(
                1,
                Reason::OutOfBounds,
                "key \"n\" is 4: the sum would be out of the bounds given",
            ),
        ),
        (
            batch(&[step("a", append("y")), step("n", Modification::Take)]),
            batch_refused(
                1,
                Reason::InvalidArgument,
                "a batch tells no values: modify with this in a request of its own",
            ),
        ),
        (get("a"), got(1, raw("wvx"))),
        (get("n"), got(1, ValueRef::Int(4))),
    ]);
}
