//! `increment`: adds to a number.

use crate::store::Store;
use crate::text::{shown, shown_value};
use crate::update::Change;
use workyard_engine::Time;
use workyard_planted::planted;
use workyard_protocol::globaldata::{Entry, Increment, Reply};
use workyard_protocol::{Key, Number, Reason, Refusal, ValueRef};

impl Store {
    pub(crate) fn increment(
        &mut self,
        now: Time,
        increment: Increment<'_>,
    ) -> Result<Reply<'static>, Refusal> {
        let Increment { key, by, initial, expiry } = increment;
        let mut value = by;
        let updated = self.update(now, key, |current| {
            value = sum(key, current, by, initial)?;
            if planted!("increment-is-lost") {
                return Ok(Change::Keep);
            }
            Ok(Change::Store(value.into(), expiry))
        })?;
        Ok(Reply::Incremented { revision: updated.revision, value })
    }
}

/// What the variable shall be.
pub(crate) fn sum(
    key: Key<'_>,
    current: Option<Entry<'_>>,
    by: Number,
    initial: Option<Number>,
) -> Result<Number, Refusal> {
    sum_of(|| key_name(key), current.map(|entry| entry.value), by, initial)
}

/// What a value shall be that refusals call `what`.
pub(crate) fn sum_of(
    what: impl Fn() -> String,
    current: Option<ValueRef<'_>>,
    by: Number,
    initial: Option<Number>,
) -> Result<Number, Refusal> {
    let number = number_of(&what, current, initial)?;
    number.checked_add(by).ok_or_else(|| out_of_range(&what(), number, by))
}

/// What a value counts as that refusals call `what`.
pub(crate) fn number_of(
    what: impl Fn() -> String,
    current: Option<ValueRef<'_>>,
    initial: Option<Number>,
) -> Result<Number, Refusal> {
    match current {
        Some(value) => value.number().ok_or_else(|| not_a_number(&what(), value)),
        None => initial.ok_or_else(|| not_found(&what())),
    }
}

pub(crate) fn key_name(key: Key<'_>) -> String {
    format!("key {}", shown(key))
}

pub(crate) fn not_a_number(what: &str, value: ValueRef<'_>) -> Refusal {
    let value = shown_value(value);
    let text = format!("{what} is {value}: only an int or a float is a number");
    Refusal::new(Reason::NotANumber, text)
}

fn not_found(what: &str) -> Refusal {
    let text = format!("{what} does not exist: set it first, or give an initial value");
    Refusal::new(Reason::NotFound, text)
}

pub(crate) fn out_of_range(what: &str, number: Number, by: Number) -> Refusal {
    let kind = match (number, by) {
        (Number::Int(_), Number::Int(_)) => "a 64-bit integer",
        _ => "a finite float",
    };
    Refusal::new(Reason::OutOfRange, format!("{what}: {number} + {by} is not {kind}"))
}
