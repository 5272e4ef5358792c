//! `look`: reads a part of a list, set or map.

use super::expect::ValueHeader;
use super::modification::{check_count, decode_fields, decode_items};
use crate::wire::{self, DecodeError, List};
use crate::{FieldName, Key, ValueRef};
use bincode::{BorrowDecode, Encode};

pub(super) const CODE: u8 = 0x3E;

/// Asks something of a list, set or map; answered by `Looked`. One that does not exist is empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Look<'a> {
    /// Which variable.
    pub key: Key<'a>,
    /// What is asked.
    pub question: Question<'a>,
}

/// What is asked of a list, set or map.
#[derive(Clone, Debug, PartialEq)]
pub enum Question<'a> {
    /// How many items there are, of any of the three.
    Length,
    /// Some of a list's items.
    Range {
        /// The first, counted from 0; from the end if negative, of which -1 is the last.
        start: i64,
        /// How many, 1 to 16 384; there may be fewer.
        count: u32,
    },
    /// Whether a set has these.
    Contains(Vec<ValueRef<'a>>),
    /// What these fields of a map are.
    Fields(Vec<FieldName<'a>>),
}

/// What a look has found.
#[derive(Clone, Debug, PartialEq)]
pub struct Looked<'a> {
    /// The variable's revision; 0 when it does not exist.
    pub revision: u64,
    /// The answer to the question.
    pub found: Found<'a>,
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Found<'a> {
    /// How many items there are.
    Length(u64),
    /// The items of the range, or one for each field asked for.
    Values(Vec<Option<ValueRef<'a>>>),
    /// For each item asked for, whether it is there.
    Flags(Vec<bool>),
}

#[derive(Encode, BorrowDecode)]
#[bincode(decode_context = "()")]
enum QuestionHeader<'a> {
    Length,
    Range(i64, u32),
    Contains(List<ValueHeader>),
    Fields(List<&'a [u8]>),
}

#[derive(Encode, BorrowDecode)]
#[bincode(decode_context = "()")]
enum FoundHeader {
    Length(u64),
    Values(List<Option<ValueHeader>>),
    Flags(List<bool>),
}

impl<'a> Look<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let question = match &self.question {
            Question::Length => QuestionHeader::Length,
            Question::Range { start, count } => QuestionHeader::Range(*start, *count),
            Question::Contains(items) => QuestionHeader::Contains(ValueHeader::list(items)),
            Question::Fields(fields) => {
                QuestionHeader::Fields(List(fields.iter().map(|it| it.as_bytes()).collect()))
            }
        };
        wire::put(out, (self.key.as_bytes(), question));
        if let Question::Contains(items) = &self.question {
            items.iter().for_each(|item| item.put(out));
        }
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        type Header<'a> = (&'a [u8], QuestionHeader<'a>);
        let ((key, header), mut payload): (Header<'a>, _) = wire::take(body, "look")?;
        let question = match header {
            QuestionHeader::Length => Question::Length,
            QuestionHeader::Range(start, count) => {
                Question::Range { start, count: check_count(count)? }
            }
            QuestionHeader::Contains(items) => {
                Question::Contains(decode_items(items, &mut payload)?)
            }
            QuestionHeader::Fields(fields) => Question::Fields(decode_fields(fields)?),
        };
        match payload {
            [] => Ok(Self { key: Key::new(key)?, question }),
            rest => Err(wire::trailing("look", rest.len())),
        }
    }
}

impl<'a> Looked<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let found = match &self.found {
            Found::Length(length) => FoundHeader::Length(*length),
            Found::Values(values) => FoundHeader::Values(List(
                values.iter().map(|value| value.map(ValueHeader::of)).collect(),
            )),
            Found::Flags(flags) => FoundHeader::Flags(List(flags.clone())),
        };
        wire::put(out, (self.revision, found));
        if let Found::Values(values) = &self.found {
            values.iter().flatten().for_each(|value| value.put(out));
        }
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let ((revision, header), mut payload): ((u64, FoundHeader), _) =
            wire::take(body, "looked")?;
        let found = match header {
            FoundHeader::Length(length) => Found::Length(length),
            FoundHeader::Values(List(headers)) => {
                let value = |header: Option<ValueHeader>| {
                    header.map(|header| header.decode(&mut payload)).transpose()
                };
                Found::Values(headers.into_iter().map(value).collect::<Result<_, _>>()?)
            }
            FoundHeader::Flags(List(flags)) => Found::Flags(flags),
        };
        match payload {
            [] => Ok(Self { revision, found }),
            rest => Err(wire::trailing("looked", rest.len())),
        }
    }
}
