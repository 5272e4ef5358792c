//! Whatever is asked, the store answers as its model does.

use crate::ask::{key, ttl};
use crate::harness::Harness;
use crate::model::Model;
use proptest::collection::vec;
use proptest::prelude::*;
use workyard_globaldata_core::{ENTRY_OVERHEAD_BYTES, StoreLimits};
use workyard_protocol::globaldata::{
    AddWithin, Batch, Delete, End, Exists, Expect, Expiry, Get, GetMany, Increment, Look,
    Modification, Modify, PushItems, Question, Request, Step, Touch, Write,
};
use workyard_protocol::{Encoding, FieldName, Key, Number, Ttl, Value, ValueRef};

/// A request that owns its parts. Names are few, so that requests meet.
#[derive(Clone, Debug)]
enum Op {
    Get(Name),
    GetMany(Vec<Name>),
    Exists(Name),
    Write(Name, Condition, Expiry, Value),
    Increment(Name, Number, Option<Number>, Expiry),
    Delete(Name, Condition),
    Modify(Name, Expiry, Change),
    Look(Name, Ask),
    Batch(Vec<BatchOp>),
    Page(u32),
    Touch(Name, Option<Ttl>),
    Advance(u64),
    Expire,
}

#[derive(Clone, Debug)]
enum BatchOp {
    Require(Name, Condition),
    Set(Name, Expiry, Value),
    Increment(Name, Number, Option<Number>, Expiry),
    Delete(Name),
    Modify(Name, Expiry, Change),
}

/// A modification that owns its parts.
#[derive(Clone, Debug)]
enum Change {
    Append(String),
    Prepend(String),
    Min(Number),
    Max(Number),
    AddWithin(AddWithin),
    Swap(Value),
    Take,
    Push(End, Vec<Value>, Option<u32>),
    Pop(End, u32),
    SetAdd(Vec<Value>),
    SetRemove(Vec<Value>),
    MapSet(Vec<(String, Value)>),
    MapRemove(Vec<String>),
    MapIncrement(String, Number, Option<Number>),
}

/// A question that owns its parts.
#[derive(Clone, Debug)]
enum Ask {
    Length,
    Range(i64, u32),
    Contains(Vec<Value>),
    Fields(Vec<String>),
}

type Name = String;

#[derive(Clone, Debug)]
enum Condition {
    Any,
    Absent,
    /// The revision that the variable has before the request.
    Current,
    Revision(u64),
    Value(Value),
}

impl Op {
    /// Asks store and model.
    fn run(&self, harness: &mut Harness) {
        let model = &harness.model;
        let request = match self {
            Self::Get(name) => Request::Get(Get { key: key(name) }),
            Self::GetMany(names) => {
                Request::GetMany(GetMany { keys: names.iter().map(key).collect() })
            }
            Self::Exists(name) => Request::Exists(Exists { key: key(name) }),
            Self::Write(name, condition, expiry, value) => {
                let (key, expiry, value) = (key(name), *expiry, value.as_ref());
                let expect = condition.expect(key, model);
                Request::Write(Write { key, expect, expiry, value })
            }
            Self::Increment(name, by, initial, expiry) => {
                let (key, by, initial, expiry) = (key(name), *by, *initial, *expiry);
                Request::Increment(Increment { key, by, initial, expiry })
            }
            Self::Delete(name, condition) => {
                let key = key(name);
                Request::Delete(Delete { key, expect: condition.expect(key, model) })
            }
            Self::Modify(name, expiry, change) => {
                let (key, modification) = (key(name), change.modification());
                Request::Modify(Modify { key, expiry: *expiry, modification })
            }
            Self::Look(name, ask) => {
                Request::Look(Look { key: key(name), question: ask.question() })
            }
            Self::Batch(steps) => {
                let steps = steps.iter().map(|step| step.step(model)).collect();
                Request::Batch(Batch { steps })
            }
            Self::Touch(name, ttl) => Request::Touch(Touch { key: key(name), ttl: *ttl }),
            Self::Page(limit) => return harness.page(*limit),
            Self::Advance(millis) => return harness.advance(*millis),
            Self::Expire => return harness.expire(),
        };
        harness.request(&request);
    }
}

impl BatchOp {
    fn step(&self, model: &Model) -> Step<'_> {
        match self {
            Self::Require(name, condition) => {
                let key = key(name);
                Step::Require { key, expect: condition.expect(key, model) }
            }
            Self::Set(name, expiry, value) => {
                Step::Set { key: key(name), expiry: *expiry, value: value.as_ref() }
            }
            Self::Increment(name, by, initial, expiry) => {
                let (key, by, initial, expiry) = (key(name), *by, *initial, *expiry);
                Step::Increment { key, by, initial, expiry }
            }
            Self::Delete(name) => Step::Delete { key: key(name) },
            Self::Modify(name, expiry, change) => {
                let (key, modification) = (key(name), change.modification());
                Step::Modify { key, expiry: *expiry, modification }
            }
        }
    }
}

