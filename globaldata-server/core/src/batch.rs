//! `batch`: steps that happen together or not at all.

use crate::entry::cost;
use crate::increment;
use crate::modify::{Modifier, Told, Workspace};
use crate::store::Store;
use crate::text::shown;
use crate::update::Change;
use crate::write::holds;
use workyard_engine::Time;
use workyard_protocol::globaldata::{
    Batch, BatchReply, Expect, Expiry, Modification, Reply, Step, StepResult,
};
use workyard_protocol::{Key, Number, Reason, Refusal, ValueRef};

/// What an answer takes at most, its results apart.
const ANSWER_BYTES: usize = 32;

/// Why a batch stops before its end.
enum Stop<'a> {
    /// This variable is not as required.
    Conflict(Key<'a>),
    /// The step cannot be carried out.
    Refused(Refusal),
}

impl Store {
    pub(crate) fn batch(
        &mut self,
        now: Time,
        batch: &Batch<'_>,
    ) -> Result<Reply<'static>, Refusal> {
        self.limits.check_items(batch.steps.len(), "steps of a batch")?;
        self.limits.check_reply(answer_bytes(&batch.steps))?;
        // What frees expired variables has revisions of its own, and is not undone with the batch.
        for step in &batch.steps {
            if let Some(key) = step.key() {
                self.settle(now, key);
            }
        }
        let (keys, bytes) = growth(&batch.steps);
        self.make_room(now, keys, bytes);
        self.table.begin();
        Ok(Reply::Batch(match self.steps(now, &batch.steps) {
            Ok(results) => {
                if self.watches.is_on() {
                    self.note_batch();
                }
                if self.table.commit() {
                    self.revision += 1;
                }
                BatchReply::Applied { revision: self.revision, results }
            }
            Err((step, stop)) => {
                self.table.roll_back();
                self.stopped(now, u32::try_from(step).expect("list_items_max is a u32"), stop)
            }
        }))
    }

    fn steps<'a>(
        &mut self,
        now: Time,
        steps: &[Step<'a>],
    ) -> Result<Vec<StepResult>, (usize, Stop<'a>)> {
        let mut bytes_left = self.limits.batch_modify_bytes_max;
        let numbered = steps.iter().enumerate();
        numbered
            .map(|(number, step)| {
                self.step(now, step, &mut bytes_left).map_err(|stop| (number, stop))
            })
            .collect()
    }

    /// `bytes_left` is what modifications may still read and make.
    fn step<'a>(
        &mut self,
        now: Time,
        step: &Step<'a>,
        bytes_left: &mut usize,
    ) -> Result<StepResult, Stop<'a>> {
        Ok(match *step {
            Step::Require { key, expect } => self.require_step(now, key, expect)?,
            Step::Set { key, expiry, value } => {
                self.change(now, key, |_| Ok(Change::Store(value, expiry)))?;
                StepResult::Stored
            }
            Step::Increment { key, by, initial, expiry } => {
                self.increment_step(now, key, by, initial, expiry)?
            }
            Step::Delete { key } => {
                StepResult::Deleted(self.change(now, key, |_| Ok(Change::Delete))?.changed)
            }
            Step::Modify { key, expiry, ref modification } => {
                self.modify_step(now, key, expiry, modification, bytes_left)?
            }
            Step::RequireLock { name, token } => {
                self.locks.check_held(now, name, token)?;
                StepResult::Held
            }
        })
    }

    fn require_step<'a>(
        &self,
        now: Time,
        key: Key<'a>,
        expect: Expect<'_>,
    ) -> Result<StepResult, Stop<'a>> {
        let current = self.table.lookup(now, key);
        if holds(expect, current) { Ok(StepResult::Held) } else { Err(Stop::Conflict(key)) }
    }

    fn increment_step(
        &mut self,
        now: Time,
        key: Key<'_>,
        by: Number,
        initial: Option<Number>,
        expiry: Expiry,
    ) -> Result<StepResult, Refusal> {
        let mut value = by;
        self.change(now, key, |current| {
            value = increment::sum(key, current, by, initial)?;
            Ok(Change::Store(value.into(), expiry))
        })?;
        Ok(StepResult::Incremented(value))
    }

    fn modify_step(
        &mut self,
        now: Time,
        key: Key<'_>,
        expiry: Expiry,
        modification: &Modification<'_>,
        bytes_left: &mut usize,
    ) -> Result<StepResult, Refusal> {
        let modifier = Modifier::new(key, expiry, &self.limits);
        let bytes_max = self.limits.batch_modify_bytes_max;
        let Workspace { mut made, mut taken } = Workspace::default();
        let mut told = Told::Values;
        self.change(now, key, |current| {
            let read_bytes = current.map_or(0, |entry| entry.value.byte_len());
            let change;
            (change, told) = modifier.decide(current, modification, &mut made, &mut taken)?;
            let made_bytes = match change {
                Change::Store(value, _) => value.byte_len(),
                _ => 0,
            };
            *bytes_left = bytes_left
                .checked_sub(read_bytes + made_bytes)
                .ok_or_else(|| too_much_to_modify(bytes_max))?;
            Ok(change)
        })?;
        match told {
            Told::Length(length) => Ok(StepResult::Length(length)),
            Told::Number(number) => Ok(StepResult::Incremented(number)),
            Told::Count(count) => Ok(StepResult::Count(count)),
            Told::OutOfBounds(number) => Err(out_of_bounds(key, number)),
            Told::Values => Err(tells_values()),
        }
    }

    /// The answer after everything is undone. A conflict names the revision that stands: one that
    /// the batch gave before it stopped was never seen by anybody, and will be given to another write.
    fn stopped(&self, now: Time, step: u32, stop: Stop<'_>) -> BatchReply {
        match stop {
            Stop::Conflict(key) => {
                let current = self.table.lookup(now, key).map_or(0, |entry| entry.revision);
                BatchReply::Conflict { step, current }
            }
            Stop::Refused(refusal) => BatchReply::Refused { step, refusal },
        }
    }
}

