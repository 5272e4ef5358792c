//! Lifetimes: how they begin, go on and end, to the millisecond.

use crate::ask::*;
use workyard_engine::Engine;
use workyard_globaldata_core::{Census, StoreLimits};
use workyard_protocol::globaldata::StepResult::{Deleted, Held, Incremented, Stored};
use workyard_protocol::globaldata::{Expect, Expiry, KeyInfo, Step};
use workyard_protocol::{Encoding, Number, Reason, ValueRef, ValueTag};

fn unlimited() -> StoreLimits {
    StoreLimits::default()
}

/// Ten bytes of key and value, and what is counted with them.
fn for_two_that_expire() -> StoreLimits {
    StoreLimits { store_bytes_max: 2 * (10 + 64 + 48), keys_max: 2, ..unlimited() }
}

#[test]
fn a_variable_is_there_until_its_instant_and_not_at_it() {
    let info = |left| KeyInfo {
        key: key("a"),
        revision: 1,
        tag: ValueTag::Encoded(Encoding::Raw),
        size: 1,
        ttl_ms: Some(left),
    };
    dialogue_in_time(
        unlimited(),
        &[
            (100, expiring(after(50), set("a", raw("v"))), stored(1)),
            (100, get("a"), got_for(1, 50, raw("v"))),
            (149, get("a"), got_for(1, 1, raw("v"))),
            (149, exists("a"), left(1, 1)),
            (149, page("", 0, 10), listed(0, &[info(1)])),
            (150, get("a"), got_nothing()),
            (150, get_many(&["a", "a"]), got_many(&[None, None])),
            (150, exists("a"), revision(None)),
            (150, page("", 0, 10), listed(0, &[])),
            (150, touch("a", 50), revision(None)),
            (151, get("a"), got_nothing()),
        ],
    );
}

#[test]
fn each_write_finds_nothing_where_something_has_expired() {
    let begin = |name| (0, expiring(after(10), set(name, ValueRef::Int(5))));
    let then = |name, request, answer, value: Option<_>| {
        let (millis, begun) = begin(name);
        let after = match value {
            Some((revision, value)) => got(revision, value),
            None => got_nothing(),
        };
        dialogue_in_time(
            unlimited(),
            &[(millis, begun, stored(1)), (10, request, answer), (10, get(name), after)],
        );
    };
    // The expiry takes revision 2, before the write does.
    let five = ValueRef::Int(5);
    then("a", set("a", five), stored(3), Some((3, five)));
    then("a", add("a", five), stored(3), Some((3, five)));
    then("a", cas("a", 1, five), conflict(0), None);
    then("a", swap("a", five, five), conflict(0), None);
    then("a", delete("a"), deleted(false), None);
    then("a", increment_from("a", 1, 7), incremented(3, 8), Some((3, ValueRef::Int(8))));
    let text = "key \"a\" does not exist: set it first, or give an initial value";
    then("a", increment("a", 1), refused(Reason::NotFound, text), None);
    let require = Step::Require { key: key("a"), expect: Expect::Absent };
    then("a", batch(&[require]), applied(2, &[Held]), None);
}

#[test]
fn a_write_says_what_becomes_of_the_lifetime() {
    let keep = |request| expiring(Expiry::Keep, request);
    dialogue_in_time(
        unlimited(),
        &[
            (0, expiring(after(100), set("a", raw("1"))), stored(1)),
            (10, keep(set("a", raw("2"))), stored(2)),
            (10, get("a"), got_for(2, 90, raw("2"))),
            (20, keep(cas("a", 2, raw("longer"))), stored(3)),
            (20, get("a"), got_for(3, 80, raw("longer"))),
            (30, expiring(after_if_new(5), set("a", raw("4"))), stored(4)),
            (30, get("a"), got_for(4, 70, raw("4"))),
            (40, expiring(after(5), swap("a", raw("4"), raw("5"))), stored(5)),
            (40, get("a"), got_for(5, 5, raw("5"))),
            (44, set("a", raw("6")), stored(6)),
            (1000, get("a"), got(6, raw("6"))),
            (1000, expiring(after(7), add("a", raw("7"))), conflict(6)),
            (1000, get("a"), got(6, raw("6"))),
            (1000, expiring(after(7), add("b", raw("7"))), stored(7)),
            (1000, get("b"), got_for(7, 7, raw("7"))),
            (1000, keep(set("new", raw(""))), stored(8)),
            (1000, get("new"), got(8, raw(""))),
            (1000, expiring(after_if_new(9), set("newer", raw(""))), stored(9)),
            (1000, get("newer"), got_for(9, 9, raw(""))),
        ],
    );
}

