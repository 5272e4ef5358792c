//! Lists, sets and maps: what changes them, what reads them, and what is none.

use crate::ask::*;
use workyard_globaldata_core::StoreLimits;
use workyard_protocol::container::{put_field, put_item};
use workyard_protocol::globaldata::{
    End, Found, Modification, Outcome, PushItems, Question, Request, Step, StepResult,
};
use workyard_protocol::{Encoding, FieldName, Number, Reason, Value, ValueRef};

fn values<'a>(texts: &[&'a str]) -> Vec<ValueRef<'a>> {
    texts.iter().map(|text| raw(text)).collect()
}

fn push<'a>(end: End, texts: &[&'a str]) -> Modification<'a> {
    Modification::Push(PushItems { end, items: values(texts), keep: None })
}

fn back<'a>(texts: &[&'a str]) -> Modification<'a> {
    push(End::Back, texts)
}

fn keeping<'a>(end: End, keep: u32, texts: &[&'a str]) -> Modification<'a> {
    Modification::Push(PushItems { end, items: values(texts), keep: Some(keep) })
}

fn pop(end: End, count: u32) -> Modification<'static> {
    Modification::Pop { end, count }
}

fn fields<'a>(fields: &[(&'a str, i64)]) -> Modification<'a> {
    let field = |(name, int): &(&'a str, i64)| (field(name), ValueRef::Int(*int));
    Modification::MapSet(fields.iter().map(field).collect())
}

fn field(name: &str) -> FieldName<'_> {
    FieldName::new(name).expect("a short name")
}

fn names<'a>(names: &[&'a str]) -> Vec<FieldName<'a>> {
    names.iter().map(|name| field(name)).collect()
}

fn length(revision: u64, length: u64) -> Answer<'static> {
    modified(revision, Outcome::Length(length))
}

fn count(revision: u64, count: u64) -> Answer<'static> {
    modified(revision, Outcome::Count(count))
}

fn popped<'a>(revision: u64, texts: &[&'a str]) -> Answer<'a> {
    modified(revision, Outcome::Values(values(texts)))
}

fn range(name: &str, start: i64, count: u32) -> Request<'_> {
    look(name, Question::Range { start, count })
}

fn items<'a>(revision: u64, texts: &[&'a str]) -> Answer<'a> {
    looked(revision, Found::Values(texts.iter().map(|text| Some(raw(text))).collect()))
}

fn container(encoding: Encoding, bytes: Vec<u8>) -> Value {
    Value::Encoded { encoding, bytes: bytes.into() }
}

fn list(texts: &[&str]) -> Value {
    let mut bytes = Vec::new();
    texts.iter().for_each(|text| put_item(raw(text), &mut bytes));
    container(Encoding::List, bytes)
}

#[test]
fn a_list_grows_and_shrinks_at_both_ends() {
    let four = list(&["z", "y", "a", "b"]);
    dialogue(&[
        (modify("l", pop(End::Front, 1)), popped(0, &[])),
        (modify("l", back(&["a", "b"])), length(1, 2)),
        (modify("l", push(End::Front, &["y", "z"])), length(2, 4)),
        (get("l"), got(2, four.as_ref())),
        (modify("l", back(&[])), length(2, 4)),
        (modify("l", pop(End::Back, 1)), popped(3, &["b"])),
        (modify("l", pop(End::Front, 2)), popped(4, &["z", "y"])),
        (modify("l", back(&["c", "d"])), length(5, 3)),
        (modify("l", pop(End::Back, 9)), popped(6, &["d", "c", "a"])),
        (get("l"), got_nothing()),
        (modify("l", pop(End::Back, 9)), popped(0, &[])),
    ]);
}

#[test]
fn a_list_keeps_as_many_as_it_is_told() {
    dialogue(&[
        (modify("l", keeping(End::Back, 3, &["a", "b", "c", "d"])), length(1, 3)),
        (range("l", 0, 9), items(1, &["b", "c", "d"])),
        (modify("l", keeping(End::Front, 3, &["x"])), length(2, 3)),
        (range("l", 0, 9), items(2, &["x", "b", "c"])),
        (modify("l", keeping(End::Front, 2, &["1", "2", "3"])), length(3, 2)),
        (range("l", 0, 9), items(3, &["3", "2"])),
        (modify("l", keeping(End::Back, 1, &[])), length(4, 1)),
        (range("l", 0, 9), items(4, &["2"])),
        (modify("l", keeping(End::Back, 1, &[])), length(4, 1)),
    ]);
}

