//! What the server answered, so that what a program was told can be found in it.

use super::holder::Guards;
use super::observer::Observed;
use super::truth::Truth;
use crate::findings::Findings;
use std::collections::BTreeMap;
use std::sync::Arc;
use workyard_protocol::globaldata::{Modification, Modified, Outcome, Reply, Request, Written};
use workyard_protocol::{Number, ValueRef};

/// Everything that was answered, in order.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) findings: Arc<Findings>,
    pub(crate) guards: Guards,
    pub(crate) truth: Truth,
    /// Those who watch, by their numbers.
    pub(crate) observers: BTreeMap<usize, Observed>,
    last_observer: usize,
    said: Vec<Option<Said>>,
    last_value: u64,
}

/// An answer, whoever tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) key: Vec<u8>,
    pub(crate) told: What,
}

/// What a program can learn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Revision and value.
    Got(Option<(u64, Vec<u8>)>),
    Stored(u64),
    Conflict(u64),
    Number(i64),
    OutOfBounds(i64),
    Deleted(bool),
    Length(u64),
    Taken(Option<Vec<u8>>),
    Touched(bool),
}

impl Record {
    pub(crate) fn new(findings: Arc<Findings>) -> Self {
        Self {
            findings,
            guards: Guards::default(),
            truth: Truth::default(),
            observers: BTreeMap::new(),
            last_observer: 0,
            said: Vec::new(),
            last_value: 0,
        }
    }

    /// Somebody begins to watch. Returns the number.
    pub(crate) fn add_observer(&mut self, observed: Observed) -> usize {
        self.last_observer += 1;
        self.observers.insert(self.last_observer, observed);
        self.last_observer
    }

    pub(crate) fn next_value(&mut self) -> u64 {
        self.last_value += 1;
        self.last_value
    }

    /// The server has answered.
    pub(crate) fn say(&mut self, said: Option<Said>) {
        self.said.push(said);
    }

    /// How many answers there have been.
    pub(crate) fn len(&self) -> usize {
        self.said.len()
    }

    /// A program was told this. Since it asked, the server must have said so.
    pub(crate) fn check(&self, since: usize, key: &str, told: What) {
        let said = Some(Said { key: key.as_bytes().to_vec(), told });
        self.findings.check(self.said[since..].contains(&said), || {
            format!("a program was told {said:?}, which nobody said")
        });
    }
}

impl Said {
    /// What a request and its answer come to, as far as programs are compared with it.
    pub(crate) fn at_the_door(request: &Request<'_>, reply: &Reply<'_>) -> Option<Self> {
        let (key, told) = match (request, reply) {
            (Request::Get(get), Reply::Got(entry)) => {
                let got = entry.map(|entry| (entry.revision, bytes(entry.value)));
                (get.key, What::Got(got))
            }
            (Request::Write(write), Reply::Written(Written::Stored { revision })) => {
                (write.key, What::Stored(*revision))
            }
            (Request::Write(write), Reply::Written(Written::Conflict { current })) => {
                (write.key, What::Conflict(*current))
            }
            (Request::Increment(one), Reply::Incremented { value, .. }) => {
                (one.key, What::Number(int(*value)))
            }
            (Request::Delete(delete), Reply::Deleted { existed }) => {
                (delete.key, What::Deleted(*existed))
            }
            (Request::Touch(touch), Reply::Existence(existence)) => {
                (touch.key, What::Touched(existence.is_some()))
            }
            (Request::Modify(modify), Reply::Modified(Modified { outcome, .. })) => {
                (modify.key, modified(&modify.modification, outcome)?)
            }
            _ => return None,
        };
        Some(Self { key: key.as_bytes().to_vec(), told })
    }
}

fn modified(modification: &Modification<'_>, outcome: &Outcome<'_>) -> Option<What> {
    Some(match (modification, outcome) {
        (_, Outcome::Length(length)) => What::Length(*length),
        (_, Outcome::Number(number)) => What::Number(int(*number)),
        (_, Outcome::OutOfBounds(number)) => What::OutOfBounds(int(*number)),
        (Modification::Take | Modification::Swap(_), Outcome::Values(values)) => {
            What::Taken(values.first().map(|value| bytes(*value)))
        }
        _ => return None,
    })
}

/// A value's bytes; a number as its digits.
pub(crate) fn bytes(value: ValueRef<'_>) -> Vec<u8> {
    match value {
        ValueRef::Encoded { bytes, .. } => bytes.to_vec(),
        number => format!("{number:?}").into_bytes(),
    }
}

pub(crate) fn int(number: Number) -> i64 {
    match number {
        Number::Int(int) => int,
        Number::Float(_) => i64::MIN,
    }
}
