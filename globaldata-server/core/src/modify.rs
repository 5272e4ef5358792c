//! `modify`: one variable is changed by what it holds.

use crate::containers::{self, Changes};
use crate::increment::{key_name, not_a_number, number_of, out_of_range, sum_of};
use crate::limits::StoreLimits;
use crate::look::{container, wrong_kind};
use crate::store::Store;
use crate::text::{shown, shown_name};
use crate::update::Change;
use workyard_engine::Time;
use workyard_planted::planted;
use workyard_protocol::globaldata::{
    AddWithin, End, Entry, Expiry, Modification, Modified, Modify, Outcome, PushItems, Reply,
};
use workyard_protocol::{Encoding, FieldName, Key, Number, Reason, Refusal, Value, ValueRef};

/// What there is to tell of a modification; values stand in its [`Workspace`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Told {
    Length(u64),
    Number(Number),
    OutOfBounds(Number),
    Values,
    Count(u64),
}

/// Where a modification puts what it makes and what it takes out, until it is stored and told.
#[derive(Default)]
pub(crate) struct Workspace {
    pub(crate) made: Vec<u8>,
    pub(crate) taken: Vec<Value>,
}

/// A modification under way: what the refusals name, and the bounds.
pub(crate) struct Modifier<'r> {
    pub(crate) key: Key<'r>,
    pub(crate) expiry: Expiry,
    pub(crate) bytes_max: usize,
}

impl Store {
    /// What it tells lies in the workspace.
    pub(crate) fn modify<'w>(
        &mut self,
        now: Time,
        modify: &Modify<'_>,
        workspace: &'w mut Workspace,
    ) -> Result<Reply<'w>, Refusal> {
        let Modify { key, expiry, modification } = modify;
        let modifier = Modifier::new(*key, *expiry, &self.limits);
        let Workspace { made, taken } = workspace;
        let mut told = Told::Values;
        let updated = self.update(now, *key, |current| {
            let change;
            (change, told) = modifier.decide(current, modification, made, taken)?;
            Ok(change)
        })?;
        let ttl_ms = self.table.lookup(now, *key).and_then(|entry| entry.ttl_ms);
        let outcome = told.outcome(taken);
        Ok(Reply::Modified(Modified { revision: updated.revision, ttl_ms, outcome }))
    }
}

impl Told {
    fn outcome(self, taken: &[Value]) -> Outcome<'_> {
        match self {
            Self::Length(length) => Outcome::Length(length),
            Self::Number(number) => Outcome::Number(number),
            Self::OutOfBounds(number) => Outcome::OutOfBounds(number),
            Self::Values => Outcome::Values(taken.iter().map(Value::as_ref).collect()),
            Self::Count(count) => Outcome::Count(count),
        }
    }
}

impl<'r> Modifier<'r> {
    pub(crate) fn new(key: Key<'r>, expiry: Expiry, limits: &StoreLimits) -> Self {
        // What is taken out of a value has to fit into an answer.
        let bytes_max = limits.modify_bytes_max.min(limits.reply_bytes_max);
        Self { key, expiry, bytes_max }
    }