#[test]
fn a_range_counts_from_either_end() {
    dialogue(&[
        (range("l", 0, 5), items(0, &[])),
        (modify("l", back(&["a", "b", "c"])), length(1, 3)),
        (look("l", Question::Length), looked(1, Found::Length(3))),
        (range("l", 0, 2), items(1, &["a", "b"])),
        (range("l", 2, 2), items(1, &["c"])),
        (range("l", 3, 2), items(1, &[])),
        (range("l", i64::MAX, 2), items(1, &[])),
        (range("l", -1, 2), items(1, &["c"])),
        (range("l", -3, 2), items(1, &["a", "b"])),
        (range("l", i64::MIN, 2), items(1, &["a", "b"])),
    ]);
}

#[test]
fn a_set_has_each_item_once_and_is_sorted() {
    let mut bytes = Vec::new();
    [raw("a"), raw("b"), ValueRef::Int(5)].iter().for_each(|item| put_item(*item, &mut bytes));
    let set = container(Encoding::Set, bytes);
    let five = || Modification::SetAdd(vec![ValueRef::Int(5)]);
    dialogue(&[
        (modify("s", Modification::SetAdd(values(&["b", "a", "b"]))), count(1, 2)),
        (modify("s", five()), count(2, 1)),
        (modify("s", five()), count(2, 0)),
        (get("s"), got(2, set.as_ref())),
        (look("s", Question::Length), looked(2, Found::Length(3))),
        (
            look("s", Question::Contains(vec![raw("b"), raw("5"), ValueRef::Int(5), raw("b")])),
            looked(2, Found::Flags(vec![true, false, true, true])),
        ),
        (modify("s", Modification::SetRemove(values(&["c", "a"]))), count(3, 1)),
        (modify("s", Modification::SetRemove(values(&["c", "a"]))), count(3, 0)),
        (modify("s", Modification::SetRemove(vec![raw("b"), ValueRef::Int(5)])), count(4, 2)),
        (get("s"), got_nothing()),
        (look("s", Question::Contains(vec![raw("b")])), looked(0, Found::Flags(vec![false]))),
    ]);
}

#[test]
fn a_map_has_a_value_for_each_field() {
    let int = |int| Some(ValueRef::Int(int));
    let mut bytes = Vec::new();
    put_field(field("a"), ValueRef::Int(3), &mut bytes);
    put_field(field("b"), ValueRef::Int(2), &mut bytes);
    let map = container(Encoding::Map, bytes);
    let add = |name, by| {
        let (by, initial) = (Number::Int(by), Some(Number::Int(0)));
        Modification::MapIncrement { field: field(name), by, initial }
    };
    dialogue(&[
        (modify("m", fields(&[("b", 1), ("a", 3), ("b", 2)])), count(1, 2)),
        (get("m"), got(1, map.as_ref())),
        (modify("m", fields(&[("b", 2)])), count(1, 0)),
        (modify("m", fields(&[("b", 4), ("c", 5)])), count(2, 1)),
        (
            look("m", Question::Fields(names(&["c", "none", "a", "c"]))),
            looked(2, Found::Values(vec![int(5), None, int(3), int(5)])),
        ),
        (modify("m", add("a", -3)), modified(3, Outcome::Number(Number::Int(0)))),
        (modify("m", add("new", 7)), modified(4, Outcome::Number(Number::Int(7)))),
        (look("m", Question::Length), looked(4, Found::Length(4))),
        (modify("m", Modification::MapRemove(names(&["a", "a", "x"]))), count(5, 1)),
        (modify("m", Modification::MapRemove(names(&["b", "c", "new"]))), count(6, 3)),
        (get("m"), got_nothing()),
    ]);
}

#[test]
fn a_field_is_incremented_as_a_variable_is() {
    let add = |name| {
        let (by, initial) = (Number::Int(1), None);
        modify("m", Modification::MapIncrement { field: field(name), by, initial })
    };
    let text = Modification::MapSet(vec![(field("text"), raw("5"))]);
    dialogue(&[
        (
            add("none"),
            refused(
                Reason::NotFound,
                "field \"none\" of key \"m\" does not exist: set it first, or give an initial value",
            ),
        ),
        (modify("m", text), count(1, 1)),
        (
            add("text"),
            refused(
                Reason::NotANumber,
                "field \"text\" of key \"m\" is raw of 1 bytes: only an int or a float is a number",
            ),
        ),
        (modify("m", fields(&[("most", i64::MAX)])), count(2, 1)),
        (
            add("most"),
            refused(
                Reason::OutOfRange,
                "field \"most\" of key \"m\": 9223372036854775807 + 1 is not a 64-bit integer",
            ),
        ),
    ]);
}

