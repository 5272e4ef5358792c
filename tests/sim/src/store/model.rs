//! The store in its simplest form: what every answer must be.

use super::record::bytes;
use super::truth::Change;
use std::collections::BTreeMap;
use workyard_protocol::globaldata::{
    AddWithin, Batch, BatchReply, Entry, Expect, Expiry, Modification, Modified, Modify, Outcome,
    Reply, Request, Step, Write, Written,
};
use workyard_protocol::{Key, Number, Refusal, Value, ValueRef};

/// Every variable there is.
#[derive(Debug, Default)]
pub(crate) struct Model {
    variables: BTreeMap<Vec<u8>, Variable>,
    /// The greatest number of a write that was told.
    last_revision: u64,
    /// What has changed since it was last taken out.
    pub(crate) changes: Vec<(Vec<u8>, Change)>,
}

#[derive(Clone, Debug)]
struct Variable {
    value: Value,
    revision: u64,
    /// From this millisecond on it is not there any more.
    ends_ms: Option<u64>,
}

impl Variable {
    fn entry(&self, now_ms: u64) -> Entry<'_> {
        Entry {
            revision: self.revision,
            ttl_ms: self.ends_ms.map(|ends| ends - now_ms),
            value: self.value.as_ref(),
        }
    }
}

/// What was answered or refused.
pub(crate) type Told<'a> = Result<&'a Reply<'a>, &'a Refusal>;

/// What is wrong with an answer.
type Checked = Result<(), String>;

impl Model {
    pub(crate) fn new(epoch: u64) -> Self {
        Self { variables: BTreeMap::new(), last_revision: epoch, changes: Vec::new() }
    }

    /// It is so late: what has expired is not there any more.
    pub(crate) fn at(&mut self, now_ms: u64) {
        let is_over = |variable: &Variable| variable.ends_ms.is_some_and(|ends| ends <= now_ms);
        let over = self.variables.extract_if(.., |_, variable| is_over(variable));
        self.changes.extend(over.map(|(key, _)| (key, Change::Expired)));
    }

    /// Carries a request out, and compares the answer.
    pub(crate) fn check(&mut self, now_ms: u64, request: &Request<'_>, told: Told<'_>) -> Checked {
        self.at(now_ms);
        match request {
            Request::Get(get) => {
                let found = self.entry(now_ms, get.key);
                expect(matches!(told, Ok(Reply::Got(entry)) if *entry == found), &found, told)
            }
            Request::GetMany(get) => {
                let found: Vec<_> = get.keys.iter().map(|key| self.entry(now_ms, *key)).collect();
                expect(matches!(told, Ok(Reply::GotMany(all)) if *all == found), &found, told)
            }
            Request::Exists(exists) => {
                let found = self.entry(now_ms, exists.key).map(|one| (one.revision, one.ttl_ms));
                let Ok(Reply::Existence(existence)) = told else { return wrong(&found, told) };
                expect(existence.map(|one| (one.revision, one.ttl_ms)) == found, &found, told)
            }
            Request::Write(write) => self.write(now_ms, write, told),
            Request::Delete(delete) => self.delete(delete.key, delete.expect, told),
            Request::Touch(touch) => {
                let ends_ms = touch.ttl.map(|ttl| now_ms + ttl.as_millis());
                let found = self.variables.get_mut(touch.key.as_bytes()).map(|variable| {
                    variable.ends_ms = ends_ms;
                    (variable.revision, touch.ttl.map(|ttl| ttl.as_millis()))
                });
                let Ok(Reply::Existence(existence)) = told else { return wrong(&found, told) };
                expect(existence.map(|one| (one.revision, one.ttl_ms)) == found, &found, told)
            }
            Request::Increment(request) => {
                let sum = self
                    .number(request.key)
                    .or(request.initial)
                    .and_then(|number| sum(number, request.by));
                let Some(value) = sum else { return expect(told.is_err(), &"a refusal", told) };
                let Ok(Reply::Incremented { revision, value: is }) = told else {
                    return wrong(&value, told);
                };
                self.store(now_ms, request.key, as_value(value), request.expiry, *revision)?;
                expect(*is == value, &value, told)
            }
            Request::Modify(modify) => self.modify(now_ms, modify, told),
            Request::Batch(batch) => self.batch(now_ms, batch, told),
            // What else there is does not touch variables.
            _ => Ok(()),
        }
    }

    fn write(&mut self, now_ms: u64, write: &Write<'_>, told: Told<'_>) -> Checked {
        let current = self.entry(now_ms, write.key);
        if !holds(write.expect, current.as_ref()) {
            let current = current.map_or(0, |entry| entry.revision);
            let conflict = Reply::Written(Written::Conflict { current });
            return expect(told == Ok(&conflict), &conflict, told);
        }
        let Ok(Reply::Written(Written::Stored { revision })) = told else {
            return wrong(&"stored", told);
        };
        self.store(now_ms, write.key, write.value.to_value(), write.expiry, *revision)
    }

    /// Batches are used to store one value under a lock.
    fn batch(&mut self, now_ms: u64, batch: &Batch<'_>, told: Told<'_>) -> Checked {
        let Ok(Reply::Batch(BatchReply::Applied { revision, .. })) = told else { return Ok(()) };
        for step in &batch.steps {
            if let Step::Set { key, expiry, value } = step {
                self.store(now_ms, *key, value.to_value(), *expiry, *revision)?;
            }
        }
        Ok(())
    }

