//! `batch`: several steps that happen together or not at all.

use super::expect::{ExpectHeader, ValueHeader};
use super::expiry::ExpiryHeader;
use super::modification::ModificationHeader;
use super::{Expect, Expiry, Modification};
use crate::control::{decode_refusal, put_refusal};
use crate::wire::{self, DecodeError, List};
use crate::{Key, LockName, Number, Refusal, ValueRef};
use bincode::{BorrowDecode, Encode};

pub(super) const CODE: u8 = 0x36;

/// Carries out every step in order, each seeing what the ones before did, or none; answered by
/// `Batch`. All that it writes gets one new revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch<'a> {
    /// The steps.
    pub steps: Vec<Step<'a>>,
}

/// One step of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Step<'a> {
    /// Goes on only if the variable is as expected.
    Require {
        /// Which variable.
        key: Key<'a>,
        /// What it must be.
        expect: Expect<'a>,
    },
    /// Stores a value.
    Set {
        /// Which variable.
        key: Key<'a>,
        /// When it expires after this.
        expiry: Expiry,
        /// What it shall be.
        value: ValueRef<'a>,
    },
    /// Adds to a number.
    Increment {
        /// Which variable.
        key: Key<'a>,
        /// What to add.
        by: Number,
        /// What a variable that does not exist counts as.
        initial: Option<Number>,
        /// When the variable expires after this.
        expiry: Expiry,
    },
    /// Removes a variable.
    Delete {
        /// Which variable.
        key: Key<'a>,
    },
    /// Changes a variable by what it holds. A sum out of bounds refuses the batch.
    Modify {
        /// Which variable.
        key: Key<'a>,
        /// When the variable expires after this.
        expiry: Expiry,
        /// What happens to it: `Swap`, `Take` and `Pop`, which tell values, refuse the step.
        modification: Modification<'a>,
    },
    /// Goes on only if a lock is held with this token, by whomever; else the step is refused with
    /// `Fenced`. A batch that begins with it does nothing on behalf of one who has lost the lock.
    RequireLock {
        /// What is locked.
        name: LockName<'a>,
        /// The number that it must be held with.
        token: u64,
    },
}

/// How a batch ended.
#[derive(Clone, Debug, PartialEq)]
pub enum BatchReply {
    /// All of it happened.
    Applied {
        /// The revision of everything it wrote; the server's latest if it wrote nothing.
        revision: u64,
        /// What each step did, in order.
        results: Vec<StepResult>,
    },
    /// A requirement did not hold; nothing happened.
    Conflict {
        /// Which step, counted from 0.
        step: u32,
        /// The revision of its variable, 0 when it does not exist.
        current: u64,
    },
    /// A step could not be carried out; nothing happened.
    Refused {
        /// Which step, counted from 0.
        step: u32,
        /// Why.
        refusal: Refusal,
    },
}

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Encode, bincode::Decode)]
pub enum StepResult {
    /// The variable was as required.
    Held,
    /// The value is stored.
    Stored,
    /// The sum, or what else the number is from now on.
    Incremented(Number),
    /// Whether there was something to remove.
    Deleted(bool),
    /// How many bytes or items there are now.
    Length(u64),
    /// How many items or fields are new, or were removed.
    Count(u64),
}

