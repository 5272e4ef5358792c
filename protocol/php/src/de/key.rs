//! The key of an entry as a Rust value: text of an integer, and integers of text, as PHP has it.

use super::entries::KeyKind;
use super::{DeError, string};
use crate::key::integer_like;
use crate::lexer::KeyText;
use serde::de::{Deserializer, Visitor};
use serde::forward_to_deserialize_any;
use std::borrow::Cow;
use std::fmt;

/// The key of an element, or the plain name of a property.
pub(super) enum MapKey<'de> {
    Int(i64),
    String(Cow<'de, [u8]>),
}

impl<'de> MapKey<'de> {
    pub(super) fn new(key: KeyText<'de>, kind: KeyKind) -> Self {
        match (key, kind) {
            (KeyText::Int(int), _) => Self::Int(int),
            (KeyText::String(key), KeyKind::Element) => Self::String(key.bytes()),
            (KeyText::String(name), KeyKind::Property) => Self::String(plain_name(name.bytes())),
        }
    }

    /// Whether it is this key of a list.
    pub(super) fn is_index(&self, index: usize) -> bool {
        let key = match self {
            Self::Int(int) => Some(*int),
            Self::String(bytes) => integer_like(bytes),
        };
        key.and_then(|key| usize::try_from(key).ok()) == Some(index)
    }

    /// The key as PHP would print it.
    fn into_string(self) -> Cow<'de, [u8]> {
        match self {
            Self::Int(int) => Cow::Owned(int.to_string().into_bytes()),
            Self::String(bytes) => bytes,
        }
    }

    fn integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match &self {
            Self::Int(int) => visitor.visit_i64(*int),
            Self::String(bytes) => match (integer_like(bytes), wide_integer(bytes)) {
                (Some(int), _) => visitor.visit_i64(int),
                (None, Some(wide)) => match u64::try_from(wide) {
                    Ok(int) => visitor.visit_u64(int),
                    Err(_) => visitor.visit_i128(wide),
                },
                (None, None) => self.deserialize_any(visitor),
            },
        }
    }
}

/// The property that a name with its visibility means: `\0*\0p` and `\0Class\0p` are `p`.
fn plain_name(name: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let plain = match &*name {
        [0, rest @ ..] => rest.iter().position(|byte| *byte == 0).map(|end| end + 2),
        _ => None,
    };
    match (plain, name) {
        (None, name) => name,
        (Some(start), Cow::Borrowed(name)) => Cow::Borrowed(&name[start..]),
        (Some(start), Cow::Owned(name)) => Cow::Owned(name[start..].to_vec()),
    }
}

/// An integer that is beyond 64 bits with a sign, which PHP keeps as text.
fn wide_integer(bytes: &[u8]) -> Option<i128> {
    match bytes {
        [b'1'..=b'9', ..] | [b'-', b'1'..=b'9', ..] => {
            std::str::from_utf8(bytes).ok()?.parse().ok()
        }
        _ => None,
    }
}

impl fmt::Display for MapKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(int) => write!(f, "{int}"),
            Self::String(bytes) => write!(f, "\"{}\"", bytes.escape_ascii()),
        }
    }
}

macro_rules! integers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
            self.integer(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for MapKey<'de> {
    type Error = DeError;

    forward_to_deserialize_any! {
        f32 f64 char str string unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        string::visit(self.into_string(), visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match self {
            Self::Int(int @ 0..=1) => visitor.visit_bool(int == 1),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        string::visit_bytes(self.into_string(), visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        string::visit_variant(&self.into_string(), visitor)
    }
}
