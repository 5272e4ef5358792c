//! A whole text as a tree whose parts can be looked at, and written as values of their own.
//!
//! The tree is three lists: places, the arrays and objects that hold them, and the variables that
//! several places share. Nothing is recursive, so depth costs no stack. Scalars and keys stay in
//! the text and are read again when they are asked for.

mod index;
mod node;
mod parse;
mod share;
mod write;

pub use node::{Node, Scalar};
pub use write::{Ties, renumber};

use crate::error::Error;
use crate::scan::scan;
use std::borrow::Cow;

/// One serialized value, whole.
///
/// Memory: at most 16 bytes for each byte of the text and half a mebibyte, while it is read.
///
/// Known differences from PHP 8.2, none of which an honest peer comes upon:
///
/// * No class is instantiated, so none adds properties of its own. Those of PHP's own classes that it
///   never reads, as `Closure`, are refused; of the others any data is taken. The `C:` form of a class
///   that PHP would read is refused, as what it holds would be lost.
/// * An array that contains itself is refused, unless an object stands between.
/// * Numbers of 2^64 and more are no lengths and no references; PHP lets them wrap around.
/// * A property `__PHP_Incomplete_Class_Name` gives an object the name of an unknown class only,
///   and its place is no reason for a reference. Objects without it lose no properties.
/// * `C:` counts as a level, because `O:` will.
/// * What a key that came twice held before is gone; in PHP objects there that hold each other
///   still count as places.
/// * Where a value is an array that is also a variable inside an object inside itself,
///   [`Ties::Stored`] writes a reference to that object; PHP writes it anew, and null in it.
#[derive(Debug)]
pub struct Document<'a> {
    text: &'a [u8],
    /// Scalars and keys that the text does not spell as they are meant, one behind the other.
    spelled: Vec<u8>,
    places: Vec<Place>,
    holders: Vec<Holder>,
    shared: Vec<Shared>,
    /// Whether there is an `R:` or `r:` in the text.
    references: bool,
}

/// An index into one of the lists of a [`Document`].
type Index = u32;

/// No index.
const NONE: Index = Index::MAX;

/// Where a scalar or key is spelled: in the text, or, above this bit, in [`Document::spelled`].
type Spelling = u32;
const SPELLED: Spelling = 1 << 31;

/// What holds a value: an element, a property, or the root.
#[derive(Clone, Copy, Debug)]
struct Place {
    key: Spelling,
    /// The place behind it in the same holder.
    next: Index,
    value: Value,
}

#[derive(Clone, Copy, Debug)]
enum Value {
    Scalar(Spelling),
    Holder(Index),
    /// The variable that this and other places share, which is never `Shared` itself.
    Shared(Index),
}

/// An array or object.
#[derive(Clone, Copy, Debug)]
struct Holder {
    /// Where its head begins in the text.
    head: u32,
    first: Index,
    /// Entries, each key once.
    count: u32,
    /// The property that gives another name to the object.
    name: Index,
}

/// A variable that several places are, by `R:`.
#[derive(Clone, Copy, Debug)]
struct Shared {
    value: Value,
    /// How many places of the whole document are it.
    places: u32,
}

impl<'a> Document<'a> {
    /// Reads the first value of `input`; what follows it is left alone.
    ///
    /// # Errors
    /// Where the bytes are no value, one that is nested too deep, one with a reference to what is
    /// not there, or an array that contains itself.
    pub fn parse(input: &'a [u8]) -> Result<Self, Error> {
        parse::document(input)
    }

    /// The value.
    #[must_use]
    pub fn root(&self) -> Node<'_, 'a> {
        Node::new(self, 0)
    }

    /// The bytes of the value.
    #[must_use]
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    /// How many bytes of memory the tree has taken, the text not counted.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.spelled.capacity()
            + self.places.capacity() * size_of::<Place>()
            + self.holders.capacity() * size_of::<Holder>()
            + self.shared.capacity() * size_of::<Shared>()
    }

    /// A place's value, with the one that it shares in its place.
    fn value(&self, place: Index) -> Value {
        self.unshared(self.places[place as usize].value)
    }

    fn unshared(&self, value: Value) -> Value {
        match value {
            Value::Shared(shared) => self.shared[shared as usize].value,
            other => other,
        }
    }
}

/// The first value of `input` as PHP 8.2 writes it after reading it.
///
/// # Errors
/// Those of [`Document::parse`].
pub fn canonical(input: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    let scan = scan(input)?;
    if scan.plain {
        return Ok(Cow::Borrowed(scan.text));
    }
    let mut out = Vec::with_capacity(scan.text.len());
    Document::parse(scan.text)?.root().write(Ties::Stored, &mut out);
    Ok(Cow::Owned(out))
}
