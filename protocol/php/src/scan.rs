//! Checks a text without building anything, and says where values end and which are canonical.

use crate::class::{self, Class, ClassKind};
use crate::document::Document;
use crate::error::{Error, ErrorKind};
use crate::key::Key;
use crate::lexer::{Head, KeyText, Lexer};
use crate::limits::{DEPTH_MAX, TEXT_BYTES_MAX};
use crate::names::Names;
use crate::text;
use smallvec::SmallVec;

/// What is known of one value after looking at each of its bytes once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scan<'a> {
    /// Exactly the bytes of the value.
    pub text: &'a [u8],
    /// True only if PHP 8.2 would write these very bytes, and there is no `R:` or `r:` in them.
    ///
    /// It may be false for a canonical text where finding out would take memory: maps of many
    /// string keys, integer keys that do not ascend.
    pub plain: bool,
    /// Whether there is an `R:` or `r:` in it. Such a text means something only in its place.
    pub references: bool,
}

/// What [`entries`] found at the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entries<'a> {
    /// What holds the entries.
    pub holder: Holder<'a>,
    /// Exactly the bytes of the value.
    pub text: &'a [u8],
    /// Whether there is an `R:` or `r:` anywhere in it.
    pub references: bool,
}

/// What kind of value holds entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder<'a> {
    /// An array.
    Array,
    /// An object of this class, spelled as PHP writes it.
    Object(&'a [u8]),
    /// Null, a boolean, a number or a string: there are no entries.
    Scalar,
}

/// Checks the first value of `input`; what follows it is left alone.
///
/// Takes time in proportion to the text and, unless arrays are nested deep or references occur,
/// no memory. References are checked by way of a [`Document`], as they need one.
///
/// # Errors
/// Those of [`Document::parse`], exactly where it fails.
pub fn scan(input: &[u8]) -> Result<Scan<'_>, Error> {
    let scan = scan_at_depth(input, 0)?;
    if scan.references {
        Document::parse(scan.text)?;
    }
    Ok(scan)
}

/// Checks the first value of `input`, which stands inside `depth` arrays or objects already.
///
/// The numbers of references are not checked: they count from the start of the whole text.
///
/// # Errors
/// Where the bytes are no value, or one that is nested too deep.
pub fn scan_at_depth(input: &[u8], depth: usize) -> Result<Scan<'_>, Error> {
    let mut walk = Walk::over(input)?;
    walk.value(depth)?;
    Ok(walk.scan(input, 0))
}

/// Checks the first value of `input` and shows the entries at its top, in the order of the text.
///
/// A key that comes twice is shown twice; it means the last value at the first one's place. What
/// has been shown means nothing if an error is returned in the end.
///
/// # Errors
/// Those of [`Document::parse`], exactly where it fails.
pub fn entries<'a>(
    input: &'a [u8],
    mut see: impl FnMut(Key<'_>, Scan<'a>),
) -> Result<Entries<'a>, Error> {
    let mut walk = Walk::over(input)?;
    let (holder, count, array_keys) = match walk.lexer.value()? {
        Head::Array { count } => (Holder::Array, count, true),
        Head::Object { class, count } => {
            (Holder::Object(class.name), count, class.has_array_keys())
        }
        Head::Custom { class } => {
            return Ok(Entries {
                holder: Holder::Object(class.name),
                text: &input[..walk.lexer.at()],
                references: false,
            });
        }
        Head::SamePlace { slot } | Head::SameObject { slot } => {
            return Err(ErrorKind::NoSuchSlot(slot).at(0));
        }
        _ => {
            let text = &input[..walk.lexer.at()];
            return Ok(Entries { holder: Holder::Scalar, text, references: false });
        }
    };
    let mut references = false;
    for _ in 0..count {
        let key = walk.lexer.key()?;
        let start = walk.lexer.at();
        (walk.lexer.plain, walk.references) = (true, false);
        walk.value(1)?;
        let scan = walk.scan(input, start);
        references |= scan.references;
        show(key, array_keys, |key| see(key, scan));
    }
    walk.lexer.end()?;
    let text = &input[..walk.lexer.at()];
    if references {
        Document::parse(text)?;
    }
    Ok(Entries { holder, text, references })
}

/// Hands over a key as it is meant.
#[inline]
fn show(key: KeyText<'_>, array_keys: bool, see: impl FnOnce(Key<'_>)) {
    match key {
        KeyText::Int(int) if array_keys => see(Key::Int(int)),
        KeyText::Int(int) => {
            let mut digits = Vec::new();
            text::decimal(&mut digits, int);
            see(Key::Bytes(&digits));
        }
        KeyText::String(quoted) => {
            let bytes = quoted.bytes();
            see(if array_keys { Key::of_array(&bytes) } else { Key::Bytes(&bytes) });
        }
    }
}

/// Goes over one value after the other.
struct Walk<'a> {
    lexer: Lexer<'a>,
    references: bool,
    /// What stands around the level that is being read.
    around: SmallVec<[Level; 4]>,
    names: Names,
}

