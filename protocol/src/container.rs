//! Lists, sets and maps as the bytes of one value: items one behind the other.
//!
//! An item is its tag (one byte), its length (four bytes, big endian) and its bytes. A list has its items in
//! their order; a set has each item once, sorted by these bytes; a map has before each item its field,
//! which is a length (two bytes, big endian) and the name, sorted by name. So equal sets and maps are
//! equal bytes. An item is any value but another container.

use crate::value::Encoding;
use crate::{FieldName, ValueRef, ValueTag};

/// What an item takes beyond the bytes of its value.
pub const ITEM_HEADER_BYTES: usize = 1 + 4;

/// What a map's field takes beyond its name.
pub const FIELD_HEADER_BYTES: usize = 2;

/// Bytes that are no list, set or map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("item {item} of the {kind} {problem}")]
pub struct ContainerError {
    /// What the bytes should have been.
    pub kind: Encoding,
    /// Which item, counted from 0.
    pub item: usize,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// One item of a list, set or map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Item<'a> {
    /// The field; empty in lists and sets.
    pub field: FieldName<'a>,
    /// The value.
    pub value: ValueRef<'a>,
    /// All of its bytes: a set is sorted by them.
    pub bytes: &'a [u8],
}

/// The items of a list, set or map, up to the first that is none.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    kind: Encoding,
    rest: &'a [u8],
    item: usize,
}

impl<'a> Items<'a> {
    /// Those of a value of this kind.
    #[must_use]
    pub fn new(kind: Encoding, bytes: &'a [u8]) -> Self {
        Self { kind, rest: bytes, item: 0 }
    }

    /// What has not been read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn read(&mut self) -> Result<Item<'a>, &'static str> {
        let mut rest = self.rest;
        let field = match self.kind {
            Encoding::Map => read_field(&mut rest)?,
            _ => FieldName::new(b"").expect("no bytes are few enough"),
        };
        let value = read_value(&mut rest)?;
        let bytes = &self.rest[..self.rest.len() - rest.len()];
        self.rest = rest;
        Ok(Item { field, value, bytes })
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Item<'a>, ContainerError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let read = self.read().map_err(|problem| {
            self.rest = &[];
            ContainerError { kind: self.kind, item: self.item, problem }
        });
        self.item += 1;
        Some(read)
    }
}

/// Whether bytes are a list, set or map. Takes time in proportion to the items.
///
/// # Errors
/// What is wrong with the first that is none.
pub fn check(kind: Encoding, bytes: &[u8]) -> Result<(), ContainerError> {
    let mut before: Option<Item<'_>> = None;
    for (item, read) in Items::new(kind, bytes).enumerate() {
        let read = read?;
        let ascends = before.is_none_or(|before| match kind {
            Encoding::Set => before.bytes < read.bytes,
            Encoding::Map => before.field < read.field,
            _ => true,
        });
        if !ascends {
            return Err(ContainerError {
                kind,
                item,
                problem: "does not come after the one before",
            });
        }
        before = Some(read);
    }
    Ok(())
}

/// Appends an item.
///
/// # Panics
/// When it is a container itself.
pub fn put_item(value: ValueRef<'_>, out: &mut Vec<u8>) {
    assert!(!value.tag().is_container(), "what is decoded has no container in another");
    let length = u32::try_from(value.byte_len()).expect("a value is bounded by its frame");
    out.push(value.tag().code());
    out.extend_from_slice(&length.to_be_bytes());
    value.put(out);
}

/// Appends a field and its item.
///
/// # Panics
/// When the item is a container itself.
pub fn put_field(field: FieldName<'_>, value: ValueRef<'_>, out: &mut Vec<u8>) {
    let name = field.as_bytes();
    let length = u16::try_from(name.len()).expect("a field is bounded by NAME_BYTES_MAX");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(name);
    put_item(value, out);
}

fn read_field<'a>(rest: &mut &'a [u8]) -> Result<FieldName<'a>, &'static str> {
    let length = *take::<2>(rest).ok_or("ends within the length of its field")?;
    let name = cut(rest, usize::from(u16::from_be_bytes(length)));
    FieldName::new(name.ok_or("ends within its field")?)
        .map_err(|_| "has a field above the limit of 4096 bytes")
}

