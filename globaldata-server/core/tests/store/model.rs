//! The store as simply as it can be said: a sorted map, copied before each batch, from which what has
//! expired is gone at once.

use crate::ask::{Answer, batch_refused, refused};
use crate::model_containers;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use workyard_engine::Time;
use workyard_globaldata_core::{Census, ENTRY_OVERHEAD_BYTES, EXPIRY_OVERHEAD_BYTES, StoreLimits};
use workyard_protocol::globaldata::{
    AddWithin, Batch, BatchReply, Entry, Existence, Expect, Expiry, Found, Increment, Look, Looked,
    Modification, Modified, Modify, Outcome, Question, Reply, Request, Step, StepResult, Touch,
    Write, Written,
};
use workyard_protocol::{Encoding, Key, Number, Reason, Value, ValueRef};

#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) limits: StoreLimits,
    pub(crate) variables: BTreeMap<Vec<u8>, Variable>,
    /// The number of the latest write. The harness adds what the store gave to expiries.
    pub(crate) revision: u64,
    pub(crate) now: Time,
    /// What the latest modification tells.
    taken: Vec<Value>,
}

/// How a modification ended; what it tells of values is what it found.
#[derive(Clone, Copy)]
pub(crate) enum Outcomes {
    Length(u64),
    Number(Number),
    OutOfBounds(Number),
    Taken,
    Count(u64),
}

#[derive(Clone)]
pub(crate) struct Variable {
    pub(crate) revision: u64,
    pub(crate) value: Value,
    deadline: Option<Time>,
}

enum Stop {
    Conflict,
    Refused(Reason),
}

impl Model {
    pub(crate) fn new(limits: StoreLimits) -> Self {
        Self {
            limits,
            variables: BTreeMap::new(),
            revision: 0,
            now: Time::default(),
            taken: Vec::new(),
        }
    }

    pub(crate) fn census(&self) -> Census {
        let bytes = self.variables.iter().map(|(key, Variable { value, deadline, .. })| {
            let expiry = deadline.map_or(0, |_| EXPIRY_OVERHEAD_BYTES);
            (key.len() + value.as_ref().byte_len() + ENTRY_OVERHEAD_BYTES + expiry) as u64
        });
        Census { keys: self.variables.len() as u64, bytes: bytes.sum(), revision: self.revision }
    }

    /// It is that late. How many variables are gone by that.
    pub(crate) fn advance(&mut self, now: Time) -> u64 {
        let before = self.variables.len();
        self.now = now;
        self.variables.retain(|_, it| it.deadline.is_none_or(|deadline| now < deadline));
        (before - self.variables.len()) as u64
    }

