//! `increment`: sums, what a missing variable counts as, and what is refused.

use crate::ask::*;
use workyard_protocol::{Encoding, Reason, ValueRef};

#[test]
fn numbers_are_added() {
    dialogue(&[
        (set("a", ValueRef::Int(5)), stored(1)),
        (increment("a", 3), incremented(2, 8)),
        (increment("a", -10), incremented(3, -2)),
        (increment("a", 0), incremented(4, -2)),
        (get("a"), got(4, ValueRef::Int(-2))),
    ]);
}

#[test]
fn a_float_on_either_side_makes_a_float() {
    dialogue(&[
        (set("a", ValueRef::Int(1)), stored(1)),
        (increment("a", 0.5), incremented(2, 1.5)),
        (increment("a", 1), incremented(3, 2.5)),
        (get("a"), got(3, ValueRef::Float(2.5))),
        (cas("a", 3, raw("a number is a value like others")), stored(4)),
    ]);
}

#[test]
fn a_missing_variable_counts_as_the_initial_value() {
    dialogue(&[
        (
            increment("hits", 1),
            refused(
                Reason::NotFound,
                "key \"hits\" does not exist: set it first, or give an initial value",
            ),
        ),
        (get("hits"), got_nothing()),
        (increment_from("hits", 1, 10), incremented(1, 11)),
        (increment_from("hits", 1, 10), incremented(2, 12)),
        (increment_from("rate", 1, 0.5), incremented(3, 1.5)),
    ]);
}

#[test]
fn what_is_no_number_is_not_made_one() {
    let php = ValueRef::Encoded { encoding: Encoding::Php, bytes: b"i:5;" };
    dialogue(&[
        (set("name", raw("5")), stored(1)),
        (
            increment_from("name", 1, 0),
            refused(
                Reason::NotANumber,
                "key \"name\" is raw of 1 bytes: only an int or a float is a number",
            ),
        ),
        (get("name"), got(1, raw("5"))),
        (set("name", php), stored(2)),
        (
            increment("name", 1),
            refused(
                Reason::NotANumber,
                "key \"name\" is php of 4 bytes: only an int or a float is a number",
            ),
        ),
    ]);
}

#[test]
fn what_is_out_of_range_is_refused() {
    dialogue(&[
        (set("a", ValueRef::Int(i64::MAX)), stored(1)),
        (
            increment("a", 1),
            refused(
                Reason::OutOfRange,
                "key \"a\": 9223372036854775807 + 1 is not a 64-bit integer",
            ),
        ),
        (increment("a", -1), incremented(2, i64::MAX - 1)),
        (set("a", ValueRef::Int(i64::MIN)), stored(3)),
        (
            increment("a", -1),
            refused(
                Reason::OutOfRange,
                "key \"a\": -9223372036854775808 + -1 is not a 64-bit integer",
            ),
        ),
        (set("a", ValueRef::Float(f64::INFINITY)), stored(4)),
        (
            increment("a", 1),
            refused(Reason::OutOfRange, "key \"a\": inf + 1 is not a finite float"),
        ),
        (
            increment_from("new", f64::NAN, 0),
            refused(Reason::OutOfRange, "key \"new\": 0 + NaN is not a finite float"),
        ),
        (get("new"), got_nothing()),
        (get("a"), got(4, ValueRef::Float(f64::INFINITY))),
    ]);
}

#[test]
fn a_long_or_unreadable_key_is_shown_short() {
    let long = "ä".repeat(100);
    let text = format!(
        "key \"{}\"… does not exist: set it first, or give an initial value",
        "ä".repeat(64)
    );
    let line_break = "key \"a\\nb\" does not exist: set it first, or give an initial value";
    dialogue(&[
        (increment(&long, 1), refused(Reason::NotFound, &text)),
        (increment("a\nb", 1), refused(Reason::NotFound, line_break)),
    ]);
}
