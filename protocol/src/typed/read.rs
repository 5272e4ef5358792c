//! Reads a value by its tag into whatever asks for it: a type, or an item of one.

use super::BINCODE;
use crate::container::Items;
use crate::{Encoding, ValueRef};
use bincode::de::read::{Reader, SliceReader};
use bincode::serde::OwnedSerdeDecoder;
use serde::de::Visitor;
use serde::de::value::{Error, StrDeserializer};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer, SeqDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess,
};
use serde::forward_to_deserialize_any;
use std::fmt;

/// What a length may claim is bounded by the bytes that are there, times the largest item that can
/// stand for one of them.
const CLAIM_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Reads a value. The text of an error says what was wrong.
pub(super) fn read<'de, S>(seed: S, value: ValueRef<'de>) -> Result<S::Value, String>
where
    S: DeserializeSeed<'de>,
{
    match value {
        ValueRef::Int(int) => seed.deserialize(plain(int)).map_err(describe),
        ValueRef::Float(float) => seed.deserialize(plain(float)).map_err(describe),
        ValueRef::Encoded { encoding, bytes } => match encoding {
            Encoding::Raw => seed.deserialize(Raw(bytes)).map_err(describe),
            Encoding::Json => json(seed, bytes).map_err(describe),
            Encoding::Bincode => bincode(seed, bytes),
            Encoding::Php => workyard_php::from_slice_seed(seed, bytes).map_err(describe),
            Encoding::MessagePack => Err("it is not read here".to_owned()),
            Encoding::List | Encoding::Set => {
                let mut items = Access { items: Items::new(encoding, bytes), value: None };
                let value = seed.deserialize(SeqAccessDeserializer::new(&mut items));
                value.and_then(|value| items.check_end(value)).map_err(describe)
            }
            Encoding::Map => {
                let mut items = Access { items: Items::new(encoding, bytes), value: None };
                let value = seed.deserialize(MapAccessDeserializer::new(&mut items));
                value.and_then(|value| items.check_end(value)).map_err(describe)
            }
        },
    }
}

fn plain<'de, N: IntoDeserializer<'de, Error>>(number: N) -> N::Deserializer {
    number.into_deserializer()
}

fn json<'de, S>(seed: S, bytes: &'de [u8]) -> Result<S::Value, serde_json::Error>
where
    S: DeserializeSeed<'de>,
{
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = seed.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

fn bincode<'de, S>(seed: S, bytes: &'de [u8]) -> Result<S::Value, String>
where
    S: DeserializeSeed<'de>,
{
    let mut reader = SliceReader::new(bytes);
    let config = BINCODE.with_limit::<CLAIM_BYTES_MAX>();
    let mut decoder = OwnedSerdeDecoder::from_reader(&mut reader, config);
    let value = seed.deserialize(decoder.as_deserializer()).map_err(describe)?;
    match reader.peek_read(1) {
        None => Ok(value),
        Some(_) => Err("bytes are left over".to_owned()),
    }
}

/// Bytes that are text if text is asked for and they are UTF-8, else bytes.
struct Raw<'de>(&'de [u8]);

impl<'de> Deserializer<'de> for Raw<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match std::str::from_utf8(self.0) {
            Ok(text) => visitor.visit_borrowed_str(text),
            Err(_) => visitor.visit_borrowed_bytes(self.0),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_bytes(self.0)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_bytes(self.0)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        SeqDeserializer::new(self.0.iter().copied()).deserialize_seq(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let text = std::str::from_utf8(self.0).map_err(|_| Error::custom("no variant's name"))?;
        StrDeserializer::new(text).deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string unit unit_struct
        tuple tuple_struct map struct identifier ignored_any
    }
}

/// The items of a list, set or map, one after the other.
struct Access<'de> {
    items: Items<'de>,
    /// That of the field which was read last.
    value: Option<ValueRef<'de>>,
}

impl Access<'_> {
    /// A type of a fixed length may have left some.
    fn check_end<T>(&mut self, value: T) -> Result<T, Error> {
        match self.items.next() {
            None => Ok(value),
            Some(_) => Err(Error::custom("it has more items than that")),
        }
    }
}

impl<'de> SeqAccess<'de> for Access<'de> {
    type Error = Error;

    fn next_element_seed<S>(&mut self, seed: S) -> Result<Option<S::Value>, Error>
    where
        S: DeserializeSeed<'de>,
    {
        let Some(item) = self.items.next().transpose().map_err(Error::custom)? else {
            return Ok(None);
        };
        read(seed, item.value).map(Some).map_err(Error::custom)
    }
}

impl<'de> MapAccess<'de> for Access<'de> {
    type Error = Error;

    fn next_key_seed<S>(&mut self, seed: S) -> Result<Option<S::Value>, Error>
    where
        S: DeserializeSeed<'de>,
    {
        let Some(item) = self.items.next().transpose().map_err(Error::custom)? else {
            return Ok(None);
        };
        self.value = Some(item.value);
        seed.deserialize(Raw(item.field.as_bytes())).map(Some)
    }

    fn next_value_seed<S>(&mut self, seed: S) -> Result<S::Value, Error>
    where
        S: DeserializeSeed<'de>,
    {
        let value = self.value.take().ok_or_else(|| Error::custom("a value before its field"))?;
        read(seed, value).map_err(Error::custom)
    }
}

fn describe(error: impl fmt::Display) -> String {
    error.to_string()
}
