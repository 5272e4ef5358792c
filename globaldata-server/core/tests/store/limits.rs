//! What a store refuses to hold or to answer, and that nothing changes then.

use crate::ask::*;
use workyard_globaldata_core::{ENTRY_OVERHEAD_BYTES, StoreLimits};
use workyard_protocol::globaldata::StepResult::{Deleted, Stored};
use workyard_protocol::globaldata::{Expect, Expiry, Step};
use workyard_protocol::{Number, Reason, ValueRef};

fn two_keys() -> StoreLimits {
    StoreLimits { keys_max: 2, ..StoreLimits::default() }
}

/// Room for one variable with a key of one byte and ten bytes of value.
fn ten_bytes() -> StoreLimits {
    let store_bytes_max = (1 + 10 + ENTRY_OVERHEAD_BYTES) as u64;
    StoreLimits { store_bytes_max, ..StoreLimits::default() }
}

const TOO_MANY_KEYS: &str = "one key more is above keys_max, 2: delete some first";

#[test]
fn keys_max_is_the_most_keys() {
    dialogue_within(
        two_keys(),
        &[
            (set("a", raw("1")), stored(1)),
            (set("b", raw("2")), stored(2)),
            (set("c", raw("3")), refused(Reason::LimitReached, TOO_MANY_KEYS)),
            (add("c", raw("3")), refused(Reason::LimitReached, TOO_MANY_KEYS)),
            (increment_from("c", 1, 0), refused(Reason::LimitReached, TOO_MANY_KEYS)),
            (add("a", raw("3")), conflict(1)),
            (set("a", raw("4")), stored(3)),
            (delete("b"), deleted(true)),
            (set("c", raw("5")), stored(5)),
        ],
    );
}

#[test]
fn store_bytes_max_is_the_most_bytes() {
    let above = |bytes| {
        format!("the store would take {bytes} bytes, above store_bytes_max, 75: delete some first")
    };
    dialogue_within(
        ten_bytes(),
        &[
            (set("a", raw("12345678901")), refused(Reason::LimitReached, &above(76))),
            (set("ab", raw("1234567890")), refused(Reason::LimitReached, &above(76))),
            (set("a", raw("1234567890")), stored(1)),
            (set("b", raw("")), refused(Reason::LimitReached, &above(140))),
            (set("a", raw("12345678901")), refused(Reason::LimitReached, &above(76))),
            (get("a"), got(1, raw("1234567890"))),
            (set("a", raw("0987654321")), stored(2)),
            (set("a", ValueRef::Int(1)), stored(3)),
            (increment("a", 1), incremented(4, 2)),
            (delete("a"), deleted(true)),
            (set("b", raw("1234567890")), stored(6)),
        ],
    );
}

#[test]
fn a_batch_over_a_limit_leaves_nothing() {
    let put = |name, value| Step::Set { key: key(name), expiry: Expiry::Never, value };
    let remove = |name| Step::Delete { key: key(name) };
    dialogue_within(
        two_keys(),
        &[
            (set("a", raw("1")), stored(1)),
            (
                batch(&[put("b", raw("2")), remove("a"), put("c", raw("3")), put("d", raw("4"))]),
                batch_refused(3, Reason::LimitReached, TOO_MANY_KEYS),
            ),
            (get_many(&["a", "b", "c"]), got_many(&[entry(1, raw("1")), None, None])),
            (
                batch(&[put("b", raw("2")), remove("a"), put("c", raw("3"))]),
                applied(2, &[Stored, Deleted(true), Stored]),
            ),
        ],
    );
}

#[test]
fn list_items_max_bounds_batches_and_get_many() {
    let limits = StoreLimits { list_items_max: 2, ..StoreLimits::default() };
    let step = Step::Require { key: key("a"), expect: Expect::Any };
    dialogue_within(
        limits,
        &[
            (get_many(&["a", "b"]), got_many(&[None, None])),
            (
                get_many(&["a", "b", "c"]),
                refused(Reason::LimitReached, "3 keys of a get_many are above list_items_max, 2"),
            ),
            (
                batch(&vec![step; 3]),
                refused(Reason::LimitReached, "3 steps of a batch are above list_items_max, 2"),
            ),
        ],
    );
}

#[test]
fn reply_bytes_max_bounds_what_get_many_answers() {
    let limits = StoreLimits { reply_bytes_max: 1000, ..StoreLimits::default() };
    let value = "v".repeat(400);
    dialogue_within(
        limits,
        &[
            (set("a", raw(&value)), stored(1)),
            (get_many(&["a", "a"]), got_many(&[entry(1, raw(&value)), entry(1, raw(&value))])),
            (
                get_many(&["a", "none", "a", "a"]),
                refused(
                    Reason::ReplyTooLarge,
                    "the answer could take 1320 bytes, above reply_bytes_max, 1000: ask for less at once",
                ),
            ),
        ],
    );
}

#[test]
fn reply_bytes_max_bounds_what_a_batch_answers() {
    let limits = StoreLimits { reply_bytes_max: 60, ..StoreLimits::default() };
    let put = Step::Set { key: key("a"), expiry: Expiry::Never, value: ValueRef::Int(1) };
    let plus =
        Step::Increment { key: key("a"), by: Number::Int(1), initial: None, expiry: Expiry::Keep };
    dialogue_within(
        limits,
        &[
            (batch(&vec![put; 14]), applied(1, &[Stored; 14])),
            (
                batch(&vec![plus; 3]),
                refused(
                    Reason::ReplyTooLarge,
                    "the answer could take 65 bytes, above reply_bytes_max, 60: ask for less at once",
                ),
            ),
            (get("a"), got(1, ValueRef::Int(1))),
        ],
    );
}
