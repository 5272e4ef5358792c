//! What `modify` can do to a variable.

use super::expect::ValueHeader;
use crate::limits::LIST_ITEMS_MAX;
use crate::wire::{self, DecodeError, List};
use crate::{FieldName, Number, Reason, Refusal, ValueRef};
use bincode::{BorrowDecode, Decode, Encode};

/// What happens to a variable. Unless something else is said, one that does not exist counts as empty,
/// and a list, set or map that becomes empty does not exist any more.
#[derive(Clone, Debug, PartialEq)]
pub enum Modification<'a> {
    /// Puts bytes behind those that are there. Raw values only.
    Append(&'a [u8]),
    /// Puts bytes before those that are there. Raw values only.
    Prepend(&'a [u8]),
    /// The lesser of this and what is there, which becomes this if there is nothing.
    Min(Number),
    /// The greater of this and what is there, which becomes this if there is nothing.
    Max(Number),
    /// Adds, as long as the sum stays within bounds.
    AddWithin(AddWithin),
    /// Stores this, and tells what was there.
    Swap(ValueRef<'a>),
    /// Removes the variable, and tells what was there.
    Take,
    /// Puts items at an end of a list, one after the other.
    Push(PushItems<'a>),
    /// Takes items off an end of a list, one after the other, and tells them.
    Pop {
        /// Which end.
        end: End,
        /// How many, 1 to [`LIST_ITEMS_MAX`]; there may be fewer.
        count: u32,
    },
    /// Puts items into a set that it has not.
    SetAdd(Vec<ValueRef<'a>>),
    /// Removes items from a set.
    SetRemove(Vec<ValueRef<'a>>),
    /// Gives fields of a map these values; of a field that comes twice the last counts.
    MapSet(Vec<(FieldName<'a>, ValueRef<'a>)>),
    /// Removes fields from a map.
    MapRemove(Vec<FieldName<'a>>),
    /// Adds to a field of a map.
    MapIncrement {
        /// Which field.
        field: FieldName<'a>,
        /// What to add; negative to subtract.
        by: Number,
        /// What a field that does not exist counts as.
        initial: Option<Number>,
    },
}

/// An addition with bounds, none of which is NaN and of which the first is not above the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AddWithin {
    /// What to add; negative to subtract.
    pub by: Number,
    /// What a variable that does not exist counts as, before the addition.
    pub initial: Option<Number>,
    /// The least that the sum may be.
    pub least: Option<Number>,
    /// The greatest that the sum may be.
    pub greatest: Option<Number>,
    /// What becomes of a sum out of bounds: the bound that it passed, or nothing.
    pub clamp: bool,
}

/// Items for a list. None is a list, set or map.
#[derive(Clone, Debug, PartialEq)]
pub struct PushItems<'a> {
    /// Which end. At the front, the last one pushed becomes the first.
    pub end: End,
    /// The items.
    pub items: Vec<ValueRef<'a>>,
    /// How many the list keeps at most, at least 1; what is too much goes at the other end.
    pub keep: Option<u32>,
}

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum End {
    /// Where the first item is.
    Front,
    /// Where the last item is.
    Back,
}

/// What happens, in a header; values and bytes stand in the payload.
#[derive(Encode, BorrowDecode)]
#[bincode(decode_context = "()")]
pub(super) enum ModificationHeader<'a> {
    Append(u32),
    Prepend(u32),
    Min(Number),
    Max(Number),
    AddWithin(Number, Option<Number>, Option<Number>, Option<Number>, bool),
    Swap(ValueHeader),
    Take,
    Push(End, List<ValueHeader>, Option<u32>),
    Pop(End, u32),
    SetAdd(List<ValueHeader>),
    SetRemove(List<ValueHeader>),
    MapSet(List<(&'a [u8], ValueHeader)>),
    MapRemove(List<&'a [u8]>),
    MapIncrement(&'a [u8], Number, Option<Number>),
}

impl<'a> Modification<'a> {
    /// How many bytes a value may become longer by it.
    #[must_use]
    pub fn growth_bytes(&self) -> usize {
        use crate::container::{FIELD_HEADER_BYTES, ITEM_HEADER_BYTES};
        let item = |value: &ValueRef<'_>| ITEM_HEADER_BYTES + value.byte_len();
        let field = |field: &FieldName<'_>| FIELD_HEADER_BYTES + field.as_bytes().len();
        match self {
            Self::Append(bytes) | Self::Prepend(bytes) => bytes.len(),
            Self::Min(_) | Self::Max(_) | Self::AddWithin(_) => 8,
            Self::Swap(value) => value.byte_len(),
            Self::Push(PushItems { items, .. }) | Self::SetAdd(items) => {
                items.iter().map(item).sum()
            }
            Self::MapSet(fields) => fields.iter().map(|(name, it)| field(name) + item(it)).sum(),
            Self::MapIncrement { field: name, .. } => field(name) + ITEM_HEADER_BYTES + 8,
            Self::Take | Self::Pop { .. } | Self::SetRemove(_) | Self::MapRemove(_) => 0,
        }
    }

    pub(super) fn header(&self) -> ModificationHeader<'a> {
        match self {
            Self::Append(bytes) => ModificationHeader::Append(length(bytes)),
            Self::Prepend(bytes) => ModificationHeader::Prepend(length(bytes)),
            Self::Min(number) => ModificationHeader::Min(*number),
            Self::Max(number) => ModificationHeader::Max(*number),
            Self::AddWithin(AddWithin { by, initial, least, greatest, clamp }) => {
                ModificationHeader::AddWithin(*by, *initial, *least, *greatest, *clamp)
            }
            Self::Swap(value) => ModificationHeader::Swap(ValueHeader::of(*value)),
            Self::Take => ModificationHeader::Take,
            Self::Push(PushItems { end, items, keep }) => {
                ModificationHeader::Push(*end, ValueHeader::list(items), *keep)
            }
            Self::Pop { end, count } => ModificationHeader::Pop(*end, *count),
            Self::SetAdd(items) => ModificationHeader::SetAdd(ValueHeader::list(items)),
            Self::SetRemove(items) => ModificationHeader::SetRemove(ValueHeader::list(items)),
            Self::MapSet(fields) => ModificationHeader::MapSet(List(
                fields.iter().map(|(name, it)| (name.as_bytes(), ValueHeader::of(*it))).collect(),
            )),
            Self::MapRemove(fields) => {
                ModificationHeader::MapRemove(List(fields.iter().map(|it| it.as_bytes()).collect()))
            }
            Self::MapIncrement { field, by, initial } => {
                ModificationHeader::MapIncrement(field.as_bytes(), *by, *initial)
            }
        }
    }

    pub(super) fn put_payload(&self, out: &mut Vec<u8>) {
        match self {
            Self::Append(bytes) | Self::Prepend(bytes) => out.extend_from_slice(bytes),
            Self::Swap(value) => value.put(out),
            Self::Push(PushItems { items, .. }) | Self::SetAdd(items) | Self::SetRemove(items) => {
                items.iter().for_each(|item| item.put(out));
            }
            Self::MapSet(fields) => fields.iter().for_each(|(_, value)| value.put(out)),
            Self::Min(_) | Self::Max(_) | Self::AddWithin(_) | Self::MapIncrement { .. } => {}
            Self::Take | Self::Pop { .. } | Self::MapRemove(_) => {}
        }
    }
}

impl<'a> ModificationHeader<'a> {
    pub(super) fn decode(self, payload: &mut &'a [u8]) -> Result<Modification<'a>, DecodeError> {
        Ok(match self {
            Self::Append(length) => Modification::Append(wire::cut(payload, length, "append")?),
            Self::Prepend(length) => Modification::Prepend(wire::cut(payload, length, "prepend")?),
            Self::Min(number) => Modification::Min(checked(number)?),
            Self::Max(number) => Modification::Max(checked(number)?),
            Self::AddWithin(by, initial, least, greatest, clamp) => {
                check_bounds(least, greatest)?;
                Modification::AddWithin(AddWithin { by, initial, least, greatest, clamp })
            }
            Self::Swap(header) => Modification::Swap(header.decode(payload)?),
            Self::Take => Modification::Take,
            Self::Push(end, items, keep) => {
                let items = decode_items(items, payload)?;
                Modification::Push(PushItems {
                    end,
                    items,
                    keep: keep.map(check_keep).transpose()?,
                })
            }
            Self::Pop(end, count) => Modification::Pop { end, count: check_count(count)? },
            Self::SetAdd(items) => Modification::SetAdd(decode_items(items, payload)?),
            Self::SetRemove(items) => Modification::SetRemove(decode_items(items, payload)?),
            Self::MapSet(List(fields)) => {
                let field = |(name, header): (&'a [u8], ValueHeader)| {
                    let value = decode_item(header, payload)?;
                    Ok((FieldName::new(name)?, value))
                };
                let fields = fields.into_iter().map(field).collect::<Result<_, DecodeError>>()?;
                Modification::MapSet(fields)
            }
            Self::MapRemove(fields) => Modification::MapRemove(decode_fields(fields)?),
            Self::MapIncrement(field, by, initial) => {
                Modification::MapIncrement { field: FieldName::new(field)?, by, initial }
            }
        })
    }
}

/// Items, each of which may be in a list, set or map.
pub(super) fn decode_items<'a>(
    List(headers): List<ValueHeader>,
    payload: &mut &'a [u8],
) -> Result<Vec<ValueRef<'a>>, DecodeError> {
    headers.into_iter().map(|header| decode_item(header, payload)).collect()
}

fn decode_item<'a>(
    header: ValueHeader,
    payload: &mut &'a [u8],
) -> Result<ValueRef<'a>, DecodeError> {
    let value = header.decode(payload)?;
    if value.tag().is_container() {
        let text =
            format!("a {} cannot be an item of another list, set or map", value.tag().name());
        return Err(Refusal::new(Reason::InvalidArgument, text).into());
    }
    Ok(value)
}

pub(super) fn decode_fields(List(names): List<&[u8]>) -> Result<Vec<FieldName<'_>>, DecodeError> {
    names.into_iter().map(|name| Ok(FieldName::new(name)?)).collect()
}

/// How many items are asked for at once.
pub(super) fn check_count(count: u32) -> Result<u32, DecodeError> {
    if count >= 1 && count as usize <= LIST_ITEMS_MAX {
        return Ok(count);
    }
    let text = format!("{count} items are not in 1 to {LIST_ITEMS_MAX}");
    Err(Refusal::new(Reason::InvalidArgument, text).into())
}

fn check_keep(keep: u32) -> Result<u32, DecodeError> {
    if keep > 0 {
        return Ok(keep);
    }
    let text = "a list that keeps 0 items is none: delete it instead";
    Err(Refusal::new(Reason::InvalidArgument, text).into())
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("a payload is bounded by its frame")
}

/// NaN is less than nothing and greater than nothing: no bound, and no minimum.
fn checked(number: Number) -> Result<Number, DecodeError> {
    match number {
        Number::Float(float) if float.is_nan() => {
            let text = "NaN is neither less nor greater than any number: give another";
            Err(Refusal::new(Reason::InvalidArgument, text).into())
        }
        number => Ok(number),
    }
}

fn check_bounds(least: Option<Number>, greatest: Option<Number>) -> Result<(), DecodeError> {
    let (least, greatest) = (least.map(checked).transpose()?, greatest.map(checked).transpose()?);
    match (least, greatest) {
        (Some(least), Some(greatest))
            if least.compare(greatest).is_some_and(|order| order.is_gt()) =>
        {
            let text = format!("the least, {least}, is above the greatest, {greatest}");
            Err(Refusal::new(Reason::InvalidArgument, text).into())
        }
        _ => Ok(()),
    }
}