/// An array or object that is being read.
struct Level {
    /// Entries that must still come.
    left: usize,
    /// This integer and those above it are no key so far.
    free: i64,
    /// How many names were known before its own.
    names: u32,
    keys: Keys,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// Integers, and strings that spell none.
    Array,
    /// Strings.
    Properties,
    /// Strings, one of which gives another name to the object.
    PropertiesOrName,
}

impl<'a> Walk<'a> {
    #[inline(always)]
    fn over(input: &'a [u8]) -> Result<Self, Error> {
        if input.len() > TEXT_BYTES_MAX {
            return Err(ErrorKind::TooLong.at(TEXT_BYTES_MAX));
        }
        let lexer = Lexer::new(input);
        Ok(Self { lexer, references: false, around: SmallVec::new(), names: Names::default() })
    }

    /// What is known of the text from `start` to here.
    #[inline]
    fn scan(&self, input: &'a [u8], start: usize) -> Scan<'a> {
        let text = &input[start..self.lexer.at()];
        Scan { text, plain: self.lexer.plain, references: self.references }
    }

    /// Reads a whole value that stands inside `depth` others.
    #[inline]
    fn value(&mut self, depth: usize) -> Result<(), Error> {
        if self.lexer.pass_usual()? {
            return Ok(());
        }
        match self.head(depth)? {
            Some(level) => self.contents(level, depth),
            None => Ok(()),
        }
    }

    fn contents(&mut self, mut level: Level, depth: usize) -> Result<(), Error> {
        // A copy of its own can stay in registers.
        let mut lexer = self.lexer;
        loop {
            while level.left > 0 {
                level.left -= 1;
                let key = lexer.key()?;
                if lexer.plain {
                    lexer.plain = level.is_plain(key, &mut self.names);
                }
                if lexer.pass_usual()? {
                    continue;
                }
                self.lexer = lexer;
                let head = self.head(depth + 1 + self.around.len())?;
                lexer = self.lexer;
                if let Some(inner) = head {
                    self.around.push(std::mem::replace(&mut level, inner));
                }
            }
            lexer.end()?;
            self.names.forget_from(level.names);
            match self.around.pop() {
                Some(outer) => level = outer,
                None => break,
            }
        }
        self.lexer = lexer;
        Ok(())
    }

    /// Reads a scalar, or what stands before the contents of an array or object.
    fn head(&mut self, depth: usize) -> Result<Option<Level>, Error> {
        let start = self.lexer.at();
        match self.lexer.value()? {
            Head::Null | Head::Bool(_) | Head::Int(_) | Head::String(_) => Ok(None),
            Head::Float(decimal) => {
                self.lexer.plain &= decimal.is_plain();
                Ok(None)
            }
            // Nothing is inside, so it takes no level.
            Head::Array { count: 0 } => self.lexer.end().map(|()| None),
            Head::Array { count } => self.opened(count, Keys::Array, start, depth),
            Head::Object { class, count } => {
                // PHP miscounts the properties of this one.
                self.lexer.plain &= count == 0 || class.name != class::NAMELESS;
                self.opened(count, keys_of(class), start, depth)
            }
            // Written as an object, it takes a level.
            Head::Custom { class } => self.opened(0, keys_of(class), start, depth).map(|_| None),
            Head::SamePlace { .. } | Head::SameObject { .. } => {
                (self.references, self.lexer.plain) = (true, false);
                Ok(None)
            }
        }
    }

    #[inline]
    fn opened(
        &self,
        left: usize,
        keys: Keys,
        start: usize,
        depth: usize,
    ) -> Result<Option<Level>, Error> {
        if depth >= DEPTH_MAX {
            return Err(ErrorKind::TooDeep.at(start));
        }
        Ok(Some(Level { left, free: i64::MIN, names: self.names.count(), keys }))
    }
}

impl Level {
    /// Whether PHP would write this key, and as the next one.
    #[inline]
    fn is_plain(&mut self, key: KeyText<'_>, names: &mut Names) -> bool {
        match key {
            KeyText::Int(int) => self.is_new_int(int),
            KeyText::String(quoted) => quoted
                .as_plain()
                .is_some_and(|name| self.is_plain_name(name) && names.is_new(name, self.names)),
        }
    }

    /// Whether an integer is no key so far, and may be one here.
    #[inline]
    fn is_new_int(&mut self, int: i64) -> bool {
        let new = self.keys == Keys::Array && self.free <= int && int < i64::MAX;
        self.free = int.wrapping_add(1);
        new
    }

    /// Whether a string stays the string that it is.
    #[inline]
    fn is_plain_name(&self, name: &[u8]) -> bool {
        match self.keys {
            Keys::Array => crate::key::integer_like(name).is_none(),
            Keys::Properties => true,
            Keys::PropertiesOrName => name != class::NAME_PROPERTY,
        }
    }
}

fn keys_of(class: Class<'_>) -> Keys {
    match class.kind {
        ClassKind::List => Keys::Array,
        ClassKind::Standard => Keys::Properties,
        ClassKind::Unknown => Keys::PropertiesOrName,
    }
}