/// The most that these steps may add: so many keys, so many bytes.
fn growth(steps: &[Step<'_>]) -> (u64, u64) {
    let costs = steps.iter().filter_map(|step| match step {
        Step::Set { key, value, .. } => Some(cost(key.as_bytes().len(), *value, true)),
        Step::Increment { key, by, .. } => Some(cost(key.as_bytes().len(), (*by).into(), true)),
        Step::Modify { key, modification, .. } => {
            let growth = ValueRef::raw(&[]);
            Some(cost(key.as_bytes().len(), growth, true) + modification.growth_bytes() as u64)
        }
        Step::Require { .. } | Step::Delete { .. } | Step::RequireLock { .. } => None,
    });
    costs.fold((0, 0), |(keys, bytes), cost| (keys + 1, bytes + cost))
}

/// The most that the answer takes as a frame: a sum takes eleven bytes, everything else two.
fn answer_bytes(steps: &[Step<'_>]) -> usize {
    let results = steps.iter().map(|step| match step {
        Step::Increment { .. } | Step::Modify { .. } => 11,
        Step::Require { .. }
        | Step::Set { .. }
        | Step::Delete { .. }
        | Step::RequireLock { .. } => 2,
    });
    ANSWER_BYTES + results.sum::<usize>()
}

/// Each modification copies its value, and all copies are kept until the batch has succeeded.
fn too_much_to_modify(bytes_max: usize) -> Refusal {
    let text = format!(
        "the modifications of a batch would read and make more than {bytes_max} bytes together: \
         divide it"
    );
    Refusal::new(Reason::LimitReached, text)
}

fn tells_values() -> Refusal {
    let text = "a batch tells no values: modify with this in a request of its own";
    Refusal::new(Reason::InvalidArgument, text)
}

fn out_of_bounds(key: Key<'_>, number: Number) -> Refusal {
    let key = shown(key);
    let text = format!("key {key} is {number}: the sum would be out of the bounds given");
    Refusal::new(Reason::OutOfBounds, text)
}

impl From<Refusal> for Stop<'_> {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
