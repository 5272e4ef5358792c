//! Looking at the values of a [`Document`].

use super::{Document, Holder, Index, NONE, Place, SPELLED, Spelling, Ties, Value, write};
use crate::class::{Class, ClassKind, NAMELESS};
use crate::key::Key;
use crate::lexer::{Head, KeyText, Lexer};

/// A value somewhere in a [`Document`]. A place that shares its value with others shows it.
///
/// Objects may hold each other: whoever follows entries by recursion needs an end of their own.
#[derive(Clone, Copy, Debug)]
pub struct Node<'d, 'a> {
    document: &'d Document<'a>,
    place: Index,
}

/// A value that holds no others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'d> {
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer; what was out of range is the nearest that is not.
    Int(i64),
    /// A floating point number.
    Float(f64),
    /// A string: any bytes.
    String(&'d [u8]),
}

impl<'d, 'a> Node<'d, 'a> {
    pub(super) fn new(document: &'d Document<'a>, place: Index) -> Self {
        Self { document, place }
    }

    /// The value, unless it is an array or object.
    #[must_use]
    pub fn scalar(self) -> Option<Scalar<'d>> {
        match self.document.value(self.place) {
            Value::Scalar(at) => Some(self.document.scalar_at(at)),
            _ => None,
        }
    }

    /// Whether it is an array.
    #[must_use]
    pub fn is_array(self) -> bool {
        self.holder().is_some_and(|(index, _)| !self.document.is_object(index))
    }

    /// The name of the object's class, spelled as PHP writes it.
    #[must_use]
    pub fn class(self) -> Option<&'d [u8]> {
        let (index, _) = self.holder()?;
        self.document.class_name(index)
    }

    /// How many entries an array or object has; a scalar has none.
    #[must_use]
    pub fn len(self) -> usize {
        self.holder().map_or(0, |(_, holder)| holder.entries() as usize)
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The entries of an array or object, each key once: where it came more often, its last value
    /// stands at the first one's position. A scalar has no entries.
    pub fn entries(self) -> impl Iterator<Item = (Key<'d>, Self)> {
        let document = self.document;
        let holder = self.holder().map(|(_, holder)| holder);
        holder.into_iter().flat_map(move |holder| {
            document
                .places_of(holder)
                .filter(move |place| *place != holder.name)
                .map(move |place| (document.key(place), Self::new(document, place)))
        })
    }

    /// The entry with this key.
    #[must_use]
    pub fn entry(self, key: Key<'_>) -> Option<Self> {
        self.entries().find(|(other, _)| *other == key).map(|(_, node)| node)
    }

    /// Appends the text of the value as one of its own, numbers of references counting from 1.
    ///
    /// Takes time in proportion to what is written.
    pub fn write(self, ties: Ties, out: &mut Vec<u8>) {
        write::write(self.document, self.place, ties, out);
    }

    fn holder(self) -> Option<(Index, Holder)> {
        match self.document.value(self.place) {
            Value::Holder(index) => Some((index, self.document.holders[index as usize])),
            _ => None,
        }
    }
}

impl Holder {
    /// Entries that are written: the property that names an object is not.
    pub(super) fn entries(self) -> u32 {
        self.count - u32::from(self.name != NONE)
    }
}

impl Document<'_> {
    pub(super) fn places_of(&self, holder: Holder) -> impl Iterator<Item = Index> {
        std::iter::successors(listed(holder.first), |place| {
            listed(self.places[*place as usize].next)
        })
    }

    pub(super) fn key(&self, place: Index) -> Key<'_> {
        self.key_at(self.places[place as usize].key)
    }

    pub(super) fn key_at(&self, at: Spelling) -> Key<'_> {
        match self.lexer_at(at).key().expect("it was read before") {
            KeyText::Int(int) => Key::Int(int),
            KeyText::String(quoted) => {
                Key::Bytes(quoted.as_plain().expect("escapes are spelled anew"))
            }
        }
    }

    pub(super) fn scalar_at(&self, at: Spelling) -> Scalar<'_> {
        match self.lexer_at(at).value().expect("it was read before") {
            Head::Bool(value) => Scalar::Bool(value),
            Head::Int(value) => Scalar::Int(value),
            Head::Float(decimal) => Scalar::Float(decimal.value()),
            Head::String(quoted) => {
                Scalar::String(quoted.as_plain().expect("escapes are spelled anew"))
            }
            _ => Scalar::Null,
        }
    }

    /// Whether it is no array. Costs nothing, however long the class's name is.
    pub(super) fn is_object(&self, holder: Index) -> bool {
        self.text[self.holders[holder as usize].head as usize] != b'a'
    }

    /// The class that the head of an object names; nothing for an array.
    fn class_at(&self, holder: Index) -> Option<Class<'_>> {
        let at = self.holders[holder as usize].head;
        match self.lexer_at(at).value().expect("it was read before") {
            Head::Object { class, .. } | Head::Custom { class } => Some(class),
            _ => None,
        }
    }

    /// The class's name that is written.
    ///
    /// A name that PHP could not read again, or that would change how the rest is read, counts as
    /// none, as does one that is shared with another place.
    pub(super) fn class_name(&self, holder: Index) -> Option<&[u8]> {
        let class = self.class_at(holder)?;
        let Some(Place { value, .. }) =
            self.places.get(self.holders[holder as usize].name as usize)
        else {
            return Some(class.name);
        };
        let renamed = match value {
            Value::Scalar(at) => match self.scalar_at(*at) {
                Scalar::String(name) => Class::named(name),
                _ => None,
            },
            _ => None,
        };
        Some(renamed.filter(|class| class.kind == ClassKind::Unknown).map_or(NAMELESS, |c| c.name))
    }

    fn lexer_at(&self, at: Spelling) -> Lexer<'_> {
        Lexer::new(if at & SPELLED == 0 {
            &self.text[at as usize..]
        } else {
            &self.spelled[(at & !SPELLED) as usize..]
        })
    }
}

fn listed(place: Index) -> Option<Index> {
    (place != NONE).then_some(place)
}
