//! `increment`: adds to a number.

use crate::store::Store;
use crate::text::{shown, shown_value};
use crate::update::Change;
use workyard_engine::Time;
use workyard_planted::planted;
use workyard_protocol::globaldata::{Entry, Increment, Reply};
use workyard_protocol::{Key, Number, Reason, Refusal};

impl Store {
    pub(crate) fn increment(
        &mut self,
        now: Time,
        increment: Increment<'_>,
    ) -> Result<Reply<'_>, Refusal> {
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
    let number = match current {
        Some(entry) => entry.value.number().ok_or_else(|| not_a_number(key, entry))?,
        None => initial.ok_or_else(|| not_found(key))?,
    };
    number.checked_add(by).ok_or_else(|| out_of_range(key, number, by))
}

fn not_found(key: Key<'_>) -> Refusal {
    let key = shown(key);
    let text = format!("key {key} does not exist: set it first, or give an initial value");
    Refusal::new(Reason::NotFound, text)
}

pub(crate) fn not_a_number(key: Key<'_>, entry: Entry<'_>) -> Refusal {
    let (key, value) = (shown(key), shown_value(entry.value));
    let text = format!("key {key} is {value}: only an int or a float is a number");
    Refusal::new(Reason::NotANumber, text)
}

fn out_of_range(key: Key<'_>, number: Number, by: Number) -> Refusal {
    let key = shown(key);
    let kind = match (number, by) {
        (Number::Int(_), Number::Int(_)) => "a 64-bit integer",
        _ => "a finite float",
    };
    let text = format!("key {key}: {number} + {by} is not {kind}");
    Refusal::new(Reason::OutOfRange, text)
}
