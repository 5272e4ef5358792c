//! Reads a text into a [`Document`], with PHP's numbering of values for references.

use super::index::KeyIndex;
use super::share::survey;
use super::{Document, Holder, Index, NONE, Place, SPELLED, Shared, Spelling, Value};
use crate::class::{Class, ClassKind, NAME_PROPERTY};
use crate::error::{Error, ErrorKind};
use crate::key::{Key, integer_like};
use crate::lexer::{Head, KeyText, Lexer};
use crate::limits::{DEPTH_MAX, TEXT_BYTES_MAX};
use crate::text;
use hashbrown::DefaultHashBuilder;
use std::hash::BuildHasher;

/// A holder of so many entries is searched, a larger one has an index.
const SEARCHED_MAX: u32 = 8;

struct Parser<'a> {
    lexer: Lexer<'a>,
    document: Document<'a>,
    /// The place that each number of a reference means, the first being 1.
    slots: Vec<Index>,
    /// From the outermost to the innermost holder that is being read.
    open: Vec<Level>,
    hasher: DefaultHashBuilder,
    /// Room for the digits of one number.
    digits: Vec<u8>,
}

/// A holder that is being read.
struct Level {
    /// Entries that must still come.
    left: usize,
    holder: Index,
    last: Index,
    class: Option<ClassKind>,
    /// This integer and those above it are no key so far.
    free: Option<i64>,
    /// The places by key, once there are many.
    index: Option<Box<KeyIndex>>,
}

pub(super) fn document(input: &[u8]) -> Result<Document<'_>, Error> {
    if input.len() > TEXT_BYTES_MAX {
        return Err(ErrorKind::TooLong.at(TEXT_BYTES_MAX));
    }
    let mut parser = Parser {
        lexer: Lexer::new(input),
        document: Document {
            text: input,
            spelled: Vec::new(),
            places: vec![Place { key: 0, next: NONE, value: Value::Scalar(0) }],
            holders: Vec::new(),
            shared: Vec::new(),
            references: false,
        },
        slots: Vec::new(),
        open: Vec::new(),
        hasher: DefaultHashBuilder::default(),
        digits: Vec::new(),
    };
    parser.value(0)?;
    parser.contents()?;
    let Parser { lexer, mut document, .. } = parser;
    document.text = &input[..lexer.at()];
    survey(&mut document)?;
    Ok(document)
}

impl<'a> Parser<'a> {
    fn contents(&mut self) -> Result<(), Error> {
        while let Some(level) = self.open.last_mut() {
            if level.left == 0 {
                self.lexer.end()?;
                self.open.pop();
            } else {
                level.left -= 1;
                let place = self.place()?;
                self.value(place)?;
            }
        }
        Ok(())
    }

    /// Reads a scalar or a reference into a place, or opens an array or object there.
    fn value(&mut self, place: Index) -> Result<(), Error> {
        let at = self.lexer.at();
        let head = self.lexer.value()?;
        if !matches!(head, Head::SamePlace { .. }) {
            self.slots.push(place);
        }
        let value = match head {
            Head::Null | Head::Bool(_) | Head::Int(_) | Head::Float(_) => {
                Value::Scalar(at as Spelling)
            }
            Head::String(_) if self.document.text[at] == b's' => Value::Scalar(at as Spelling),
            Head::String(quoted) => Value::Scalar(self.spell_string(&quoted.bytes())),
            Head::Array { count: 0 } => {
                self.lexer.end()?;
                Value::Holder(self.hold(at))
            }
            Head::Array { count } => self.opened(at, None, count)?,
            Head::Object { class, count } => self.opened(at, Some(class), count)?,
            Head::Custom { .. } => {
                self.check_depth(at)?;
                Value::Holder(self.hold(at))
            }
            Head::SamePlace { slot } => self.shared_with(slot, place, at)?,
            Head::SameObject { slot } => self.object_of(slot, place, at)?,
        };
        self.document.places[place as usize].value = value;
        Ok(())
    }

    fn check_depth(&self, at: usize) -> Result<(), Error> {
        if self.open.len() < DEPTH_MAX { Ok(()) } else { Err(ErrorKind::TooDeep.at(at)) }
    }

    fn opened(
        &mut self,
        at: usize,
        class: Option<Class<'a>>,
        count: usize,
    ) -> Result<Value, Error> {
        self.check_depth(at)?;
        let holder = self.hold(at);
        self.open.push(Level {
            left: count,
            holder,
            last: NONE,
            class: class.map(|class| class.kind),
            free: Some(i64::MIN),
            index: None,
        });
        Ok(Value::Holder(holder))
    }

    fn hold(&mut self, at: usize) -> Index {
        let holder = Holder { head: at as u32, first: NONE, count: 0, name: NONE };
        push(&mut self.document.holders, holder)
    }

