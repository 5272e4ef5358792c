//! Steps of a batch that change a variable by what it holds.

use crate::batch::Batch;
use crate::error::Error;
use crate::modify::Bounds;
use bytes::Bytes;
use serde::Serialize;
use workyard_link::limits::LENGTH_BYTES;
use workyard_protocol::globaldata::{End, Modification, PushItems};
use workyard_protocol::{FieldName, NameError, Number, Value};

/// A modification that owns what it is made of.
#[derive(Debug)]
pub(crate) enum Change {
    Plain(Modification<'static>),
    Append(Bytes),
    Prepend(Bytes),
    Push(End, Value),
    SetAdd(Value),
    SetRemove(Value),
    MapSet(Bytes, Value),
    MapRemove(Bytes),
    MapIncrement(Bytes, Number),
}

/// What tells values (`swap`, `take`, `pop`) is no step of a batch: it tells only what it did.
impl Batch<'_> {
    /// Adds to a variable, of which one that does not exist counts as 0. A sum out of bounds refuses the
    /// batch with `OutOfBounds`.
    pub fn increment_within(
        self,
        key: impl AsRef<[u8]>,
        by: impl Into<Number>,
        bounds: Bounds,
    ) -> Self {
        self.change(key.as_ref(), Ok(Change::Plain(bounds.addition(by.into(), false))))
    }

    /// Adds to a variable, of which one that does not exist counts as 0, up to its bounds.
    pub fn increment_clamped(
        self,
        key: impl AsRef<[u8]>,
        by: impl Into<Number>,
        bounds: Bounds,
    ) -> Self {
        self.change(key.as_ref(), Ok(Change::Plain(bounds.addition(by.into(), true))))
    }

    /// Lowers a number to this one if it is above it, or stores this one if there is none.
    pub fn min(self, key: impl AsRef<[u8]>, number: impl Into<Number>) -> Self {
        self.change(key.as_ref(), Ok(Change::Plain(Modification::Min(number.into()))))
    }

    /// Raises a number to this one if it is below it, or stores this one if there is none.
    pub fn max(self, key: impl AsRef<[u8]>, number: impl Into<Number>) -> Self {
        self.change(key.as_ref(), Ok(Change::Plain(Modification::Max(number.into()))))
    }

    /// Puts bytes or text behind those that are there, or stores them if there are none.
    pub fn append(self, key: impl AsRef<[u8]>, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = Bytes::copy_from_slice(bytes.as_ref());
        self.change(key.as_ref(), Ok(Change::Append(bytes)))
    }

    /// Puts bytes or text before those that are there, or stores them if there are none.
    pub fn prepend(self, key: impl AsRef<[u8]>, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = Bytes::copy_from_slice(bytes.as_ref());
        self.change(key.as_ref(), Ok(Change::Prepend(bytes)))
    }

    /// Puts an item behind the last of a list.
    pub fn push_back<T: Serialize + ?Sized>(self, key: impl AsRef<[u8]>, item: &T) -> Self {
        let item = self.encode(item).map(|item| Change::Push(End::Back, item));
        self.change(key.as_ref(), item)
    }

    /// Puts an item before the first of a list.
    pub fn push_front<T: Serialize + ?Sized>(self, key: impl AsRef<[u8]>, item: &T) -> Self {
        let item = self.encode(item).map(|item| Change::Push(End::Front, item));
        self.change(key.as_ref(), item)
    }

    /// Adds an item to a set.
    pub fn set_add<T: Serialize + ?Sized>(self, key: impl AsRef<[u8]>, item: &T) -> Self {
        let item = self.encode(item).map(Change::SetAdd);
        self.change(key.as_ref(), item)
    }

    /// Removes an item from a set.
    pub fn set_remove<T: Serialize + ?Sized>(self, key: impl AsRef<[u8]>, item: &T) -> Self {
        let item = self.encode(item).map(Change::SetRemove);
        self.change(key.as_ref(), item)
    }

    /// Gives a field of a map a value.
    pub fn map_set<T: Serialize + ?Sized>(
        self,
        key: impl AsRef<[u8]>,
        field: impl AsRef<[u8]>,
        value: &T,
    ) -> Self {
        let change =
            named(field.as_ref()).and_then(|field| Ok(Change::MapSet(field, self.encode(value)?)));
        self.change(key.as_ref(), change)
    }

    /// Removes a field from a map.
    pub fn map_remove(self, key: impl AsRef<[u8]>, field: impl AsRef<[u8]>) -> Self {
        self.change(key.as_ref(), named(field.as_ref()).map(Change::MapRemove))
    }

    /// Adds to a field of a map; one that does not exist counts as 0.
    pub fn map_increment(
        self,
        key: impl AsRef<[u8]>,
        field: impl AsRef<[u8]>,
        by: impl Into<Number>,
    ) -> Self {
        let by = by.into();
        self.change(
            key.as_ref(),
            named(field.as_ref()).map(|field| Change::MapIncrement(field, by)),
        )
    }
}

impl Change {
    /// What its field takes in a header.
    pub(crate) fn field_bytes(&self) -> usize {
        match self {
            Self::MapSet(field, _) | Self::MapRemove(field) | Self::MapIncrement(field, _) => {
                LENGTH_BYTES + field.len()
            }
            _ => 0,
        }
    }

    pub(crate) fn wire(&self) -> Result<Modification<'_>, NameError> {
        Ok(match self {
            Self::Plain(modification) => modification.clone(),
            Self::Append(bytes) => Modification::Append(bytes),
            Self::Prepend(bytes) => Modification::Prepend(bytes),
            Self::Push(end, item) => {
                let items = vec![item.as_ref()];
                Modification::Push(PushItems { end: *end, items, keep: None })
            }
            Self::SetAdd(item) => Modification::SetAdd(vec![item.as_ref()]),
            Self::SetRemove(item) => Modification::SetRemove(vec![item.as_ref()]),
            Self::MapSet(field, value) => {
                Modification::MapSet(vec![(FieldName::new(field)?, value.as_ref())])
            }
            Self::MapRemove(field) => Modification::MapRemove(vec![FieldName::new(field)?]),
            Self::MapIncrement(field, by) => {
                let (field, initial) = (FieldName::new(field)?, Some(Number::Int(0)));
                Modification::MapIncrement { field, by: *by, initial }
            }
        })
    }
}

fn named(field: &[u8]) -> Result<Bytes, Error> {
    Ok(Bytes::copy_from_slice(FieldName::new(field)?.as_bytes()))
}
