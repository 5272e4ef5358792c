//! `batch`: all or nothing, each step seeing the ones before.

use crate::ask::*;
use workyard_globaldata_core::StoreLimits;
use workyard_protocol::globaldata::StepResult::{Deleted, Held, Incremented, Length, Stored};
use workyard_protocol::globaldata::{Expect, Expiry, Modification, Step};
use workyard_protocol::{Number, Reason, ValueRef};

fn require<'a>(name: &'a str, expect: Expect<'a>) -> Step<'a> {
    Step::Require { key: key(name), expect }
}

fn put<'a>(name: &'a str, value: ValueRef<'a>) -> Step<'a> {
    Step::Set { key: key(name), expiry: Expiry::Never, value }
}

fn plus(name: &str, by: i64) -> Step<'_> {
    Step::Increment { key: key(name), by: Number::Int(by), initial: None, expiry: Expiry::Keep }
}

fn plus_from(name: &str, by: i64, initial: i64) -> Step<'_> {
    let initial = Some(Number::Int(initial));
    Step::Increment { key: key(name), by: Number::Int(by), initial, expiry: Expiry::Keep }
}

fn remove(name: &str) -> Step<'_> {
    Step::Delete { key: key(name) }
}

#[test]
fn all_writes_of_a_batch_share_a_revision() {
    dialogue(&[
        (set("from", ValueRef::Int(10)), stored(1)),
        (set("to", ValueRef::Int(0)), stored(2)),
        (set("old", raw("x")), stored(3)),
        (
            batch(&[
                require("from", Expect::Revision(1)),
                plus("from", -3),
                plus("to", 3),
                put("note", raw("moved")),
                remove("old"),
                remove("never"),
            ]),
            applied(
                4,
                &[
                    Held,
                    Incremented(Number::Int(7)),
                    Incremented(Number::Int(3)),
                    Stored,
                    Deleted(true),
                    Deleted(false),
                ],
            ),
        ),
        (
            get_many(&["from", "to", "note", "old"]),
            got_many(&[
                entry(4, ValueRef::Int(7)),
                entry(4, ValueRef::Int(3)),
                entry(4, raw("moved")),
                None,
            ]),
        ),
        (set("next", raw("")), stored(5)),
    ]);
}

#[test]
fn each_step_sees_the_ones_before() {
    dialogue(&[
        (
            batch(&[
                require("a", Expect::Absent),
                put("a", ValueRef::Int(1)),
                require("a", Expect::Value(ValueRef::Int(1))),
                require("a", Expect::Revision(1)),
                plus("a", 1),
                plus_from("b", 1, 5),
                remove("a"),
                require("a", Expect::Absent),
                plus_from("a", 0, 9),
            ]),
            applied(
                1,
                &[
                    Held,
                    Stored,
                    Held,
                    Held,
                    Incremented(Number::Int(2)),
                    Incremented(Number::Int(6)),
                    Deleted(true),
                    Held,
                    Incremented(Number::Int(9)),
                ],
            ),
        ),
        (
            get_many(&["a", "b"]),
            got_many(&[entry(1, ValueRef::Int(9)), entry(1, ValueRef::Int(6))]),
        ),
    ]);
}

#[test]
fn a_batch_that_writes_nothing_takes_no_revision() {
    dialogue(&[
        (batch(&[]), applied(0, &[])),
        (set("a", raw("1")), stored(1)),
        (batch(&[require("a", Expect::Any), remove("none")]), applied(1, &[Held, Deleted(false)])),
        (set("a", raw("2")), stored(2)),
    ]);
}

#[test]
fn a_batch_that_undid_itself_still_wrote() {
    dialogue(&[
        (batch(&[put("a", raw("1")), remove("a")]), applied(1, &[Stored, Deleted(true)])),
        (get("a"), got_nothing()),
        (set("a", raw("2")), stored(2)),
    ]);
}

#[test]
fn a_requirement_that_fails_leaves_everything_as_it_was() {
    let store = dialogue(&[
        (set("a", raw("one")), stored(1)),
        (set("b", ValueRef::Int(2)), stored(2)),
        (
            batch(&[
                put("a", raw("same")),
                put("a", raw("another length")),
                remove("b"),
                put("c", raw("new")),
                put("b", ValueRef::Int(3)),
                require("b", Expect::Revision(2)),
            ]),
            batch_conflict(5, 2),
        ),
        (
            get_many(&["a", "b", "c"]),
            got_many(&[entry(1, raw("one")), entry(2, ValueRef::Int(2)), None]),
        ),
        (batch(&[require("c", Expect::Value(raw("new")))]), batch_conflict(0, 0)),
        (set("a", raw("two")), stored(3)),
    ]);
    assert_eq!(store.census().keys, 2);
}

/// The conflict must not name a revision that the batch gave before it was undone: the next write
/// takes that number, and a cas on it would overwrite what its caller never saw.
#[test]
fn a_conflict_names_the_revision_that_stands() {
    dialogue(&[
        (batch(&[put("a", raw("1")), require("a", Expect::Absent)]), batch_conflict(1, 0)),
        (set("a", raw("2")), stored(1)),
        (batch(&[put("a", raw("3")), require("a", Expect::Absent)]), batch_conflict(1, 1)),
        (
            batch(&[put("b", raw("3")), remove("a"), require("a", Expect::Revision(1))]),
            batch_conflict(2, 1),
        ),
    ]);
}

#[test]
fn a_step_that_cannot_be_done_names_itself() {
    dialogue(&[
        (set("text", raw("5")), stored(1)),
        (
            batch(&[put("a", raw("1")), plus("none", 1)]),
            batch_refused(
                1,
                Reason::NotFound,
                "key \"none\" does not exist: set it first, or give an initial value",
            ),
        ),
        (
            batch(&[remove("text"), put("text", raw("6")), plus("text", 1)]),
            batch_refused(
                2,
                Reason::NotANumber,
                "key \"text\" is raw of 1 bytes: only an int or a float is a number",
            ),
        ),
        (
            batch(&[plus_from("n", i64::MAX, 0), plus("n", 1)]),
            batch_refused(
                1,
                Reason::OutOfRange,
                "key \"n\": 9223372036854775807 + 1 is not a 64-bit integer",
            ),
        ),
        (get_many(&["a", "text", "n"]), got_many(&[None, entry(1, raw("5")), None])),
        (set("a", raw("2")), stored(2)),
    ]);
}

#[test]
fn the_modifications_of_a_batch_are_bounded_together() {
    let limits = StoreLimits { batch_modify_bytes_max: 13, ..StoreLimits::default() };
    let append = |bytes: &'static [u8]| Step::Modify {
        key: key("a"),
        expiry: Expiry::Keep,
        modification: Modification::Append(bytes),
    };
    dialogue_within(
        limits,
        &[
            (batch(&[append(b"1234"), append(b"5")]), applied(1, &[Length(4), Length(5)])),
            (
                batch(&[append(b"6"), append(b"7")]),
                batch_refused(
                    1,
                    Reason::LimitReached,
                    "the modifications of a batch would read and make more than 13 bytes together: \
                     divide it",
                ),
            ),
            (get("a"), got(1, raw("12345"))),
        ],
    );
}