    fn delete(&mut self, key: Key<'_>, expected: Expect<'_>, told: Told<'_>) -> Checked {
        let current = self.entry(0, key);
        let revision = current.map_or(0, |entry| entry.revision);
        let reply = match holds(expected, current.as_ref()) {
            true => Reply::Deleted { existed: current.is_some() },
            false => Reply::Written(Written::Conflict { current: revision }),
        };
        let is_right = expect(told == Ok(&reply), &reply, told);
        if matches!(reply, Reply::Deleted { .. }) {
            self.remove(key);
        }
        is_right
    }

    fn modify(&mut self, now_ms: u64, modify: &Modify<'_>, told: Told<'_>) -> Checked {
        let Modify { key, expiry, modification } = modify;
        let before = self.variables.get(key.as_bytes()).map(|variable| variable.value.clone());
        let (outcome, after) = match modification {
            Modification::Append(bytes) => {
                let mut all = before.as_ref().map_or(Vec::new(), bytes_of);
                all.extend_from_slice(bytes);
                (Outcome::Length(all.len() as u64), Some(raw(&all)))
            }
            Modification::Swap(value) => (taken(before.as_ref()), Some(value.to_value())),
            Modification::Take => (taken(before.as_ref()), None),
            Modification::AddWithin(addition) => match self.add_within(*key, *addition) {
                Some((number, true)) => (Outcome::Number(number), Some(as_value(number))),
                Some((number, false)) => (Outcome::OutOfBounds(number), before.clone()),
                None => return expect(told.is_err(), &"a refusal", told),
            },
            // Not asked for here.
            _ => return Ok(()),
        };
        let Ok(Reply::Modified(Modified { revision, outcome: is, .. })) = told else {
            return wrong(&outcome, told);
        };
        match after {
            None => self.remove(*key),
            Some(_) if matches!(outcome, Outcome::OutOfBounds(_)) => {}
            Some(value) => self.store(now_ms, *key, value, *expiry, *revision)?,
        }
        expect(*is == outcome, &outcome, told)
    }

    /// What comes of a bounded addition, and whether it is carried out.
    fn add_within(&self, key: Key<'_>, addition: AddWithin) -> Option<(Number, bool)> {
        let AddWithin { by, initial, least, greatest, .. } = addition;
        let number = self.number(key).or(initial)?;
        let (Number::Int(sum), bound) = (sum(number, by)?, int_of) else { return None };
        let is_within = least.is_none_or(|least| sum >= bound(least))
            && greatest.is_none_or(|greatest| sum <= bound(greatest));
        Some(if is_within { (Number::Int(sum), true) } else { (number, false) })
    }

    fn store(
        &mut self,
        now_ms: u64,
        key: Key<'_>,
        value: Value,
        expiry: Expiry,
        revision: u64,
    ) -> Checked {
        let last = std::mem::replace(&mut self.last_revision, revision);
        let before = self.variables.get(key.as_bytes());
        let ends_ms = match (expiry, before) {
            (Expiry::Never, _) | (Expiry::Keep, None) => None,
            (Expiry::Keep | Expiry::AfterIfNew(_), Some(before)) => before.ends_ms,
            (Expiry::After(ttl), _) | (Expiry::AfterIfNew(ttl), None) => {
                Some(now_ms + ttl.as_millis())
            }
        };
        let change = Change::Stored { revision, value: bytes(value.as_ref()) };
        self.changes.push((key.as_bytes().to_vec(), change));
        self.variables.insert(key.as_bytes().to_vec(), Variable { value, revision, ends_ms });
        match revision > last {
            true => Ok(()),
            false => Err(format!("revision {revision} follows {last}")),
        }
    }

    fn remove(&mut self, key: Key<'_>) {
        if self.variables.remove(key.as_bytes()).is_some() {
            self.changes.push((key.as_bytes().to_vec(), Change::Deleted));
        }
    }

    fn entry(&self, now_ms: u64, key: Key<'_>) -> Option<Entry<'_>> {
        self.variables.get(key.as_bytes()).map(|variable| variable.entry(now_ms))
    }

    fn number(&self, key: Key<'_>) -> Option<Number> {
        self.variables.get(key.as_bytes()).map(|variable| match variable.value {
            Value::Int(int) => Number::Int(int),
            // Not used for counting.
            _ => Number::Int(0),
        })
    }
}

fn holds(expected: Expect<'_>, current: Option<&Entry<'_>>) -> bool {
    match expected {
        Expect::Any => true,
        Expect::Absent => current.is_none(),
        Expect::Revision(revision) => current.is_some_and(|entry| entry.revision == revision),
        Expect::Value(value) => current.is_some_and(|entry| entry.value == value),
    }
}

fn sum(number: Number, by: Number) -> Option<Number> {
    int_of(number).checked_add(int_of(by)).map(Number::Int)
}

fn int_of(number: Number) -> i64 {
    match number {
        Number::Int(int) => int,
        Number::Float(_) => 0,
    }
}

fn as_value(number: Number) -> Value {
    Value::Int(int_of(number))
}

fn bytes_of(value: &Value) -> Vec<u8> {
    match value.as_ref() {
        ValueRef::Encoded { bytes, .. } => bytes.to_vec(),
        ValueRef::Int(_) | ValueRef::Float(_) => Vec::new(),
    }
}

fn raw(bytes: &[u8]) -> Value {
    ValueRef::raw(bytes).to_value()
}

fn taken(value: Option<&Value>) -> Outcome<'_> {
    Outcome::Values(value.map(Value::as_ref).into_iter().collect())
}

fn expect(holds: bool, expected: &impl std::fmt::Debug, told: Told<'_>) -> Checked {
    if holds { Ok(()) } else { wrong(expected, told) }
}

fn wrong(expected: &impl std::fmt::Debug, told: Told<'_>) -> Checked {
    Err(format!("answered {told:?}, and not {expected:?}"))
}