#[derive(Encode, BorrowDecode)]
#[bincode(decode_context = "()")]
enum StepHeader<'a> {
    Require(&'a [u8], ExpectHeader),
    Set(&'a [u8], ExpiryHeader, ValueHeader),
    Increment(&'a [u8], Number, Option<Number>, ExpiryHeader),
    Delete(&'a [u8]),
    Modify(&'a [u8], ExpiryHeader, ModificationHeader<'a>),
    RequireLock(&'a [u8], u64),
}

impl<'a> Batch<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, List(self.steps.iter().map(Step::header).collect()));
        for step in &self.steps {
            match step {
                Step::Require { expect, .. } => expect.put_payload(out),
                Step::Set { value, .. } => value.put(out),
                Step::Modify { modification, .. } => modification.put_payload(out),
                Step::Increment { .. } | Step::Delete { .. } | Step::RequireLock { .. } => {}
            }
        }
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (List(headers), mut payload): (List<StepHeader<'a>>, _) = wire::take(body, "batch")?;
        let steps = headers
            .into_iter()
            .map(|header| header.decode(&mut payload))
            .collect::<Result<_, _>>()?;
        match payload {
            [] => Ok(Self { steps }),
            rest => Err(wire::trailing("batch", rest.len())),
        }
    }
}

impl<'a> Step<'a> {
    /// Which variable it is about, if it is about one.
    #[must_use]
    pub fn key(&self) -> Option<Key<'a>> {
        match *self {
            Self::Require { key, .. }
            | Self::Set { key, .. }
            | Self::Increment { key, .. }
            | Self::Modify { key, .. }
            | Self::Delete { key } => Some(key),
            Self::RequireLock { .. } => None,
        }
    }

    fn header(&self) -> StepHeader<'a> {
        match *self {
            Self::Require { key, expect } => StepHeader::Require(key.as_bytes(), expect.header()),
            Self::Set { key, expiry, value } => {
                StepHeader::Set(key.as_bytes(), expiry.header(), ValueHeader::of(value))
            }
            Self::Increment { key, by, initial, expiry } => {
                StepHeader::Increment(key.as_bytes(), by, initial, expiry.header())
            }
            Self::Delete { key } => StepHeader::Delete(key.as_bytes()),
            Self::RequireLock { name, token } => StepHeader::RequireLock(name.as_bytes(), token),
            Self::Modify { key, expiry, ref modification } => {
                StepHeader::Modify(key.as_bytes(), expiry.header(), modification.header())
            }
        }
    }
}

impl<'a> StepHeader<'a> {
    fn decode(self, payload: &mut &'a [u8]) -> Result<Step<'a>, DecodeError> {
        Ok(match self {
            Self::Require(key, expect) => {
                Step::Require { key: Key::new(key)?, expect: expect.decode(payload)? }
            }
            Self::Set(key, expiry, value) => {
                let (key, expiry) = (Key::new(key)?, expiry.decode()?);
                Step::Set { key, expiry, value: value.decode(payload)? }
            }
            Self::Increment(key, by, initial, expiry) => {
                Step::Increment { key: Key::new(key)?, by, initial, expiry: expiry.decode()? }
            }
            Self::Delete(key) => Step::Delete { key: Key::new(key)? },
            Self::RequireLock(name, token) => {
                Step::RequireLock { name: LockName::new(name)?, token }
            }
            Self::Modify(key, expiry, modification) => {
                let modification = modification.decode(payload)?;
                Step::Modify { key: Key::new(key)?, expiry: expiry.decode()?, modification }
            }
        })
    }
}

const APPLIED: u8 = 0;
const CONFLICT: u8 = 1;
const REFUSED: u8 = 2;

impl BatchReply {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Applied { revision, results } => {
                wire::put(out, (APPLIED, revision, List(results.clone())));
            }
            Self::Conflict { step, current } => wire::put(out, (CONFLICT, step, current)),
            Self::Refused { step, refusal } => {
                wire::put(out, (REFUSED, step));
                put_refusal(refusal, out);
            }
        }
    }

    pub(super) fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let (kind, rest): (u8, _) = wire::take(body, "batch")?;
        Ok(match kind {
            APPLIED => {
                let (revision, List(results)) = wire::take_all(rest, "batch")?;
                Self::Applied { revision, results }
            }
            CONFLICT => {
                let (step, current) = wire::take_all(rest, "batch")?;
                Self::Conflict { step, current }
            }
            REFUSED => {
                let (step, rest) = wire::take(rest, "batch")?;
                Self::Refused { step, refusal: decode_refusal(rest)? }
            }
            other => {
                return Err(DecodeError::Malformed(format!("batch: no outcome {other}")));
            }
        })
    }
}
