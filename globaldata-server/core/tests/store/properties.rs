//! Whatever is asked, the store answers as its model does.

use crate::ask::key;
use crate::harness::Harness;
use crate::model::Model;
use proptest::collection::vec;
use proptest::prelude::*;
use workyard_globaldata_core::{ENTRY_OVERHEAD_BYTES, StoreLimits};
use workyard_protocol::globaldata::{
    Batch, Delete, Exists, Expect, Get, GetMany, Increment, Request, Step, Write,
};
use workyard_protocol::{Encoding, Key, Number, Value};

/// A request that owns its parts. Names are few, so that requests meet.
#[derive(Clone, Debug)]
enum Op {
    Get(Name),
    GetMany(Vec<Name>),
    Exists(Name),
    Write(Name, Condition, Value),
    Increment(Name, Number, Option<Number>),
    Delete(Name),
    Batch(Vec<BatchOp>),
    Page(u32),
}

#[derive(Clone, Debug)]
enum BatchOp {
    Require(Name, Condition),
    Set(Name, Value),
    Increment(Name, Number, Option<Number>),
    Delete(Name),
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
            Self::Write(name, condition, value) => {
                let (key, value) = (key(name), value.as_ref());
                Request::Write(Write { key, expect: condition.expect(key, model), value })
            }
            Self::Increment(name, by, initial) => {
                Request::Increment(Increment { key: key(name), by: *by, initial: *initial })
            }
            Self::Delete(name) => Request::Delete(Delete { key: key(name) }),
            Self::Batch(steps) => {
                let steps = steps.iter().map(|step| step.step(model)).collect();
                Request::Batch(Batch { steps })
            }
            Self::Page(limit) => return harness.page(*limit),
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
            Self::Set(name, value) => Step::Set { key: key(name), value: value.as_ref() },
            Self::Increment(name, by, initial) => {
                Step::Increment { key: key(name), by: *by, initial: *initial }
            }
            Self::Delete(name) => Step::Delete { key: key(name) },
        }
    }
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

fn step() -> impl Strategy<Value = BatchOp> {
    prop_oneof![
        2 => (name(), condition()).prop_map(|(name, expect)| BatchOp::Require(name, expect)),
        3 => (name(), value()).prop_map(|(name, value)| BatchOp::Set(name, value)),
        2 => (name(), number(), prop::option::of(number()))
            .prop_map(|(name, by, initial)| BatchOp::Increment(name, by, initial)),
        2 => name().prop_map(BatchOp::Delete),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        1 => name().prop_map(Op::Get),
        1 => vec(name(), 0..5).prop_map(Op::GetMany),
        1 => name().prop_map(Op::Exists),
        4 => (name(), condition(), value()).prop_map(|(name, expect, value)| Op::Write(name, expect, value)),
        2 => (name(), number(), prop::option::of(number()))
            .prop_map(|(name, by, initial)| Op::Increment(name, by, initial)),
        2 => name().prop_map(Op::Delete),
        3 => vec(step(), 0..8).prop_map(Op::Batch),
        3 => (1..3u32).prop_map(Op::Page),
    ]
}

fn limits() -> impl Strategy<Value = StoreLimits> {
    let tight = StoreLimits {
        keys_max: 4,
        store_bytes_max: 4 * ENTRY_OVERHEAD_BYTES as u64 + 60,
        scan_slots_max: 2,
        ..StoreLimits::default()
    };
    prop_oneof![Just(StoreLimits::default()), Just(tight)]
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