    /// `R:`, which makes both places one variable.
    fn shared_with(&mut self, slot: usize, place: Index, at: usize) -> Result<Value, Error> {
        let target = self.target(slot, at)?;
        if target == place {
            return Err(ErrorKind::OwnSlot.at(at));
        }
        // PHP takes the root out of the variable that it is, and does not find the way back.
        if target == 0 && !self.document.is_object(0) {
            return Err(ErrorKind::ContainsItself.at(at));
        }
        let Document { places, shared, .. } = &mut self.document;
        let target = &mut places[target as usize].value;
        if !matches!(target, Value::Shared(_)) {
            *target = Value::Shared(push(shared, Shared { value: *target, places: 0 }));
        }
        Ok(*target)
    }

    /// `r:`, which is one more place for an object.
    fn object_of(&mut self, slot: usize, place: Index, at: usize) -> Result<Value, Error> {
        let target = self.target(slot, at)?;
        match self.document.value(target) {
            Value::Holder(holder) if target != place && self.document.is_object(holder) => {
                Ok(Value::Holder(holder))
            }
            _ => Err(ErrorKind::NotAnObject(slot).at(at)),
        }
    }

    fn target(&mut self, slot: usize, at: usize) -> Result<Index, Error> {
        self.document.references = true;
        let index = slot.checked_sub(1).and_then(|index| self.slots.get(index));
        index.copied().ok_or(ErrorKind::NoSuchSlot(slot).at(at))
    }

    /// Reads a key, and finds or makes the place that it names in the innermost holder.
    fn place(&mut self) -> Result<Index, Error> {
        let key = self.key()?;
        let hash = match self.known(key) {
            Known::At(place) => return Ok(place),
            Known::Not { hash } => hash,
        };
        let place =
            push(&mut self.document.places, Place { key, next: NONE, value: Value::Scalar(0) });
        let level = self.open.last_mut().expect("a key stands in a holder");
        let holder = &mut self.document.holders[level.holder as usize];
        holder.count += 1;
        match level.last {
            NONE => holder.first = place,
            last => self.document.places[last as usize].next = place,
        }
        level.last = place;
        if let Some(index) = &mut level.index {
            let hash = hash.unwrap_or_else(|| self.hasher.hash_one(self.document.key_at(key)));
            index.insert(hash, place);
        }
        if level.class == Some(ClassKind::Unknown)
            && self.document.key_at(key) == Key::Bytes(NAME_PROPERTY)
        {
            self.document.holders[level.holder as usize].name = place;
        }
        Ok(place)
    }

    /// Reads a key, and spells it anew where it is meant otherwise than it is spelled.
    fn key(&mut self) -> Result<Spelling, Error> {
        let level = self.open.last().expect("a key stands in a holder");
        let array_keys = level.class.is_none_or(|kind| kind == ClassKind::List);
        let at = self.lexer.at();
        Ok(match self.lexer.key()? {
            KeyText::Int(_) if array_keys => at as Spelling,
            KeyText::Int(int) => {
                self.digits.clear();
                text::decimal(&mut self.digits, int);
                let digits = &self.digits;
                spell(&mut self.document.spelled, |spelled| text::string(spelled, digits))
            }
            KeyText::String(quoted) => {
                let bytes = quoted.bytes();
                match integer_like(&bytes) {
                    Some(int) if array_keys => {
                        spell(&mut self.document.spelled, |spelled| text::int(spelled, int))
                    }
                    _ if self.document.text[at] == b's' => at as Spelling,
                    _ => self.spell_string(&bytes),
                }
            }
        })
    }

    fn spell_string(&mut self, bytes: &[u8]) -> Spelling {
        spell(&mut self.document.spelled, |spelled| text::string(spelled, bytes))
    }

    /// Looks for a key in the innermost holder.
    fn known(&mut self, key: Spelling) -> Known {
        let Self { document, open, hasher, .. } = self;
        let level = open.last_mut().expect("a key stands in a holder");
        let key = document.key_at(key);
        if let Key::Int(int) = key
            && level.free.is_some_and(|free| free <= int)
        {
            level.free = int.checked_add(1);
            return Known::Not { hash: None };
        }
        let holder = document.holders[level.holder as usize];
        if holder.count <= SEARCHED_MAX {
            let found = document.places_of(holder).find(|place| document.key(*place) == key);
            return found.map_or(Known::Not { hash: None }, Known::At);
        }
        let index = level.index.get_or_insert_with(|| {
            let mut index = Box::new(KeyIndex::default());
            for place in document.places_of(holder) {
                index.insert(hasher.hash_one(document.key(place)), place);
            }
            index
        });
        let hash = hasher.hash_one(key);
        let found = index.find(hash, |place| document.key(place) == key);
        found.map_or(Known::Not { hash: Some(hash) }, Known::At)
    }
}

/// Whether a holder has a key already.
enum Known {
    At(Index),
    /// With the hash of the key, if it was needed to find out.
    Not {
        hash: Option<u64>,
    },
}

fn spell(spelled: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Spelling {
    let start = spelled.len() as Spelling | SPELLED;
    write(spelled);
    start
}

/// Adds an item to a list and says where.
fn push<T>(list: &mut Vec<T>, item: T) -> Index {
    list.push(item);
    list.len() as Index - 1
}