impl Change {
    fn modification(&self) -> Modification<'_> {
        match self {
            Self::Append(text) => Modification::Append(text.as_bytes()),
            Self::Prepend(text) => Modification::Prepend(text.as_bytes()),
            Self::Min(number) => Modification::Min(*number),
            Self::Max(number) => Modification::Max(*number),
            Self::AddWithin(addition) => Modification::AddWithin(*addition),
            Self::Swap(value) => Modification::Swap(value.as_ref()),
            Self::Take => Modification::Take,
            Self::Push(end, values, keep) => {
                let items = items(values);
                Modification::Push(PushItems { end: *end, items, keep: *keep })
            }
            Self::Pop(end, count) => Modification::Pop { end: *end, count: *count },
            Self::SetAdd(values) => Modification::SetAdd(items(values)),
            Self::SetRemove(values) => Modification::SetRemove(items(values)),
            Self::MapSet(fields) => Modification::MapSet(
                fields.iter().map(|(name, value)| (field(name), value.as_ref())).collect(),
            ),
            Self::MapRemove(fields) => {
                Modification::MapRemove(fields.iter().map(|name| field(name)).collect())
            }
            Self::MapIncrement(name, by, initial) => {
                Modification::MapIncrement { field: field(name), by: *by, initial: *initial }
            }
        }
    }
}

impl Ask {
    fn question(&self) -> Question<'_> {
        match self {
            Self::Length => Question::Length,
            Self::Range(start, count) => Question::Range { start: *start, count: *count },
            Self::Contains(values) => Question::Contains(items(values)),
            Self::Fields(fields) => {
                Question::Fields(fields.iter().map(|name| field(name)).collect())
            }
        }
    }
}

fn items(values: &[Value]) -> Vec<ValueRef<'_>> {
    values.iter().map(Value::as_ref).collect()
}

fn field(name: &str) -> FieldName<'_> {
    FieldName::new(name).expect("a short name")
}

impl Condition {
    fn expect(&self, key: Key<'_>, model: &Model) -> Expect<'_> {
        match self {
            Self::Any => Expect::Any,
            Self::Absent => Expect::Absent,
            Self::Current => Expect::Revision(model.revision(key).unwrap_or(0)),
            Self::Revision(revision) => Expect::Revision(*revision),
            Self::Value(value) => Expect::Value(value.as_ref()),
        }
    }
}

fn name() -> impl Strategy<Value = Name> {
    prop::sample::select(vec!["", "a", "b", "c", "counter", "counter:2"]).prop_map(str::to_owned)
}

/// As few kinds meet in few names, most modifications find the kind that they are for.
fn container_name() -> impl Strategy<Value = Name> {
    prop::sample::select(vec!["list", "list:2"]).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-2..3i64).prop_map(Value::Int),
        prop::sample::select(vec![i64::MAX, i64::MIN]).prop_map(Value::Int),
        prop::sample::select(vec![0.0, -0.0, 1.5, f64::NAN, f64::INFINITY]).prop_map(Value::Float),
        "[xy]{0,2}".prop_map(Value::text),
        "[xy]{8}|z{40}".prop_map(Value::text),
        "[xy]{1}".prop_map(|text| Value::Encoded { encoding: Encoding::Json, bytes: text.into() }),
    ]
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        (-2..3i64).prop_map(Number::Int),
        prop::sample::select(vec![i64::MAX, i64::MIN]).prop_map(Number::Int),
        prop::sample::select(vec![0.5, -0.0, f64::MAX, f64::INFINITY]).prop_map(Number::Float),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        3 => Just(Condition::Any),
        1 => Just(Condition::Absent),
        3 => Just(Condition::Current),
        1 => (0..10u64).prop_map(Condition::Revision),
        1 => value().prop_map(Condition::Value),
    ]
}

/// Short beside the steps in which time passes, so that most are met before and after.
fn lifetime() -> impl Strategy<Value = Ttl> {
    (1..30u64).prop_map(ttl)
}

fn expiry() -> impl Strategy<Value = Expiry> {
    prop_oneof![
        2 => Just(Expiry::Never),
        2 => Just(Expiry::Keep),
        3 => lifetime().prop_map(Expiry::After),
        2 => lifetime().prop_map(Expiry::AfterIfNew),
    ]
}