    /// What becomes of the variable, and what there is to tell of it.
    pub(crate) fn decide<'v>(
        &self,
        current: Option<Entry<'_>>,
        modification: &Modification<'v>,
        made: &'v mut Vec<u8>,
        taken: &mut Vec<Value>,
    ) -> Result<(Change<'v>, Told), Refusal> {
        match modification {
            Modification::Append(bytes) => {
                self.concatenate(self.raw(current)?, bytes, bytes.is_empty(), made)
            }
            Modification::Prepend(bytes) => {
                self.concatenate(bytes, self.raw(current)?, bytes.is_empty(), made)
            }
            Modification::Min(number) => self.unless(current, *number, |order| order.is_le()),
            Modification::Max(number) => self.unless(current, *number, |order| order.is_ge()),
            Modification::AddWithin(addition) => self.add_within(current, *addition),
            Modification::Swap(value) => {
                taken.extend(current.map(|entry| entry.value.to_value()));
                Ok((Change::Store(*value, self.expiry), Told::Values))
            }
            Modification::Take => {
                taken.extend(current.map(|entry| entry.value.to_value()));
                if planted!("taken-value-stays") {
                    return Ok((Change::Keep, Told::Values));
                }
                Ok((Change::Delete, Told::Values))
            }
            Modification::Push(items) => self.push(current, items, made),
            Modification::Pop { end, count } => self.pop(current, *end, *count, made, taken),
            Modification::SetAdd(items) => {
                self.merge(current, Encoding::Set, &containers::set_changes(items, false), made)
            }
            Modification::SetRemove(items) => {
                self.merge(current, Encoding::Set, &containers::set_changes(items, true), made)
            }
            Modification::MapSet(fields) => {
                self.merge(current, Encoding::Map, &containers::field_changes(fields), made)
            }
            Modification::MapRemove(fields) => {
                self.merge(current, Encoding::Map, &containers::field_removals(fields), made)
            }
            Modification::MapIncrement { field, by, initial } => {
                self.increment_field(current, *field, *by, *initial, made)
            }
        }
    }

    fn raw<'e>(&self, current: Option<Entry<'e>>) -> Result<&'e [u8], Refusal> {
        match current.map(|entry| entry.value) {
            None => Ok(&[]),
            Some(ValueRef::Encoded { encoding: Encoding::Raw, bytes }) => Ok(bytes),
            Some(value) => Err(wrong_kind(self.key, value, "only raw bytes are appended to")),
        }
    }

    fn concatenate<'v>(
        &self,
        front: &[u8],
        back: &[u8],
        is_same: bool,
        made: &'v mut Vec<u8>,
    ) -> Result<(Change<'v>, Told), Refusal> {
        let length = front.len() + back.len();
        if is_same {
            return Ok((Change::Keep, Told::Length(length as u64)));
        }
        self.check_bytes(length)?;
        made.reserve_exact(length);
        made.extend_from_slice(front);
        made.extend_from_slice(back);
        let value = ValueRef::raw(&*made);
        Ok((Change::Store(value, self.expiry), Told::Length(length as u64)))
    }

    /// Stores a number unless what is there stands in this order to it.
    fn unless<'v>(
        &self,
        current: Option<Entry<'_>>,
        number: Number,
        stays: impl FnOnce(std::cmp::Ordering) -> bool,
    ) -> Result<(Change<'v>, Told), Refusal> {
        let present = match current {
            None => None,
            Some(Entry { value, .. }) => {
                let number = value.number();
                Some(number.ok_or_else(|| not_a_number(&key_name(self.key), value))?)
            }
        };
        Ok(match present {
            // One that is NaN stands in no order, and gives way.
            Some(present) if present.compare(number).is_some_and(stays) => {
                (Change::Keep, Told::Number(present))
            }
            _ => (Change::Store(number.into(), self.expiry), Told::Number(number)),
        })
    }

    fn add_within<'v>(
        &self,
        current: Option<Entry<'_>>,
        addition: AddWithin,
    ) -> Result<(Change<'v>, Told), Refusal> {
        let AddWithin { by, initial, least, greatest, clamp } = addition;
        let what = || key_name(self.key);
        let present = number_of(what, current.map(|entry| entry.value), initial)?;
        let exact = present.checked_add(by);
        // One that is no number any more may still be known to have passed a bound.
        let sum = exact.unwrap_or(Number::Float(present.as_f64() + by.as_f64()));
        let passed = least
            .filter(|least| sum.compare(*least).is_some_and(std::cmp::Ordering::is_lt))
            .or(greatest.filter(|most| sum.compare(*most).is_some_and(std::cmp::Ordering::is_gt)));
        let number = match passed {
            Some(_) if !clamp && !planted!("bound-is-passed") => {
                return Ok((Change::Keep, Told::OutOfBounds(present)));
            }
            Some(bound) => bound,
            None => exact.ok_or_else(|| out_of_range(&what(), present, by))?,
        };
        Ok((Change::Store(number.into(), self.expiry), Told::Number(number)))
    }

    fn push<'v>(
        &self,
        current: Option<Entry<'_>>,
        items: &PushItems<'_>,
        made: &'v mut Vec<u8>,
    ) -> Result<(Change<'v>, Told), Refusal> {
        let list = self.container(current, Encoding::List)?;
        let length = containers::push(list, items, made)?;
        Ok((self.become_container(list, Encoding::List, made)?, Told::Length(length)))
    }

    fn pop<'v>(
        &self,
        current: Option<Entry<'_>>,
        end: End,
        count: u32,
        made: &'v mut Vec<u8>,
        taken: &mut Vec<Value>,
    ) -> Result<(Change<'v>, Told), Refusal> {
        let list = self.container(current, Encoding::List)?;
        let left = containers::pop(list, end, count, taken)?;
        made.extend_from_slice(if planted!("popped-item-stays") { list } else { left });
        Ok((self.become_container(list, Encoding::List, made)?, Told::Values))
    }

    fn merge<'v>(
        &self,
        current: Option<Entry<'_>>,
        kind: Encoding,
        changes: &Changes,
        made: &'v mut Vec<u8>,
    ) -> Result<(Change<'v>, Told), Refusal> {
        let bytes = self.container(current, kind)?;
        let merged = containers::merge(kind, bytes, changes, made)?;
        let is_removal = changes.values().any(Option::is_none);
        let told = Told::Count(if is_removal { merged.met } else { merged.new });
        Ok((self.become_container(bytes, kind, made)?, told))
    }

    fn increment_field<'v>(
        &self,
        current: Option<Entry<'_>>,
        field: FieldName<'_>,
        by: Number,
        initial: Option<Number>,
        made: &'v mut Vec<u8>,
    ) -> Result<(Change<'v>, Told), Refusal> {
        let map = self.container(current, Encoding::Map)?;
        let present = containers::fields(map, &[field])?.into_iter().next().flatten();
        let what = || format!("field {} of key {}", shown_name(field.as_bytes()), shown(self.key));
        let sum = sum_of(what, present, by, initial)?;
        let changes = containers::field_changes(&[(field, sum.into())]);
        containers::merge(Encoding::Map, map, &changes, made)?;
        let change = self.become_container(map, Encoding::Map, made)?;
        Ok((change, Told::Number(sum)))
    }

    /// The bytes of a list, set or map, if they are few enough to be worked on.
    fn container<'e>(
        &self,
        current: Option<Entry<'e>>,
        kind: Encoding,
    ) -> Result<&'e [u8], Refusal> {
        let bytes = container(self.key, current.map(|entry| entry.value), kind)?;
        self.check_bytes(bytes.len())?;
        Ok(bytes)
    }

    /// What is empty does not exist; what is the same is not written.
    fn become_container<'v>(
        &self,
        before: &[u8],
        encoding: Encoding,
        made: &'v [u8],
    ) -> Result<Change<'v>, Refusal> {
        self.check_bytes(made.len())?;
        Ok(match made {
            [] => Change::Delete,
            same if same == before => Change::Keep,
            bytes => Change::Store(ValueRef::Encoded { encoding, bytes }, self.expiry),
        })
    }

    fn check_bytes(&self, bytes: usize) -> Result<(), Refusal> {
        if bytes <= self.bytes_max {
            return Ok(());
        }
        let (key, max) = (shown(self.key), self.bytes_max);
        let text = format!(
            "key {key} has or would have {bytes} bytes, above modify_bytes_max, {max}: begin another"
        );
        Err(Refusal::new(Reason::LimitReached, text))
    }
}