    /// When the next variable expires.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.variables.values().filter_map(|it| it.deadline).min()
    }

    /// The answer, its texts left empty. Pages are the harness's.
    pub(crate) fn answer(&mut self, request: &Request<'_>) -> Answer<'_> {
        Answer::Reply(match request {
            Request::Get(get) => Reply::Got(self.entry(get.key)),
            Request::GetMany(get) => {
                Reply::GotMany(get.keys.iter().map(|key| self.entry(*key)).collect())
            }
            Request::Exists(exists) => Reply::Existence(self.existence(exists.key)),
            Request::Touch(touch) => match self.touch(touch) {
                Ok(existence) => Reply::Existence(existence),
                Err(reason) => return refused(reason, ""),
            },
            Request::Delete(delete) if !self.holds(delete.key, delete.expect) => {
                let current = self.revision(delete.key).unwrap_or(0);
                Reply::Written(Written::Conflict { current })
            }
            Request::Delete(delete) => Reply::Deleted { existed: self.delete(delete.key) },
            Request::Modify(Modify { key, expiry, modification }) => {
                self.taken.clear();
                let before = self.revision;
                match self.modify(*key, *expiry, modification) {
                    Ok(modified) => {
                        let has_changed = self.revision > before;
                        let kept = self.revision(*key).unwrap_or(0);
                        let revision = if has_changed { self.revision } else { kept };
                        let ttl_ms = self.existence(*key).and_then(|it| it.ttl_ms);
                        let outcome = self.outcome(modified);
                        Reply::Modified(Modified { revision, ttl_ms, outcome })
                    }
                    Err(reason) => return refused(reason, ""),
                }
            }
            Request::Write(write) => match self.write(write) {
                Ok(written) => Reply::Written(written),
                Err(reason) => return refused(reason, ""),
            },
            Request::Increment(Increment { key, by, initial, expiry }) => {
                match self.increment(*key, *by, *initial, *expiry) {
                    Ok(value) => Reply::Incremented { revision: self.revision, value },
                    Err(reason) => return refused(reason, ""),
                }
            }
            Request::Look(Look { key, question }) => match self.look(*key, question) {
                Ok(found) => {
                    let revision = self.revision(*key).unwrap_or(0);
                    Reply::Looked(Looked { revision, found })
                }
                Err(reason) => return refused(reason, ""),
            },
            Request::Batch(batch) => return self.batch(batch),
            Request::Lock(_) | Request::Unlock(_) | Request::RenewLocks(_) | Request::Locks(_) => {
                panic!("locks have a model of their own")
            }
            Request::Keys(_) | Request::Entries(_) | Request::Count(_) => {
                panic!("the harness scans")
            }
            Request::Watch(_) | Request::Unwatch(_) => panic!("watches have a model of their own"),
        })
    }

    pub(crate) fn revision(&self, key: Key<'_>) -> Option<u64> {
        self.entry(key).map(|entry| entry.revision)
    }

    fn entry(&self, key: Key<'_>) -> Option<Entry<'_>> {
        let variable = self.variables.get(key.as_bytes())?;
        let (revision, value) = (variable.revision, variable.value.as_ref());
        Some(Entry { revision, ttl_ms: variable.ttl_ms(self.now), value })
    }

    fn existence(&self, key: Key<'_>) -> Option<Existence> {
        let Entry { revision, ttl_ms, .. } = self.entry(key)?;
        Some(Existence { revision, ttl_ms })
    }

    fn touch(&mut self, touch: &Touch<'_>) -> Result<Option<Existence>, Reason> {
        let mut next = self.clone();
        if let Some(variable) = next.variables.get_mut(touch.key.as_bytes()) {
            variable.deadline = touch.ttl.map(|ttl| self.now + ttl.into());
        }
        self.become_within_limits(next)?;
        Ok(self.existence(touch.key))
    }

    fn holds(&self, key: Key<'_>, expect: Expect<'_>) -> bool {
        let current = self.entry(key);
        match expect {
            Expect::Any => true,
            Expect::Absent => current.is_none(),
            Expect::Revision(wanted) => current.is_some_and(|entry| entry.revision == wanted),
            Expect::Value(wanted) => current.is_some_and(|entry| entry.value == wanted),
        }
    }

    fn write(&mut self, write: &Write<'_>) -> Result<Written, Reason> {
        if !self.holds(write.key, write.expect) {
            return Ok(Written::Conflict { current: self.revision(write.key).unwrap_or(0) });
        }
        self.set(write.key, write.value, write.expiry)?;
        Ok(Written::Stored { revision: self.revision })
    }

    fn set(&mut self, key: Key<'_>, value: ValueRef<'_>, expiry: Expiry) -> Result<(), Reason> {
        let mut next = self.clone();
        next.revision += 1;
        let old = self.variables.get(key.as_bytes());
        let deadline = match (expiry, old) {
            (Expiry::Never, _) | (Expiry::Keep, None) => None,
            (Expiry::Keep | Expiry::AfterIfNew(_), Some(old)) => old.deadline,
            (Expiry::After(ttl), _) | (Expiry::AfterIfNew(ttl), None) => {
                Some(self.now + ttl.into())
            }
        };
        let variable = Variable { revision: next.revision, value: value.to_value(), deadline };
        next.variables.insert(key.as_bytes().to_vec(), variable);
        self.become_within_limits(next)
    }

    fn become_within_limits(&mut self, next: Self) -> Result<(), Reason> {
        let (before, after) = (self.census(), next.census());
        let too_many = after.keys > before.keys && after.keys > u64::from(self.limits.keys_max);
        let too_big = after.bytes > before.bytes && after.bytes > self.limits.store_bytes_max;
        if too_many || too_big {
            return Err(Reason::LimitReached);
        }
        *self = next;
        Ok(())
    }

    fn increment(
        &mut self,
        key: Key<'_>,
        by: Number,
        initial: Option<Number>,
        expiry: Expiry,
    ) -> Result<Number, Reason> {
        let before = match self.entry(key) {
            Some(entry) => entry.value.number().ok_or(Reason::NotANumber)?,
            None => initial.ok_or(Reason::NotFound)?,
        };
        let sum = before.checked_add(by).ok_or(Reason::OutOfRange)?;
        self.set(key, sum.into(), expiry)?;
        Ok(sum)
    }

    fn modify(
        &mut self,
        key: Key<'_>,
        expiry: Expiry,
        modification: &Modification<'_>,
    ) -> Result<Outcomes, Reason> {
        let present = self.variables.get(key.as_bytes()).map(|it| it.value.clone());
        let present = present.as_ref();
        match modification {
            Modification::Append(bytes) => self.concatenate(key, expiry, bytes, true),
            Modification::Prepend(bytes) => self.concatenate(key, expiry, bytes, false),
            Modification::Min(bound) => self.unless(key, expiry, *bound, Ordering::Less),
            Modification::Max(bound) => self.unless(key, expiry, *bound, Ordering::Greater),
            Modification::AddWithin(addition) => self.add_within(key, expiry, addition),
            Modification::Swap(value) => {
                self.taken.extend(present.cloned());
                self.set(key, *value, expiry)?;
                Ok(Outcomes::Taken)
            }
            Modification::Take => {
                self.taken.extend(present.cloned());
                self.delete(key);
                Ok(Outcomes::Taken)
            }
            _ => {
                let (outcome, taken, after) = model_containers::modify(present, modification)?;
                self.check_length(present)?;
                self.check_length(after.as_ref())?;
                match after {
                    Some(value) if present == Some(&value) => {}
                    Some(value) => self.set(key, value.as_ref(), expiry)?,
                    None => drop(self.delete(key)),
                }
                self.taken.extend(taken);
                Ok(outcome)
            }
        }
    }

    fn check_length(&self, value: Option<&Value>) -> Result<(), Reason> {
        let length = value.map_or(0, |value| value.as_ref().byte_len());
        if length > self.limits.modify_bytes_max { Err(Reason::LimitReached) } else { Ok(()) }
    }

    fn concatenate(
        &mut self,
        key: Key<'_>,
        expiry: Expiry,
        bytes: &[u8],
        is_append: bool,
    ) -> Result<Outcomes, Reason> {
        let old = match self.entry(key).map(|entry| entry.value) {
            None => Vec::new(),
            Some(ValueRef::Encoded { encoding: Encoding::Raw, bytes }) => bytes.to_vec(),
            Some(_) => return Err(Reason::WrongKind),
        };
        let new = if is_append { [&old, bytes].concat() } else { [bytes, &old].concat() };
        if !bytes.is_empty() {
            let value = ValueRef::raw(&new);
            self.check_length(Some(&value.to_value()))?;
            self.set(key, value, expiry)?;
        }
        Ok(Outcomes::Length(new.len() as u64))
    }

    /// Stores the number unless what is there stands so to it, or is equal.
    fn unless(
        &mut self,
        key: Key<'_>,
        expiry: Expiry,
        bound: Number,
        order: Ordering,
    ) -> Result<Outcomes, Reason> {
        let present = match self.entry(key) {
            None => None,
            Some(entry) => Some(entry.value.number().ok_or(Reason::NotANumber)?),
        };
        if let Some(present) = present
            && [Some(order), Some(Ordering::Equal)].contains(&present.compare(bound))
        {
            return Ok(Outcomes::Number(present));
        }
        self.set(key, bound.into(), expiry)?;
        Ok(Outcomes::Number(bound))
    }

    fn add_within(
        &mut self,
        key: Key<'_>,
        expiry: Expiry,
        AddWithin { by, initial, least, greatest, clamp }: &AddWithin,
    ) -> Result<Outcomes, Reason> {
        let present = match self.entry(key) {
            Some(entry) => entry.value.number().ok_or(Reason::NotANumber)?,
            None => initial.ok_or(Reason::NotFound)?,
        };
        let exact = present.checked_add(*by);
        let sum = exact.unwrap_or(Number::Float(present.as_f64() + by.as_f64()));
        let below = least.filter(|least| sum.compare(*least) == Some(Ordering::Less));
        let above = greatest.filter(|most| sum.compare(*most) == Some(Ordering::Greater));
        let sum = match below.or(above) {
            Some(_) if !clamp => return Ok(Outcomes::OutOfBounds(present)),
            Some(bound) => bound,
            None => exact.ok_or(Reason::OutOfRange)?,
        };
        self.set(key, sum.into(), expiry)?;
        Ok(Outcomes::Number(sum))
    }

    fn look(&self, key: Key<'_>, question: &Question<'_>) -> Result<Found<'_>, Reason> {
        let value = self.variables.get(key.as_bytes()).map(|it| &it.value);
        model_containers::look(value, question)
    }

    fn outcome(&self, outcome: Outcomes) -> Outcome<'_> {
        match outcome {
            Outcomes::Length(length) => Outcome::Length(length),
            Outcomes::Number(number) => Outcome::Number(number),
            Outcomes::OutOfBounds(number) => Outcome::OutOfBounds(number),
            Outcomes::Taken => Outcome::Values(self.taken.iter().map(Value::as_ref).collect()),
            Outcomes::Count(count) => Outcome::Count(count),
        }
    }

    fn delete(&mut self, key: Key<'_>) -> bool {
        let existed = self.variables.remove(key.as_bytes()).is_some();
        self.revision += u64::from(existed);
        existed
    }

    fn batch(&mut self, batch: &Batch<'_>) -> Answer<'static> {
        let before = self.clone();
        let mut results = Vec::new();
        for (number, step) in batch.steps.iter().enumerate() {
            // Every step of a batch takes the same revision.
            let wrote = self.revision > before.revision;
            self.revision = before.revision;
            let outcome = self.step(step);
            self.revision = self.revision.max(before.revision + u64::from(wrote));
            match outcome {
                Ok(result) => results.push(result),
                Err(stop) => {
                    *self = before;
                    return self.stopped(number as u32, step, &stop);
                }
            }
        }
        Answer::Reply(Reply::Batch(BatchReply::Applied { revision: self.revision, results }))
    }

    fn step(&mut self, step: &Step<'_>) -> Result<StepResult, Stop> {
        match *step {
            Step::Require { key, expect } if self.holds(key, expect) => Ok(StepResult::Held),
            Step::Require { .. } => Err(Stop::Conflict),
            Step::Set { key, expiry, value } => {
                self.set(key, value, expiry).map_err(Stop::Refused)?;
                Ok(StepResult::Stored)
            }
            Step::Increment { key, by, initial, expiry } => {
                let sum = self.increment(key, by, initial, expiry).map_err(Stop::Refused)?;
                Ok(StepResult::Incremented(sum))
            }
            Step::Delete { key } => Ok(StepResult::Deleted(self.delete(key))),
            Step::RequireLock { .. } => panic!("locks have a model of their own"),
            Step::Modify { key, expiry, ref modification } => {
                match self.modify(key, expiry, modification).map_err(Stop::Refused)? {
                    Outcomes::Length(length) => Ok(StepResult::Length(length)),
                    Outcomes::Number(number) => Ok(StepResult::Incremented(number)),
                    Outcomes::Count(count) => Ok(StepResult::Count(count)),
                    Outcomes::OutOfBounds(_) => Err(Stop::Refused(Reason::OutOfBounds)),
                    Outcomes::Taken => Err(Stop::Refused(Reason::InvalidArgument)),
                }
            }
        }
    }

    fn stopped(&self, number: u32, step: &Step<'_>, stop: &Stop) -> Answer<'static> {
        match (step, stop) {
            (_, Stop::Refused(reason)) => batch_refused(number, *reason, ""),
            (Step::Require { key, .. }, Stop::Conflict) => {
                let current = self.revision(*key).unwrap_or(0);
                Answer::Reply(Reply::Batch(BatchReply::Conflict { step: number, current }))
            }
            (_, Stop::Conflict) => panic!("only requirements conflict"),
        }
    }
}

impl Variable {
    pub(crate) fn ttl_ms(&self, now: Time) -> Option<u64> {
        self.deadline.map(|deadline| deadline.millis_since(now))
    }
}
