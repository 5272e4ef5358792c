//! Writes values of a [`Document`] as PHP 8.2 does, references included.

use super::node::Scalar;
use super::share::each_shared;
use super::{Document, Index, NONE, Value};
use crate::key::Key;
use crate::lexer::{Head, Lexer};
use crate::text;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

/// What else exists while a value is written: it decides whether a variable is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ties {
    /// All of the document, as while a request is answered: an event or job that is forwarded.
    Living,
    /// The value alone: what is read back from a store, or hashed there.
    Stored,
}

/// Adds `offset` to the number of each reference in a canonical text.
///
/// For a value that is put behind others: in a message where it is the fourth value, by 3.
pub fn renumber(text: &[u8], offset: usize, out: &mut Vec<u8>) {
    let mut lexer = Lexer::new(text);
    let mut copied = 0;
    while lexer.at() < text.len() {
        let start = lexer.at();
        if lexer.end().is_ok() {
            continue;
        }
        // Keys look like values, and heads need no matching end here.
        let (slot, write) = match lexer.value() {
            Ok(Head::SamePlace { slot }) => (slot, text::same_place as fn(&mut Vec<u8>, usize)),
            Ok(Head::SameObject { slot }) => (slot, text::same_object as _),
            Ok(_) => continue,
            Err(_) => break,
        };
        out.extend_from_slice(&text[copied..start]);
        write(out, slot + offset);
        copied = lexer.at();
    }
    out.extend_from_slice(&text[copied..]);
}

pub(super) fn write(document: &Document<'_>, place: Index, ties: Ties, out: &mut Vec<u8>) {
    let alone = match ties {
        Ties::Stored if place != 0 && !document.shared.is_empty() => {
            Some(places_alone(document, place))
        }
        _ => None,
    };
    let mut writer =
        Writer { document, alone, slots: 0, written: HashMap::new(), open: Vec::new(), out };
    writer.value(document.value(place));
    writer.contents();
}

/// Counts for each shared variable the places inside one value that are it.
fn places_alone(document: &Document<'_>, place: Index) -> HashMap<Index, u32> {
    let mut places = HashMap::new();
    each_shared(document, place, |shared| *places.entry(shared).or_default() += 1);
    places
}

struct Writer<'w, 'a> {
    document: &'w Document<'a>,
    /// How many places each shared variable has, if only the value counts.
    alone: Option<HashMap<Index, u32>>,
    /// How many numbers are taken.
    slots: usize,
    /// The numbers of what can be written again as a reference.
    written: HashMap<Identity, usize>,
    /// From the outermost to the innermost holder that is being written.
    open: Vec<Level>,
    out: &'w mut Vec<u8>,
}

struct Level {
    next: Index,
    /// The place that is left out.
    name: Index,
}

/// What a reference refers to.
#[derive(PartialEq, Eq, Hash)]
enum Identity {
    Object(Index),
    Shared(Index),
}

impl Writer<'_, '_> {
    fn contents(&mut self) {
        while let Some(Level { next: place, name }) = self.open.last_mut() {
            let current = *place;
            if current == NONE {
                text::close(self.out);
                self.open.pop();
                continue;
            }
            let left_out = current == *name;
            let found = self.document.places[current as usize];
            *place = found.next;
            if !left_out {
                self.key(current);
                self.value(found.value);
            }
        }
    }

    fn key(&mut self, place: Index) {
        match self.document.key(place) {
            Key::Int(int) => text::int(self.out, int),
            Key::Bytes(bytes) => text::string(self.out, bytes),
        }
    }

    /// Writes a scalar or a reference, or opens an array or object.
    ///
    /// A value takes a number, a variable that was written before does not. A variable that holds
    /// an object goes by the object's number.
    fn value(&mut self, value: Value) {
        self.slots += 1;
        let shared = match value {
            Value::Shared(shared) if self.places(shared) > 1 => Some(shared),
            _ => None,
        };
        let value = self.document.unshared(value);
        match self.number_before(value, shared) {
            Some(number) if shared.is_some() => {
                self.slots -= 1;
                text::same_place(self.out, number);
            }
            Some(number) => text::same_object(self.out, number),
            None => self.whole(value),
        }
    }

    /// The number under which it was written already. Otherwise it is written now.
    fn number_before(&mut self, value: Value, shared: Option<Index>) -> Option<usize> {
        let identity = match value {
            Value::Holder(holder) if self.document.is_object(holder) => Identity::Object(holder),
            _ => Identity::Shared(shared?),
        };
        if !self.document.references {
            return None;
        }
        match self.written.entry(identity) {
            Entry::Occupied(entry) => Some(*entry.get()),
            Entry::Vacant(entry) => {
                entry.insert(self.slots);
                None
            }
        }
    }

    fn places(&self, shared: Index) -> u32 {
        match &self.alone {
            Some(places) => places.get(&shared).copied().unwrap_or(0),
            None => self.document.shared[shared as usize].places,
        }
    }

    fn whole(&mut self, value: Value) {
        match value {
            Value::Scalar(at) => scalar(self.out, self.document.scalar_at(at)),
            Value::Holder(holder) => {
                let class = self.document.class_name(holder);
                let holder = self.document.holders[holder as usize];
                let count = holder.entries() as usize;
                match class {
                    None => text::array(self.out, count),
                    Some(class) => text::object(self.out, class, count),
                }
                self.open.push(Level { next: holder.first, name: holder.name });
            }
            Value::Shared(_) => unreachable!("a variable holds a value"),
        }
    }
}

fn scalar(out: &mut Vec<u8>, scalar: Scalar<'_>) {
    match scalar {
        Scalar::Null => text::null(out),
        Scalar::Bool(value) => text::boolean(out, value),
        Scalar::Int(value) => text::int(out, value),
        Scalar::Float(value) => text::float(out, value),
        Scalar::String(bytes) => text::string(out, bytes),
    }
}