#[test]
fn each_kind_is_for_its_own_modifications() {
    let wrong = |text: &str| refused(Reason::WrongKind, text);
    let php = ValueRef::Encoded { encoding: Encoding::Php, bytes: b"a:0:{}" };
    dialogue(&[
        (set("php", php), stored(1)),
        (modify("php", back(&["a"])), wrong("key \"php\" is php of 6 bytes: this is for a list")),
        (
            look("php", Question::Length),
            wrong("key \"php\" is php of 6 bytes: only lists, sets and maps have items"),
        ),
        (modify("l", back(&["a"])), length(2, 1)),
        (
            modify("l", Modification::SetAdd(values(&["a"]))),
            wrong("key \"l\" is list of 6 bytes: this is for a set"),
        ),
        (
            look("l", Question::Fields(names(&["a"]))),
            wrong("key \"l\" is list of 6 bytes: this is for a map"),
        ),
        (
            modify("l", Modification::Append(b"x")),
            wrong("key \"l\" is list of 6 bytes: only raw bytes are appended to"),
        ),
        (range("l", 0, 1), items(2, &["a"])),
    ]);
}

#[test]
fn a_container_stays_within_its_limits() {
    let limits = StoreLimits { modify_bytes_max: 12, ..StoreLimits::default() };
    let above = |bytes| {
        let text = format!(
            "key \"l\" has or would have {bytes} bytes, above modify_bytes_max, 12: begin another"
        );
        refused(Reason::LimitReached, &text)
    };
    let long = list(&["a", "b", "c"]);
    dialogue_within(
        limits,
        &[
            (modify("l", back(&["a", "b"])), length(1, 2)),
            (modify("l", back(&["c"])), above(18)),
            (modify("l", keeping(End::Back, 2, &["c"])), length(2, 2)),
            (range("l", 0, 9), items(2, &["b", "c"])),
            (set("l", long.as_ref()), stored(3)),
            (modify("l", pop(End::Front, 1)), above(18)),
            (range("l", 0, 9), items(3, &["a", "b", "c"])),
        ],
    );
}

#[test]
fn an_answer_that_would_be_too_long_is_refused() {
    let limits = StoreLimits { reply_bytes_max: 64, ..StoreLimits::default() };
    let wide = "0123456789";
    dialogue_within(
        limits,
        &[
            (modify("m", Modification::MapSet(vec![(field("a"), raw(wide))])), count(1, 1)),
            (
                look("m", Question::Fields(names(&["a"]))),
                looked(1, Found::Values(vec![Some(raw(wide))])),
            ),
            (
                look("m", Question::Fields(names(&["a", "a"]))),
                refused(
                    Reason::ReplyTooLarge,
                    "the answer could take 66 bytes, above reply_bytes_max, 64: ask for less at once",
                ),
            ),
        ],
    );
}

#[test]
fn containers_change_in_batches() {
    let step = |name: &'static str, modification| Step::Modify {
        key: key(name),
        expiry: after(50),
        modification,
    };
    let limits = StoreLimits::default();
    let batch_of = || {
        batch(&[
            step("l", back(&["a"])),
            step("s", Modification::SetAdd(values(&["a", "b"]))),
            step("m", fields(&[("a", 1)])),
        ])
    };
    let results = [StepResult::Length(1), StepResult::Count(2), StepResult::Count(1)];
    dialogue_in_time(
        limits,
        &[
            (0, batch_of(), applied(1, &results)),
            (10, get("l"), got_for(1, 40, list(&["a"]).as_ref())),
            (
                10,
                batch(&[
                    step("s", Modification::SetRemove(values(&["a", "b"]))),
                    step("l", pop(End::Back, 1)),
                ]),
                batch_refused(
                    1,
                    Reason::InvalidArgument,
                    "a batch tells no values: modify with this in a request of its own",
                ),
            ),
            (10, look("s", Question::Length), looked(1, Found::Length(2))),
        ],
    );
}