fn read_value<'a>(rest: &mut &'a [u8]) -> Result<ValueRef<'a>, &'static str> {
    let [tag] = *take::<1>(rest).ok_or("ends before its tag")?;
    let length = *take::<4>(rest).ok_or("ends within its length")?;
    let bytes = cut(rest, u32::from_be_bytes(length) as usize).ok_or("ends within its bytes")?;
    let number = || <[u8; 8]>::try_from(bytes).map_err(|_| "is a number that has not 8 bytes");
    Ok(match ValueTag::from_code(tag).ok_or("has an unknown tag")? {
        ValueTag::Int => ValueRef::Int(i64::from_be_bytes(number()?)),
        ValueTag::Float => ValueRef::Float(f64::from_be_bytes(number()?)),
        ValueTag::Encoded(encoding) if encoding.is_container() => {
            return Err("is a container itself");
        }
        ValueTag::Encoded(encoding) => ValueRef::Encoded { encoding, bytes },
    })
}

fn take<'a, const COUNT: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; COUNT]> {
    let (taken, left) = rest.split_first_chunk::<COUNT>()?;
    *rest = left;
    Some(taken)
}

fn cut<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str) -> FieldName<'_> {
        FieldName::new(name).unwrap()
    }

    fn list(values: &[ValueRef<'_>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        values.iter().for_each(|value| put_item(*value, &mut bytes));
        bytes
    }

    #[test]
    fn items_come_back_in_their_order() {
        let values = [ValueRef::raw("b"), ValueRef::Int(-1), ValueRef::raw(""), ValueRef::raw("b")];
        let bytes = list(&values);
        assert_eq!(bytes.len(), 4 * ITEM_HEADER_BYTES + 1 + 8 + 1);
        let read = Items::new(Encoding::List, &bytes).map(|item| item.unwrap().value);
        assert_eq!(read.collect::<Vec<_>>(), values);
        assert_eq!(check(Encoding::List, &bytes), Ok(()));
        assert_eq!(check(Encoding::List, &[]), Ok(()));
    }

    #[test]
    fn sets_and_maps_ascend() {
        let (one, two) = (ValueRef::raw("a"), ValueRef::raw("b"));
        assert_eq!(check(Encoding::Set, &list(&[one, two])), Ok(()));
        for wrong in [[two, one], [one, one]] {
            let error = check(Encoding::Set, &list(&wrong)).unwrap_err();
            assert_eq!(error.to_string(), "item 1 of the set does not come after the one before");
        }
        let map = |fields: &[&str]| {
            let mut bytes = Vec::new();
            fields.iter().for_each(|name| put_field(field(name), one, &mut bytes));
            bytes
        };
        assert_eq!(check(Encoding::Map, &map(&["", "a", "aa", "b"])), Ok(()));
        assert!(check(Encoding::Map, &map(&["b", "a"])).is_err());
        assert!(check(Encoding::Map, &map(&["a", "a"])).is_err());
        let bytes = map(&["a", "b"]);
        let read: Vec<_> = Items::new(Encoding::Map, &bytes).map(|item| item.unwrap()).collect();
        assert_eq!((read[1].field, read[1].value), (field("b"), one));
        assert_eq!([read[0].bytes, read[1].bytes].concat(), bytes);
    }

    #[test]
    fn what_is_cut_anywhere_is_none() {
        let mut bytes = Vec::new();
        put_field(field("name"), ValueRef::Int(7), &mut bytes);
        for end in 1..bytes.len() {
            assert!(check(Encoding::Map, &bytes[..end]).is_err(), "{end}");
        }
        bytes.push(0);
        let error = check(Encoding::Map, &bytes).unwrap_err();
        assert_eq!(error.to_string(), "item 1 of the map ends within the length of its field");
    }

    #[test]
    fn numbers_tags_and_fields_are_checked() {
        let problem = |kind, bytes: &[u8]| check(kind, bytes).unwrap_err().problem;
        let list = Encoding::List;
        assert_eq!(problem(list, &[1, 0, 0, 0, 1, 9]), "is a number that has not 8 bytes");
        assert_eq!(problem(list, &[10, 0, 0, 0, 0]), "has an unknown tag");
        assert_eq!(problem(list, &[7, 0, 0, 0, 0]), "is a container itself");
        assert_eq!(problem(list, &[0, 0xff, 0xff, 0xff, 0xff]), "ends within its bytes");
        let long = [&[0x10, 0x01][..], &[b'f'; 4097], &[0, 0, 0, 0, 0]].concat();
        assert_eq!(problem(Encoding::Map, &long), "has a field above the limit of 4096 bytes");
    }
}
