//! PHP's serialize text as Rust values, through serde.

mod entries;
mod error;
mod key;
mod lists;
mod references;
mod string;

pub use error::{DeError, DeErrorKind};

use crate::error::ErrorKind;
use crate::lexer::{Head, Lexer};
use crate::limits::TYPED_DEPTH_MAX;
use entries::{Entries, KeyKind};
use lists::lists;
use references::References;
use serde::de::{Deserialize, DeserializeSeed, Visitor};
use serde::forward_to_deserialize_any;
use std::marker::PhantomData;
use std::mem;

/// Reads the value that the text holds. Strings are borrowed from it where they can be.
///
/// | PHP | Rust |
/// |---|---|
/// | null | `()`, `None` |
/// | bool, int, float | the same; an int also as a float |
/// | string | text if it is UTF-8, bytes, `char`, variant without data |
/// | array with the keys 0, 1, 2, … in order | sequence, tuple; map or struct where the type asks for one |
/// | any other array | map, struct; of one entry also a variant with its data |
/// | object of any class | the same, by the plain names of its properties |
///
/// Numbers are not made of strings, nor strings of numbers, but for the keys of maps, where PHP does
/// so itself. What references share (`r:`, `R:`) is read once for each. Types that ask for no shape (`serde_json::Value`, and what serde keeps aside for untagged,
/// internally tagged and flattened types) see lists, and the empty array, as sequences.
///
/// # Errors
/// When the text is not valid or does not end with the value, when the value is not of that type, when
/// it is nested more than 128 levels deep or contains itself, and when references repeat more than 4
/// MiB.
pub fn from_slice<'de, T: Deserialize<'de>>(text: &'de [u8]) -> Result<T, DeError> {
    from_slice_seed(PhantomData, text)
}

/// The same for what is known only when it is read, such as an item among values of other encodings.
///
/// # Errors
/// As [`from_slice`].
pub fn from_slice_seed<'de, S>(seed: S, text: &'de [u8]) -> Result<S::Value, DeError>
where
    S: DeserializeSeed<'de>,
{
    let mut reader = Reader::new(text);
    let value = seed.deserialize(&mut reader).map_err(|error| error.or_at(reader.lexer.at()))?;
    match text.len() - reader.lexer.at() {
        0 => Ok(value),
        bytes => Err(DeErrorKind::LeftOver { bytes }.at(reader.lexer.at())),
    }
}

/// Reads values from the front of a text.
struct Reader<'de> {
    text: &'de [u8],
    lexer: Lexer<'de>,
    depth_left: usize,
    /// Whether each of the next arrays and objects is a list, where that had to be found out ahead.
    lists: std::vec::IntoIter<bool>,
    references: References,
}

/// What an array is read as.
#[derive(Clone, Copy)]
enum Shape {
    List,
    Map,
}

impl<'de> Reader<'de> {
    fn new(text: &'de [u8]) -> Self {
        let lexer = Lexer::new(text);
        let (lists, references) = (Vec::new().into_iter(), References::default());
        Self { text, lexer, depth_left: TYPED_DEPTH_MAX, lists, references }
    }

    /// The next head, and the shape of the array that it begins if it is known.
    fn head(&mut self) -> Result<(Head<'de>, Option<Shape>), DeError> {
        let head = self.lexer.value()?;
        let is_list = match head {
            Head::Array { .. } | Head::Object { .. } => self.lists.next(),
            _ => None,
        };
        Ok((head, is_list.map(|is_list| if is_list { Shape::List } else { Shape::Map })))
    }

    /// Reads a value as what it is.
    fn any<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, DeError> {
        let mut ahead = self.lexer;
        match self.head()? {
            (head @ Head::Array { .. }, None) => {
                // It answers for all arrays inside too, so nothing is looked at again.
                self.lists = lists(&mut ahead)?.into_iter();
                let is_list = self.lists.next().unwrap_or_default();
                self.value(head, if is_list { Shape::List } else { Shape::Map }, visitor)
            }
            (head, shape) => self.value(head, shape.unwrap_or(Shape::Map), visitor),
        }
    }

