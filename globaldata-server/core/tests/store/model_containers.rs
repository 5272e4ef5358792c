//! Lists, sets and maps as simply as they can be said: vectors and sorted maps of values.

use crate::model::Outcomes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use workyard_protocol::container::{Items, put_field, put_item};
use workyard_protocol::globaldata::{End, Found, Modification, PushItems, Question};
use workyard_protocol::{Encoding, FieldName, Reason, Value, ValueRef};

/// What is told, what is told of values, and what the variable is then.
type After = (Outcomes, Vec<Value>, Option<Value>);

pub(crate) fn modify(
    before: Option<&Value>,
    modification: &Modification<'_>,
) -> Result<After, Reason> {
    match modification {
        Modification::Push(push) => pushed(list(before)?, push),
        Modification::Pop { end, count } => {
            let mut list = list(before)?;
            let taken = (0..*count).map_while(|_| pop(&mut list, *end)).collect();
            Ok((Outcomes::Taken, taken, of_list(&list)))
        }
        Modification::SetAdd(_) | Modification::SetRemove(_) => {
            of_a_set(set(before)?, modification)
        }
        _ => of_a_map(map(before)?, modification),
    }
}

fn pushed(mut list: VecDeque<Value>, push: &PushItems<'_>) -> Result<After, Reason> {
    for item in &push.items {
        match push.end {
            End::Front => list.push_front(item.to_value()),
            End::Back => list.push_back(item.to_value()),
        }
    }
    let other = if push.end == End::Front { End::Back } else { End::Front };
    while push.keep.is_some_and(|keep| list.len() > keep as usize) {
        pop(&mut list, other);
    }
    Ok((Outcomes::Length(list.len() as u64), vec![], of_list(&list)))
}

fn pop(list: &mut VecDeque<Value>, end: End) -> Option<Value> {
    match end {
        End::Front => list.pop_front(),
        End::Back => list.pop_back(),
    }
}

fn of_a_set(mut set: BTreeSet<Vec<u8>>, modification: &Modification<'_>) -> Result<After, Reason> {
    let count = match modification {
        Modification::SetAdd(items) => {
            items.iter().filter(|item| set.insert(encoded(**item))).count()
        }
        Modification::SetRemove(items) => {
            items.iter().filter(|item| set.remove(&encoded(**item))).count()
        }
        other => panic!("not of a set: {other:?}"),
    };
    Ok((Outcomes::Count(count as u64), vec![], of_set(&set)))
}

fn of_a_map(
    mut map: BTreeMap<Vec<u8>, Value>,
    modification: &Modification<'_>,
) -> Result<After, Reason> {
    let outcome = match modification {
        Modification::MapSet(fields) => {
            let mut put = |(field, value): &(FieldName<'_>, ValueRef<'_>)| {
                map.insert(field.as_bytes().to_vec(), value.to_value()).is_none()
            };
            Outcomes::Count(fields.iter().map(|field| u64::from(put(field))).sum())
        }
        Modification::MapRemove(fields) => {
            let gone = fields.iter().filter(|field| map.remove(field.as_bytes()).is_some());
            Outcomes::Count(gone.count() as u64)
        }
        Modification::MapIncrement { field, by, initial } => {
            let number = match map.get(field.as_bytes()) {
                Some(value) => value.as_ref().number().ok_or(Reason::NotANumber)?,
                None => initial.ok_or(Reason::NotFound)?,
            };
            let sum = number.checked_add(*by).ok_or(Reason::OutOfRange)?;
            map.insert(field.as_bytes().to_vec(), ValueRef::from(sum).to_value());
            Outcomes::Number(sum)
        }
        other => panic!("the model has it elsewhere: {other:?}"),
    };
    Ok((outcome, vec![], of_map(&map)))
}

pub(crate) fn look<'m>(
    value: Option<&'m Value>,
    question: &Question<'_>,
) -> Result<Found<'m>, Reason> {
    Ok(match question {
        Question::Length => Found::Length(match value {
            Some(Value::Encoded { encoding: Encoding::Set, .. }) => set(value)?.len() as u64,
            Some(Value::Encoded { encoding: Encoding::Map, .. }) => map(value)?.len() as u64,
            _ => list(value)?.len() as u64,
        }),
        Question::Range { start, count } => {
            let items: Vec<_> = items(value, Encoding::List)?.collect();
            let length = items.len() as i64;
            let start = if *start < 0 { (length + start).max(0) } else { *start };
            let range = items.into_iter().skip(start as usize).take(*count as usize);
            Found::Values(range.map(|(_, value)| Some(value)).collect())
        }
        Question::Contains(items) => {
            let set = set(value)?;
            Found::Flags(items.iter().map(|item| set.contains(&encoded(*item))).collect())
        }
        Question::Fields(fields) => {
            let items: Vec<_> = items(value, Encoding::Map)?.collect();
            let found = |field: &FieldName<'_>| {
                items.iter().find(|(name, _)| name == field).map(|(_, value)| *value)
            };
            Found::Values(fields.iter().map(found).collect())
        }
    })
}

fn items<'v>(
    value: Option<&'v Value>,
    kind: Encoding,
) -> Result<impl Iterator<Item = (FieldName<'v>, ValueRef<'v>)>, Reason> {
    let bytes: &[u8] = match value {
        None => &[],
        Some(Value::Encoded { encoding, bytes }) if *encoding == kind => bytes,
        Some(_) => return Err(Reason::WrongKind),
    };
    let well_formed = |item: Result<_, _>| item.expect("the store only stores what is well formed");
    Ok(Items::new(kind, bytes).map(well_formed).map(|item| (item.field, item.value)))
}

fn list(value: Option<&Value>) -> Result<VecDeque<Value>, Reason> {
    Ok(items(value, Encoding::List)?.map(|(_, value)| value.to_value()).collect())
}

fn set(value: Option<&Value>) -> Result<BTreeSet<Vec<u8>>, Reason> {
    Ok(items(value, Encoding::Set)?.map(|(_, value)| encoded(value)).collect())
}

fn map(value: Option<&Value>) -> Result<BTreeMap<Vec<u8>, Value>, Reason> {
    let items = items(value, Encoding::Map)?;
    Ok(items.map(|(field, value)| (field.as_bytes().to_vec(), value.to_value())).collect())
}

fn encoded(value: ValueRef<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_item(value, &mut bytes);
    bytes
}

fn of_list(list: &VecDeque<Value>) -> Option<Value> {
    let items: Vec<_> = list.iter().map(|value| encoded(value.as_ref())).collect();
    not_empty(Encoding::List, items.concat())
}

fn of_set(set: &BTreeSet<Vec<u8>>) -> Option<Value> {
    not_empty(Encoding::Set, set.iter().flatten().copied().collect())
}

fn of_map(map: &BTreeMap<Vec<u8>, Value>) -> Option<Value> {
    let mut bytes = Vec::new();
    for (name, value) in map {
        put_field(FieldName::new(name).expect("short"), value.as_ref(), &mut bytes);
    }
    not_empty(Encoding::Map, bytes)
}

fn not_empty(encoding: Encoding, bytes: Vec<u8>) -> Option<Value> {
    (!bytes.is_empty()).then(|| Value::Encoded { encoding, bytes: bytes.into() })
}
