//! What lists, sets and maps become: bytes in, bytes out. Each takes time in proportion to the bytes.

use std::collections::BTreeMap;
use workyard_protocol::container::{ContainerError, Item, Items, put_field, put_item};
use workyard_protocol::globaldata::{End, PushItems};
use workyard_protocol::{Encoding, FieldName, Value, ValueRef};

/// What shall become of items or fields, by what they are sorted by: other bytes, or none any more.
pub(crate) type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// How the items or fields of some [`Changes`] have met those that were there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Merged {
    /// How many were there.
    pub(crate) met: u64,
    /// How many were not.
    pub(crate) new: u64,
}

/// How many items there are.
pub(crate) fn length(kind: Encoding, bytes: &[u8]) -> Result<u64, ContainerError> {
    Items::new(kind, bytes).try_fold(0, |count, item| item.map(|_| count + 1))
}

/// Writes the list with items pushed, and returns how many there are then.
pub(crate) fn push(
    list: &[u8],
    PushItems { end, items, keep }: &PushItems<'_>,
    made: &mut Vec<u8>,
) -> Result<u64, ContainerError> {
    let before = length(Encoding::List, list)?;
    let after = before + items.len() as u64;
    let excess = keep.map_or(0, |keep| after.saturating_sub(keep.into()));
    // What goes at the other end: of the old items as many as there are, then of the new.
    let (old_excess, new_excess) = (excess.min(before), excess.saturating_sub(before));
    let new = &items[usize::try_from(new_excess).unwrap_or(items.len()).min(items.len())..];
    match end {
        End::Back => {
            made.extend_from_slice(behind(list, old_excess)?);
            new.iter().for_each(|item| put_item(*item, made));
        }
        End::Front => {
            new.iter().rev().for_each(|item| put_item(*item, made));
            let kept = behind(list, before - old_excess)?;
            made.extend_from_slice(&list[..list.len() - kept.len()]);
        }
    }
    Ok(after - excess)
}

/// Takes items off the list, in the order of popping, and returns what is left of it.
pub(crate) fn pop<'l>(
    list: &'l [u8],
    end: End,
    count: u32,
    taken: &mut Vec<Value>,
) -> Result<&'l [u8], ContainerError> {
    let length = length(Encoding::List, list)?;
    let count = length.min(count.into());
    let at = if end == End::Front { count } else { length - count };
    let rest = behind(list, at)?;
    let front = &list[..list.len() - rest.len()];
    let (popped, left) = if end == End::Front { (front, rest) } else { (rest, front) };
    for item in Items::new(Encoding::List, popped) {
        taken.push(item?.value.to_value());
    }
    if end == End::Back {
        taken.reverse();
    }
    Ok(left)
}

/// The items of a range, counted from the front or, below 0, from the end.
pub(crate) fn range(
    list: &[u8],
    start: i64,
    count: u32,
) -> Result<Vec<Option<ValueRef<'_>>>, ContainerError> {
    let length = length(Encoding::List, list)?;
    let start = match u64::try_from(start) {
        Ok(start) => start.min(length),
        Err(_) => length.saturating_sub(start.unsigned_abs()),
    };
    let items = Items::new(Encoding::List, behind(list, start)?).take(count as usize);
    items.map(|item| item.map(|item| Some(item.value))).collect()
}

/// Which of these a set has, in their order.
pub(crate) fn contains(set: &[u8], wanted: &[ValueRef<'_>]) -> Result<Vec<bool>, ContainerError> {
    let wanted: Vec<Vec<u8>> = wanted.iter().map(|value| encoded(*value)).collect();
    let mut sorted: Vec<usize> = (0..wanted.len()).collect();
    sorted.sort_by_key(|place| &wanted[*place]);
    let mut flags = vec![false; wanted.len()];
    let mut sorted = sorted.into_iter().peekable();
    for item in Items::new(Encoding::Set, set) {
        let item = item?.bytes;
        while sorted.next_if(|place| wanted[*place].as_slice() < item).is_some() {}
        while let Some(place) = sorted.next_if(|place| wanted[*place] == item) {
            flags[place] = true;
        }
    }
    Ok(flags)
}

/// What these fields of a map are, in their order.
pub(crate) fn fields<'m>(
    map: &'m [u8],
    wanted: &[FieldName<'_>],
) -> Result<Vec<Option<ValueRef<'m>>>, ContainerError> {
    let mut sorted: Vec<usize> = (0..wanted.len()).collect();
    sorted.sort_by_key(|place| wanted[*place]);
    let mut values = vec![None; wanted.len()];
    let mut sorted = sorted.into_iter().peekable();
    for item in Items::new(Encoding::Map, map) {
        let Item { field, value, .. } = item?;
        while sorted.next_if(|place| wanted[*place] < field).is_some() {}
        while let Some(place) = sorted.next_if(|place| wanted[*place] == field) {
            values[place] = Some(value);
        }
    }
    Ok(values)
}

/// Items for a set, or to be removed from it.
pub(crate) fn set_changes(items: &[ValueRef<'_>], is_removal: bool) -> Changes {
    let change = |bytes: Vec<u8>| (bytes.clone(), (!is_removal).then_some(bytes));
    items.iter().map(|item| change(encoded(*item))).collect()
}

/// Values for fields of a map. Of a field that comes twice the last counts.
pub(crate) fn field_changes(fields: &[(FieldName<'_>, ValueRef<'_>)]) -> Changes {
    let change = |(field, value): &(FieldName<'_>, ValueRef<'_>)| {
        let mut bytes = Vec::new();
        put_field(*field, *value, &mut bytes);
        (field.as_bytes().to_vec(), Some(bytes))
    };
    fields.iter().map(change).collect()
}

/// Fields to be removed from a map.
pub(crate) fn field_removals(fields: &[FieldName<'_>]) -> Changes {
    fields.iter().map(|field| (field.as_bytes().to_vec(), None)).collect()
}

/// Writes the set or map with these changes: both are sorted, so that one pass is enough.
pub(crate) fn merge(
    kind: Encoding,
    bytes: &[u8],
    changes: &Changes,
    made: &mut Vec<u8>,
) -> Result<Merged, ContainerError> {
    let mut merged = Merged::default();
    let mut changes = changes.iter().peekable();
    for item in Items::new(kind, bytes) {
        let item = item?;
        let place = if kind == Encoding::Map { item.field.as_bytes() } else { item.bytes };
        while let Some((_, change)) = changes.next_if(|(key, _)| key.as_slice() < place) {
            merged.put_new(change.as_deref(), made);
        }
        match changes.next_if(|(key, _)| key.as_slice() == place) {
            None => made.extend_from_slice(item.bytes),
            Some((_, change)) => {
                merged.met += 1;
                made.extend_from_slice(change.as_deref().unwrap_or_default());
            }
        }
    }
    for (_, change) in changes {
        merged.put_new(change.as_deref(), made);
    }
    Ok(merged)
}

impl Merged {
    fn put_new(&mut self, change: Option<&[u8]>, made: &mut Vec<u8>) {
        self.new += 1;
        made.extend_from_slice(change.unwrap_or_default());
    }
}

/// The list without so many items at its front.
fn behind(list: &[u8], count: u64) -> Result<&[u8], ContainerError> {
    let mut items = Items::new(Encoding::List, list);
    for _ in 0..count {
        items.next().transpose()?;
    }
    Ok(items.rest())
}

fn encoded(value: ValueRef<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_item(value, &mut bytes);
    bytes
}