    /// Reads a value whose array, if it is one, has this shape.
    fn shaped<V: Visitor<'de>>(&mut self, shape: Shape, visitor: V) -> Result<V::Value, DeError> {
        let (head, _) = self.head()?;
        self.value(head, shape, visitor)
    }

    fn value<V: Visitor<'de>>(
        &mut self,
        head: Head<'de>,
        shape: Shape,
        visitor: V,
    ) -> Result<V::Value, DeError> {
        match (head, shape) {
            (Head::Null, _) => visitor.visit_unit(),
            (Head::Bool(value), _) => visitor.visit_bool(value),
            (Head::Int(value), _) => visitor.visit_i64(value),
            (Head::Float(value), _) => visitor.visit_f64(value.value()),
            (Head::String(value), _) => string::visit(value.bytes(), visitor),
            (Head::Array { count }, Shape::List) => {
                self.entries(count, KeyKind::Element, |entries| visitor.visit_seq(entries))
            }
            (Head::Array { count }, Shape::Map) => {
                self.entries(count, KeyKind::Element, |entries| visitor.visit_map(entries))
            }
            (Head::Object { count, .. }, _) => {
                self.entries(count, KeyKind::Property, |entries| visitor.visit_map(entries))
            }
            (Head::Custom { .. }, _) => Err(DeErrorKind::Opaque.at(self.lexer.at())),
            (Head::SamePlace { slot } | Head::SameObject { slot }, _) => {
                // Those of entries have been followed, so it is the whole text.
                Err(DeErrorKind::Text(ErrorKind::NoSuchSlot(slot)).at(self.lexer.at()))
            }
        }
    }

    /// Reads the value of an entry, or for a reference what it stands for.
    fn entry<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DeError>,
    ) -> Result<T, DeError> {
        let at = self.lexer.at();
        if !matches!(self.text.get(at), Some(b'R' | b'r')) {
            return read(self);
        }
        let (Head::SamePlace { slot } | Head::SameObject { slot }) = self.lexer.value()? else {
            unreachable!("no other value begins with these letters");
        };
        let target = self.references.target(self.text, slot, at)?;
        let lexer = mem::replace(&mut self.lexer, Lexer::starting_at(self.text, target));
        let lists = mem::take(&mut self.lists);
        let value = read(self)?;
        (self.lexer, self.lists) = (lexer, lists);
        Ok(value)
    }

    /// Reads the entries of an array or object, and its end.
    fn entries<T>(
        &mut self,
        count: usize,
        kind: KeyKind,
        read: impl FnOnce(&mut Entries<'_, 'de>) -> Result<T, DeError>,
    ) -> Result<T, DeError> {
        let Some(depth_left) = self.depth_left.checked_sub(1) else {
            return Err(DeErrorKind::TooDeep.at(self.lexer.at()));
        };
        self.depth_left = depth_left;
        let mut entries = Entries::new(self, count, kind);
        let value = read(&mut entries)?;
        if let Some(left) = entries.left() {
            return Err(DeErrorKind::EntriesLeft(left).at(self.lexer.at()));
        }
        self.lexer.end()?;
        self.depth_left += 1;
        Ok(value)
    }
}

impl<'de> serde::Deserializer<'de> for &mut Reader<'de> {
    type Error = DeError;

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string unit unit_struct
        identifier
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.any(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match self.head()? {
            (Head::String(value), _) => string::visit_bytes(value.bytes(), visitor),
            (head, _) => self.value(head, Shape::List, visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        if self.text.get(self.lexer.at()) == Some(&b'N') {
            self.lexer.value()?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.shaped(Shape::List, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DeError> {
        self.shaped(Shape::List, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DeError> {
        self.shaped(Shape::List, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.shaped(Shape::Map, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        self.shaped(Shape::Map, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        match self.head()? {
            (Head::String(value), _) => string::visit_variant(&value.bytes(), visitor),
            (Head::Array { count: 1 } | Head::Object { count: 1, .. }, _) => {
                self.entries(1, KeyKind::Element, |entries| visitor.visit_enum(entries))
            }
            _ => Err(DeErrorKind::Variant.at(self.lexer.at())),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        for _ in lists(&mut self.lexer)? {
            self.lists.next();
        }
        visitor.visit_unit()
    }
}

#[cfg(test)]
mod tests;