/// A counter for a window of time, in one request each: nothing can be lost between two.
#[test]
fn the_first_increment_begins_a_window_and_the_others_do_not_prolong_it() {
    let count = || expiring(after_if_new(100), increment_from("hits", 1, 0));
    dialogue_in_time(
        unlimited(),
        &[
            (0, count(), incremented(1, 1)),
            (60, count(), incremented(2, 2)),
            (99, count(), incremented(3, 3)),
            (99, get("hits"), got_for(3, 1, ValueRef::Int(3))),
            (100, count(), incremented(5, 1)),
            (100, increment("hits", 1), incremented(6, 2)),
            (100, get("hits"), got_for(6, 100, ValueRef::Int(2))),
            (150, expiring(after(100), increment("hits", 1)), incremented(7, 3)),
            (150, get("hits"), got_for(7, 100, ValueRef::Int(3))),
            (150, expiring(Expiry::Never, increment("hits", 1)), incremented(8, 4)),
            (150, get("hits"), got(8, ValueRef::Int(4))),
        ],
    );
}

#[test]
fn a_touch_changes_neither_value_nor_revision() {
    dialogue_in_time(
        unlimited(),
        &[
            (0, touch("a", 10), revision(None)),
            (0, set("a", raw("v")), stored(1)),
            (0, touch("a", 10), left(1, 10)),
            (9, touch("a", 10), left(1, 10)),
            (18, get("a"), got_for(1, 1, raw("v"))),
            (18, persist("a"), revision(Some(1))),
            (1000, persist("a"), revision(Some(1))),
            (1000, touch("a", 5), left(1, 5)),
            (1004, cas("a", 1, raw("w")), stored(2)),
            (2000, get("a"), got(2, raw("w"))),
            (2000, set("next", raw("")), stored(3)),
        ],
    );
}

#[test]
fn steps_of_a_batch_have_lifetimes_and_what_is_undone_has_its_own_again() {
    let put = |expiry| Step::Set { key: key("a"), expiry, value: raw("in a batch") };
    let plus = |expiry| {
        let (by, initial) = (Number::Int(1), Some(Number::Int(0)));
        Step::Increment { key: key("n"), by, initial, expiry }
    };
    let remove = Step::Delete { key: key("a") };
    let fails = Step::Require { key: key("n"), expect: Expect::Absent };
    let one = Incremented(Number::Int(1));
    let two = Incremented(Number::Int(2));
    dialogue_in_time(
        unlimited(),
        &[
            (0, expiring(after(100), set("a", raw("v"))), stored(1)),
            (10, batch(&[plus(after_if_new(50)), put(Expiry::Keep)]), applied(2, &[one, Stored])),
            (10, get_many(&["a"]), {
                let (revision, value) = (2, raw("in a batch"));
                got_many(&[entry_for(revision, 90, value)])
            }),
            (10, exists("n"), left(2, 50)),
            (20, batch(&[put(after(1)), plus(after(1)), fails.clone()]), batch_conflict(2, 2)),
            (20, batch(&[remove.clone(), put(Expiry::Never), fails]), batch_conflict(2, 2)),
            (20, exists("a"), left(2, 80)),
            (20, exists("n"), left(2, 40)),
            (20, batch(&[remove, put(Expiry::Keep)]), applied(3, &[Deleted(true), Stored])),
            (20, exists("a"), revision(Some(3))),
            (59, exists("n"), left(2, 1)),
            // The expiry takes a revision, before those of the batch.
            (60, batch(&[plus(Expiry::Keep), plus(after_if_new(7))]), applied(5, &[one, two])),
            (60, exists("n"), revision(Some(5))),
        ],
    );
}

