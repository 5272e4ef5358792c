//! The entries of an array or object, as a sequence, as a map, or as a variant with its data.

use super::key::MapKey;
use super::{DeError, DeErrorKind, Reader, Shape};
use serde::de::{
    Deserialize, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};

/// What the keys of entries are.
#[derive(Clone, Copy)]
pub(super) enum KeyKind {
    /// Those of an array.
    Element,
    /// Those of an object, with its marks of who may see the property.
    Property,
}

/// An array or object that is being read.
pub(super) struct Entries<'a, 'de> {
    reader: &'a mut Reader<'de>,
    kind: KeyKind,
    done: usize,
    count: usize,
}

impl<'a, 'de> Entries<'a, 'de> {
    pub(super) fn new(reader: &'a mut Reader<'de>, count: usize, kind: KeyKind) -> Self {
        Self { reader, kind, done: 0, count }
    }

    /// How many entries have not been read, if there are such.
    pub(super) fn left(&self) -> Option<usize> {
        (self.done < self.count).then(|| self.count - self.done)
    }

    /// How many entries there can be, whatever the head says.
    fn credible(&self) -> Option<usize> {
        const ENTRY_BYTES_MIN: usize = "i:0;N;".len();
        let bytes_left = self.reader.text.len() - self.reader.lexer.at();
        Some((self.count - self.done).min(bytes_left / ENTRY_BYTES_MIN))
    }

    fn key(&mut self) -> Result<MapKey<'de>, DeError> {
        self.done += 1;
        Ok(MapKey::new(self.reader.lexer.key()?, self.kind))
    }
}

impl<'de> SeqAccess<'de> for &mut Entries<'_, 'de> {
    type Error = DeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DeError> {
        if self.left().is_none() {
            return Ok(None);
        }
        let (at, due) = (self.reader.lexer.at(), self.done);
        let key = self.key()?;
        if !key.is_index(due) {
            return Err(DeErrorKind::NotAList { key: key.to_string(), due }.at(at));
        }
        self.reader.entry(|reader| seed.deserialize(reader)).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        self.credible()
    }
}

impl<'de> MapAccess<'de> for &mut Entries<'_, 'de> {
    type Error = DeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DeError> {
        if self.left().is_none() {
            return Ok(None);
        }
        let key = self.key()?;
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DeError> {
        self.reader.entry(|reader| seed.deserialize(reader))
    }

    fn size_hint(&self) -> Option<usize> {
        self.credible()
    }
}

impl<'de> EnumAccess<'de> for &mut Entries<'_, 'de> {
    type Error = DeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self::Variant), DeError> {
        let key = self.key()?;
        Ok((seed.deserialize(key)?, self))
    }
}

impl<'de> VariantAccess<'de> for &mut Entries<'_, 'de> {
    type Error = DeError;

    fn unit_variant(self) -> Result<(), DeError> {
        self.reader.entry(|reader| <()>::deserialize(reader))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, DeError> {
        self.reader.entry(|reader| seed.deserialize(reader))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DeError> {
        self.reader.entry(|reader| reader.shaped(Shape::List, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        self.reader.entry(|reader| reader.shaped(Shape::Map, visitor))
    }
}