fn addition() -> impl Strategy<Value = AddWithin> {
    let bound = |least: i64| {
        prop::option::of(prop_oneof![
            (least..least + 4).prop_map(Number::Int),
            (least..least + 4).prop_map(|int| Number::Float(int as f64)),
        ])
    };
    (number(), prop::option::of(number()), bound(-4), bound(0), any::<bool>()).prop_map(
        |(by, initial, least, greatest, clamp)| AddWithin { by, initial, least, greatest, clamp },
    )
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => "[xy]{0,3}".prop_map(Change::Append),
        3 => "[xy]{0,3}".prop_map(Change::Prepend),
        1 => number().prop_map(Change::Min),
        1 => number().prop_map(Change::Max),
        3 => addition().prop_map(Change::AddWithin),
        1 => value().prop_map(Change::Swap),
        1 => Just(Change::Take),
        4 => (end(), vec(item(), 0..4), prop::option::of(1..4u32))
            .prop_map(|(end, items, keep)| Change::Push(end, items, keep)),
        3 => (end(), 1..4u32).prop_map(|(end, count)| Change::Pop(end, count)),
        4 => vec(item(), 0..4).prop_map(Change::SetAdd),
        3 => vec(item(), 0..4).prop_map(Change::SetRemove),
        4 => vec((field_name(), item()), 0..4).prop_map(Change::MapSet),
        3 => vec(field_name(), 0..4).prop_map(Change::MapRemove),
        3 => (field_name(), number(), prop::option::of(number()))
            .prop_map(|(name, by, initial)| Change::MapIncrement(name, by, initial)),
    ]
}

fn ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        Just(Ask::Length),
        (-5..5i64, 1..4u32).prop_map(|(start, count)| Ask::Range(start, count)),
        vec(item(), 0..4).prop_map(Ask::Contains),
        vec(field_name(), 0..4).prop_map(Ask::Fields),
    ]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::Front), Just(End::Back)]
}

/// Few and short, so that they meet.
fn item() -> impl Strategy<Value = Value> {
    prop_oneof![(-1..2i64).prop_map(Value::Int), "[xy]{0,2}".prop_map(Value::text)]
}

fn field_name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "a", "b", "ab"]).prop_map(str::to_owned)
}

fn step() -> impl Strategy<Value = BatchOp> {
    prop_oneof![
        2 => (name(), condition()).prop_map(|(name, expect)| BatchOp::Require(name, expect)),
        3 => (name(), expiry(), value())
            .prop_map(|(name, expiry, value)| BatchOp::Set(name, expiry, value)),
        2 => (name(), number(), prop::option::of(number()), expiry())
            .prop_map(|(name, by, initial, expiry)| BatchOp::Increment(name, by, initial, expiry)),
        2 => name().prop_map(BatchOp::Delete),
        3 => (name(), expiry(), change())
            .prop_map(|(name, expiry, change)| BatchOp::Modify(name, expiry, change)),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        1 => name().prop_map(Op::Get),
        1 => vec(name(), 0..5).prop_map(Op::GetMany),
        1 => name().prop_map(Op::Exists),
        4 => (name(), condition(), expiry(), value())
            .prop_map(|(name, expect, expiry, value)| Op::Write(name, expect, expiry, value)),
        2 => (name(), number(), prop::option::of(number()), expiry())
            .prop_map(|(name, by, initial, expiry)| Op::Increment(name, by, initial, expiry)),
        2 => (name(), condition()).prop_map(|(name, expect)| Op::Delete(name, expect)),
        5 => (name(), expiry(), change())
            .prop_map(|(name, expiry, change)| Op::Modify(name, expiry, change)),
        3 => (container_name(), expiry(), change())
            .prop_map(|(name, expiry, change)| Op::Modify(name, expiry, change)),
        2 => (container_name(), ask()).prop_map(|(name, ask)| Op::Look(name, ask)),
        3 => vec(step(), 0..8).prop_map(Op::Batch),
        3 => (1..3u32).prop_map(Op::Page),
        2 => (name(), prop::option::of(lifetime())).prop_map(|(name, ttl)| Op::Touch(name, ttl)),
        4 => (1..15u64).prop_map(Op::Advance),
        1 => Just(Op::Expire),
    ]
}

fn limits() -> impl Strategy<Value = StoreLimits> {
    let tight = StoreLimits {
        keys_max: 4,
        store_bytes_max: 4 * ENTRY_OVERHEAD_BYTES as u64 + 60,
        scan_slots_max: 2,
        modify_bytes_max: 30,
        ..StoreLimits::default()
    };
    // Small portions with much room: what is short of room frees a portion at most.
    let slow = StoreLimits { expire_keys_max: 1, ..StoreLimits::default() };
    prop_oneof![Just(StoreLimits::default()), Just(tight), Just(slow)]
}

proptest! {
    #[test]
    fn the_store_answers_as_its_model(limits in limits(), ops in vec(op(), 0..60)) {
        let mut harness = Harness::new(&limits);
        for op in &ops {
            op.run(&mut harness);
        }
        harness.finish();
    }
}
