//! The store as simply as it can be said: a sorted map, copied before each batch.

use crate::ask::{Answer, batch_refused, refused};
use std::collections::BTreeMap;
use workyard_globaldata_core::{Census, ENTRY_OVERHEAD_BYTES, StoreLimits};
use workyard_protocol::globaldata::{
    Batch, BatchReply, Entry, Expect, Increment, Reply, Request, Step, StepResult, Write, Written,
};
use workyard_protocol::{Key, Number, Reason, Value, ValueRef};

#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) limits: StoreLimits,
    pub(crate) variables: BTreeMap<Vec<u8>, (u64, Value)>,
    revision: u64,
}

enum Stop {
    Conflict,
    Refused(Reason),
}

impl Model {
    pub(crate) fn new(limits: StoreLimits) -> Self {
        Self { limits, variables: BTreeMap::new(), revision: 0 }
    }

    pub(crate) fn census(&self) -> Census {
        let bytes = self.variables.iter().map(|(key, (_, value))| {
            (key.len() + value.as_ref().byte_len() + ENTRY_OVERHEAD_BYTES) as u64
        });
        Census { keys: self.variables.len() as u64, bytes: bytes.sum(), revision: self.revision }
    }

    /// The answer, its texts left empty. Pages are the harness's.
    pub(crate) fn answer(&mut self, request: &Request<'_>) -> Answer<'_> {
        Answer::Reply(match request {
            Request::Get(get) => Reply::Got(self.entry(get.key)),
            Request::GetMany(get) => {
                Reply::GotMany(get.keys.iter().map(|key| self.entry(*key)).collect())
            }
            Request::Exists(exists) => Reply::Existence { revision: self.revision(exists.key) },
            Request::Delete(delete) => Reply::Deleted { existed: self.delete(delete.key) },
            Request::Write(write) => match self.write(write) {
                Ok(written) => Reply::Written(written),
                Err(reason) => return refused(reason, ""),
            },
            Request::Increment(Increment { key, by, initial }) => {
                match self.increment(*key, *by, *initial) {
                    Ok(value) => Reply::Incremented { revision: self.revision, value },
                    Err(reason) => return refused(reason, ""),
                }
            }
            Request::Batch(batch) => return self.batch(batch),
            Request::Keys(_) => panic!("the harness scans"),
        })
    }

    pub(crate) fn revision(&self, key: Key<'_>) -> Option<u64> {
        self.entry(key).map(|entry| entry.revision)
    }

    fn entry(&self, key: Key<'_>) -> Option<Entry<'_>> {
        let (revision, value) = self.variables.get(key.as_bytes())?;
        Some(Entry { revision: *revision, value: value.as_ref() })
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
        self.set(write.key, write.value)?;
        Ok(Written::Stored { revision: self.revision })
    }

    fn set(&mut self, key: Key<'_>, value: ValueRef<'_>) -> Result<(), Reason> {
        let mut next = self.clone();
        next.revision += 1;
        next.variables.insert(key.as_bytes().to_vec(), (next.revision, value.to_value()));
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
    ) -> Result<Number, Reason> {
        let before = match self.entry(key) {
            Some(entry) => entry.value.number().ok_or(Reason::NotANumber)?,
            None => initial.ok_or(Reason::NotFound)?,
        };
        let sum = before.checked_add(by).ok_or(Reason::OutOfRange)?;
        self.set(key, sum.into())?;
        Ok(sum)
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
            Step::Set { key, value } => {
                self.set(key, value).map_err(Stop::Refused)?;
                Ok(StepResult::Stored)
            }
            Step::Increment { key, by, initial } => {
                let sum = self.increment(key, by, initial).map_err(Stop::Refused)?;
                Ok(StepResult::Incremented(sum))
            }
            Step::Delete { key } => Ok(StepResult::Deleted(self.delete(key))),
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