#[test]
fn an_expiry_is_freed_once_and_takes_a_revision() {
    let mut store = dialogue_in_time(
        unlimited(),
        &[
            (0, expiring(after(10), set("a", raw("1"))), stored(1)),
            (0, expiring(after(30), set("b", raw("2"))), stored(2)),
            (0, set("c", raw("3")), stored(3)),
        ],
    );
    let bytes = |keys: u64, expiring: u64| keys * (1 + 1 + 64) + expiring * 48;
    assert_eq!(store.census(), Census { keys: 3, bytes: bytes(3, 2), revision: 3 });
    assert_eq!(store.next_deadline(), Some(at(10)));
    expire(&mut store, at(9));
    assert_eq!(store.census().keys, 3);
    expire(&mut store, at(10));
    assert_eq!(store.census(), Census { keys: 2, bytes: bytes(2, 1), revision: 4 });
    assert_eq!(store.next_deadline(), Some(at(30)));
    ask_at(&mut store, at(29), persist("b"), |answer| assert_eq!(answer, revision(Some(2))));
    assert_eq!(store.next_deadline(), None);
    expire(&mut store, at(1000));
    assert_eq!(store.census(), Census { keys: 2, bytes: bytes(2, 0), revision: 4 });
}

#[test]
fn what_expires_together_is_freed_in_portions() {
    let mut store =
        workyard_globaldata_core::Store::new(StoreLimits { expire_keys_max: 100, ..unlimited() });
    for number in 0..250 {
        let name = number.to_string();
        ask(&mut store, expiring(after(10), set(&name, raw(""))), |_| ());
    }
    let mut left = Vec::new();
    while store.next_deadline() == Some(at(10)) {
        expire(&mut store, at(10));
        left.push(store.census().keys);
    }
    assert_eq!((left.as_slice(), store.next_deadline()), ([150, 50, 0].as_slice(), None));
    assert_eq!(store.census().revision, 500);
}

#[test]
fn a_portion_of_large_values_has_fewer_of_them() {
    let limits = StoreLimits { expire_bytes_max: 3000, ..unlimited() };
    let value = "v".repeat(1000);
    let mut store = workyard_globaldata_core::Store::new(limits);
    for name in ["a", "b", "c", "d"] {
        ask(&mut store, expiring(after(10), set(name, raw(&value))), |_| ());
    }
    expire(&mut store, at(10));
    assert_eq!(store.census().keys, 1);
    expire(&mut store, at(10));
    assert_eq!(store.census().keys, 0);
}

/// The sweep has not come to them yet, and there is room all the same.
#[test]
fn what_has_expired_does_not_stand_in_the_way() {
    let limits = for_two_that_expire();
    let too_many = "one key more is above keys_max, 2: delete some first";
    let put = |name| Step::Set { key: key(name), expiry: after(10), value: raw("123456789") };
    dialogue_in_time(
        limits,
        &[
            (0, expiring(after(10), set("a", raw("123456789"))), stored(1)),
            (0, expiring(after(10), set("b", raw("123456789"))), stored(2)),
            (9, set("c", raw("")), refused(Reason::LimitReached, too_many)),
            (10, expiring(after(10), set("c", raw("123456789"))), stored(4)),
            (10, expiring(after(10), set("d", raw("123456789"))), stored(6)),
            (20, batch(&[put("e"), put("f")]), applied(9, &[Stored, Stored])),
            (20, get_many(&["a", "b", "c", "d"]), got_many(&[None, None, None, None])),
        ],
    );
}

#[test]
fn a_lifetime_counts_against_the_bytes() {
    let above = "the store would take 133 bytes, above store_bytes_max, 132: delete some first";
    let limits = StoreLimits { store_bytes_max: 132, ..unlimited() };
    let value = "v".repeat(20);
    dialogue_in_time(
        limits,
        &[
            (0, expiring(after(10), set("a", raw(&value))), refused(Reason::LimitReached, above)),
            (0, set("a", raw(&value)), stored(1)),
            (0, touch("a", 10), refused(Reason::LimitReached, above)),
            (20, get("a"), got(1, raw(&value))),
            (20, expiring(after(10), set("a", raw("v"))), stored(2)),
            (20, touch("a", 20), left(2, 20)),
        ],
    );
}

#[test]
fn a_lifetime_that_is_written_a_million_times_takes_no_more() {
    let mut store = workyard_globaldata_core::Store::new(unlimited());
    for millis in 0..1_000_000 {
        let request = expiring(after(1000 + millis % 7), set("a", raw("v")));
        ask_at(&mut store, at(millis), request, |_| ());
        let deadline = at(millis + 1000 + millis % 7);
        assert_eq!(store.next_deadline(), Some(deadline));
    }
    assert_eq!(store.census(), Census { keys: 1, bytes: 1 + 1 + 64 + 48, revision: 1_000_000 });
}
