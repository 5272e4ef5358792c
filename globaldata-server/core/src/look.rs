//! `look`: what a part of a list, set or map is.

use crate::containers;
use crate::store::Store;
use crate::text::{shown, shown_value};
use workyard_engine::Time;
use workyard_protocol::globaldata::{Found, Look, Looked, Question, Reply};
use workyard_protocol::{Encoding, Key, Reason, Refusal, ValueRef};

/// What an answer takes at most, its items apart.
const ANSWER_BYTES: usize = 32;

/// What an item of it takes at most, its value apart: option, tag, length.
const ANSWER_ITEM_BYTES: usize = 1 + 1 + 5;

impl Store {
    pub(crate) fn look(&self, now: Time, look: &Look<'_>) -> Result<Reply<'_>, Refusal> {
        let Look { key, question } = look;
        let entry = self.table.lookup(now, *key);
        let value = entry.map(|entry| entry.value);
        let found = match question {
            Question::Length => {
                let (kind, bytes) = any_container(*key, value)?;
                Found::Length(containers::length(kind, bytes)?)
            }
            Question::Range { start, count } => {
                let list = container(*key, value, Encoding::List)?;
                Found::Values(containers::range(list, *start, *count)?)
            }
            Question::Contains(items) => {
                self.limits.check_items(items.len(), "items of a look")?;
                let set = container(*key, value, Encoding::Set)?;
                Found::Flags(containers::contains(set, items)?)
            }
            Question::Fields(fields) => {
                self.limits.check_items(fields.len(), "fields of a look")?;
                let map = container(*key, value, Encoding::Map)?;
                Found::Values(containers::fields(map, fields)?)
            }
        };
        self.limits.check_reply(answer_bytes(&found))?;
        let revision = entry.map_or(0, |entry| entry.revision);
        Ok(Reply::Looked(Looked { revision, found }))
    }
}

/// The bytes of a container of this kind; none of a variable that does not exist.
pub(crate) fn container<'v>(
    key: Key<'_>,
    value: Option<ValueRef<'v>>,
    kind: Encoding,
) -> Result<&'v [u8], Refusal> {
    match value {
        None => Ok(&[]),
        Some(ValueRef::Encoded { encoding, bytes }) if encoding == kind => Ok(bytes),
        Some(value) => Err(wrong_kind(key, value, &format!("this is for a {kind}"))),
    }
}

fn any_container<'v>(
    key: Key<'_>,
    value: Option<ValueRef<'v>>,
) -> Result<(Encoding, &'v [u8]), Refusal> {
    match value {
        None => Ok((Encoding::List, &[])),
        Some(ValueRef::Encoded { encoding, bytes }) if encoding.is_container() => {
            Ok((encoding, bytes))
        }
        Some(value) => Err(wrong_kind(key, value, "only lists, sets and maps have items")),
    }
}

pub(crate) fn wrong_kind(key: Key<'_>, value: ValueRef<'_>, right: &str) -> Refusal {
    let (key, value) = (shown(key), shown_value(value));
    Refusal::new(Reason::WrongKind, format!("key {key} is {value}: {right}"))
}

/// The most that the answer takes as a frame.
fn answer_bytes(found: &Found<'_>) -> usize {
    let items = match found {
        Found::Length(_) => 0,
        Found::Flags(flags) => flags.len(),
        Found::Values(values) => {
            let bytes: usize = values.iter().flatten().map(|value| value.byte_len()).sum();
            values.len() * ANSWER_ITEM_BYTES + bytes
        }
    };
    ANSWER_BYTES + items
}
