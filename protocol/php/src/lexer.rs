//! The pieces of a serialized text, one after the other: heads of values, keys and ends.
//!
//! It knows no nesting. Whoever reads the head of an array or object reads as many keys and values
//! as it announces, then the end. No length is believed before the bytes are there.

use crate::class::{Class, ClassKind};
use crate::error::{Error, ErrorKind};
use crate::number::{self, Decimal, Number};
use crate::quoted::Quoted;
use crate::refused;

/// Reads pieces from the start of a text.
#[derive(Clone, Copy)]
pub(crate) struct Lexer<'a> {
    rest: &'a [u8],
    length: usize,
    /// Whether all pieces so far are spelled as PHP spells them, floats apart: they are costly,
    /// so ask them. Set it to true to ask anew.
    pub(crate) plain: bool,
}

/// A whole scalar, or what stands before the contents of an array or object.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Head<'a> {
    /// `N;`
    Null,
    /// `b:1;`
    Bool(bool),
    /// `i:5;`
    Int(i64),
    /// `d:0.5;`
    Float(Decimal<'a>),
    /// `s:3:"abc";` or `S:3:"\61bc";`
    String(Quoted<'a>),
    /// `a:2:{`, with so many keys and values behind it.
    Array { count: usize },
    /// `O:3:"Foo":2:{`, with so many names and values behind it.
    Object { class: Class<'a>, count: usize },
    /// `C:3:"Foo":3:{abc}`, all of it: an object without properties. What was inside is lost, as
    /// it is in PHP where the class is unknown.
    Custom { class: Class<'a> },
    /// `R:2;`, the same variable as in that slot. It takes no slot itself.
    SamePlace { slot: usize },
    /// `r:2;`, the same object as in that slot. It takes a slot.
    SameObject { slot: usize },
}

/// A key as it is spelled: what it means depends on what it stands in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeyText<'a> {
    Int(i64),
    String(Quoted<'a>),
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { rest: text, length: text.len(), plain: true }
    }

    /// A lexer that has passed over the first bytes.
    pub(crate) fn starting_at(text: &'a [u8], at: usize) -> Self {
        Self { rest: &text[at..], ..Self::new(text) }
    }

    /// How many bytes have been read.
    #[inline]
    pub(crate) fn at(&self) -> usize {
        self.length - self.rest.len()
    }

    /// Reads a scalar, a reference, or the head of an array or object.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Head<'a>, Error> {
        match self.rest {
            [b's', b':', rest @ ..] => {
                self.rest = rest;
                self.quoted().map(Head::String)
            }
            [b'i', b':', rest @ ..] => {
                self.rest = rest;
                self.int().map(Head::Int)
            }
            [b'a', b':', rest @ ..] => {
                self.rest = rest;
                let count = self.unsigned()?;
                self.opened()?;
                Ok(Head::Array { count })
            }
            [b'N', b';', rest @ ..] => {
                self.rest = rest;
                Ok(Head::Null)
            }
            [b'b', b':', digit @ (b'0' | b'1'), b';', rest @ ..] => {
                self.rest = rest;
                Ok(Head::Bool(*digit == b'1'))
            }
            _ => self.rarer(),
        }
    }

    /// Passes over a value of the usual kinds: null, a boolean, an integer, a string.
    ///
    /// False, and nothing is read, if it is of another kind.
    #[inline(always)]
    pub(crate) fn pass_usual(&mut self) -> Result<bool, Error> {
        match self.rest {
            [b's', b':', rest @ ..] => {
                self.rest = rest;
                self.quoted()?;
            }
            [b'i', b':', rest @ ..] => {
                self.rest = rest;
                self.int()?;
            }
            [b'b', b':', b'0' | b'1', b';', rest @ ..] | [b'N', b';', rest @ ..] => {
                self.rest = rest;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Reads the key of an element or the name of a property.
    #[inline(always)]
    pub(crate) fn key(&mut self) -> Result<KeyText<'a>, Error> {
        match self.rest {
            [b's', b':', rest @ ..] => {
                self.rest = rest;
                self.quoted().map(KeyText::String)
            }
            [b'i', b':', rest @ ..] => {
                self.rest = rest;
                self.int().map(KeyText::Int)
            }
            _ => self.rarer_key(),
        }
    }

    /// Reads the end of an array or object.
    #[inline]
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        self.byte(b'}', "`}`, as all announced entries are there")
    }

    fn rarer_key(&mut self) -> Result<KeyText<'a>, Error> {
        match self.rest {
            [b'S', b':', rest @ ..] => {
                self.rest = rest;
                self.escaped().map(KeyText::String)
            }
            [b'i' | b's' | b'S', rest @ ..] => {
                self.rest = rest;
                Err(self.expected("`:`"))
            }
            [other, ..] => Err(ErrorKind::KeyType(*other).at(self.at())),
            [] => Err(self.expected("a key")),
        }
    }

    fn rarer(&mut self) -> Result<Head<'a>, Error> {
        match self.rest {
            [b'd', b':', rest @ ..] => {
                self.rest = rest;
                self.float().map(Head::Float)
            }
            [b'O', b':', rest @ ..] => {
                self.rest = rest;
                self.object()
            }
            [b'S', b':', rest @ ..] => {
                self.rest = rest;
                self.escaped().map(Head::String)
            }
            [b'R', b':', rest @ ..] => {
                self.rest = rest;
                Ok(Head::SamePlace { slot: self.slot()? })
            }
            [b'r', b':', rest @ ..] => {
                self.rest = rest;
                Ok(Head::SameObject { slot: self.slot()? })
            }
            [b'C', b':', rest @ ..] => {
                self.rest = rest;
                self.custom()
            }
            _ => Err(self.no_value()),
        }
    }

    /// A string's length, quotes and bytes.
    #[inline(always)]
    fn quoted(&mut self) -> Result<Quoted<'a>, Error> {
        let length = match *self.rest {
            [one @ b'0'..=b'9', b':', ..] => {
                self.rest = &self.rest[1..];
                usize::from(one - b'0')
            }
            [ten @ b'1'..=b'9', one @ b'0'..=b'9', b':', ..] => {
                self.rest = &self.rest[2..];
                usize::from(ten - b'0') * 10 + usize::from(one - b'0')
            }
            _ => self.unsigned()?,
        };
        if let [b':', b'"', rest @ ..] = self.rest
            && let Some((raw, rest)) = rest.split_at_checked(length)
            && let [b'"', b';', rest @ ..] = rest
        {
            self.rest = rest;
            return Ok(Quoted::plain(raw));
        }
        Err(self.no_string(length))
    }

    /// The same with escapes, where the length counts what they mean.
    fn escaped(&mut self) -> Result<Quoted<'a>, Error> {
        self.plain = false;
        let length = self.unsigned()?;
        self.byte(b':', "`:`")?;
        self.byte(b'"', "`\"`")?;
        match Quoted::escaped(self.rest, length) {
            Ok((quoted, rest)) => {
                self.rest = rest;
                self.byte(b'"', "`\"`, as the string is as long as announced")?;
                self.byte(b';', "`;`")?;
                Ok(quoted)
            }
            Err(used) => {
                self.rest = &self.rest[used..];
                Err(self.expected("two hexadecimal digits"))
            }
        }
    }

    #[inline(always)]
    fn int(&mut self) -> Result<i64, Error> {
        if let [digit @ b'0'..=b'9', b';', rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(i64::from(digit - b'0'));
        }
        self.longer_int()
    }

    fn longer_int(&mut self) -> Result<i64, Error> {
        let Some(number) = number::int(self.rest) else {
            self.rest = &self.rest[number::sign_bytes(self.rest)..];
            return Err(self.expected("a digit"));
        };
        let value = self.taken(number);
        self.byte(b';', "`;` or a digit")?;
        Ok(value)
    }

    fn float(&mut self) -> Result<Decimal<'a>, Error> {
        let Some(decimal) = Decimal::at_start(self.rest) else {
            return Err(self.expected("a decimal number, `INF`, `-INF` or `NAN`"));
        };
        self.rest = &self.rest[decimal.used()..];
        self.byte(b';', "`;`")?;
        Ok(decimal)
    }

    fn slot(&mut self) -> Result<usize, Error> {
        let slot = self.unsigned()?;
        self.byte(b';', "`;` or a digit")?;
        Ok(slot)
    }

    fn object(&mut self) -> Result<Head<'a>, Error> {
        let start = self.at();
        let class = self.class()?;
        let count = self.loose()?;
        if refused::is_refused(class.name, count) {
            return Err(ErrorKind::RefusedClass.at(start));
        }
        self.opened()?;
        Ok(Head::Object { class, count })
    }

    fn custom(&mut self) -> Result<Head<'a>, Error> {
        let start = self.at();
        self.plain = false;
        let class = self.class()?;
        if class.kind == ClassKind::List {
            return Err(ErrorKind::CustomBuiltIn.at(start));
        }
        if refused::is_refused(class.name, 0) {
            return Err(ErrorKind::RefusedClass.at(start));
        }
        let length = self.loose()?;
        self.opened()?;
        match self.rest.split_at_checked(length) {
            Some((_, rest)) => self.rest = rest,
            None => return Err(ErrorKind::Truncated.at(self.length)),
        }
        self.byte(b'}', "`}` after as many bytes as were announced")?;
        Ok(Head::Custom { class })
    }

    /// A class's name with its length and quotes, and the colon behind it.
    fn class(&mut self) -> Result<Class<'a>, Error> {
        let length = self.unsigned()?;
        self.byte(b':', "`:`")?;
        self.byte(b'"', "`\"`")?;
        let Some((name, rest)) = self.rest.split_at_checked(length) else {
            return Err(ErrorKind::Truncated.at(self.length));
        };
        let Some(class) = Class::named(name) else {
            return Err(ErrorKind::ClassName.at(self.at()));
        };
        self.plain &= class.name == name;
        self.rest = rest;
        self.byte(b'"', "`\"` after as many bytes as were announced")?;
        self.byte(b':', "`:`")?;
        Ok(class)
    }

    /// The colon and brace behind a count.
    #[inline]
    fn opened(&mut self) -> Result<(), Error> {
        self.byte(b':', "`:` or a digit")?;
        self.byte(b'{', "`{`")
    }

    fn unsigned(&mut self) -> Result<usize, Error> {
        match number::unsigned(self.rest) {
            Some(number) => Ok(usize::try_from(self.taken(number)).unwrap_or(usize::MAX)),
            None => Err(self.expected("a digit")),
        }
    }

    /// PHP allows a sign here, and no digit at all for zero.
    fn loose(&mut self) -> Result<usize, Error> {
        let number = number::loose(self.rest);
        match usize::try_from(number.value) {
            Ok(count) => {
                self.taken(number);
                Ok(count)
            }
            Err(_) => Err(self.expected("no negative number")),
        }
    }

    #[inline]
    fn taken<T>(&mut self, number: Number<T>) -> T {
        self.plain &= number.plain;
        self.rest = &self.rest[number.used..];
        number.value
    }

    #[inline]
    fn byte(&mut self, byte: u8, what: &'static str) -> Result<(), Error> {
        match self.rest {
            [first, rest @ ..] if *first == byte => {
                self.rest = rest;
                Ok(())
            }
            _ => Err(self.expected(what)),
        }
    }

    #[cold]
    fn expected(&self, what: &'static str) -> Error {
        let kind =
            if self.rest.is_empty() { ErrorKind::Truncated } else { ErrorKind::Expected(what) };
        kind.at(self.at())
    }

    /// The error where a string is not of the form that its length announces.
    #[cold]
    fn no_string(mut self, length: usize) -> Error {
        let quote = self.byte(b':', "`:` or a digit").and_then(|()| self.byte(b'"', "`\"`"));
        if let Err(error) = quote {
            return error;
        }
        match self.rest.split_at_checked(length) {
            None => ErrorKind::Truncated.at(self.length),
            Some((_, rest)) => {
                self.rest = rest;
                match self.byte(b'"', "`\"`, as the string is as long as announced") {
                    Err(error) => error,
                    Ok(()) => self.expected("`;`"),
                }
            }
        }
    }

    /// The error where no value begins.
    #[cold]
    fn no_value(mut self) -> Error {
        let Some((first, rest)) = self.rest.split_first() else {
            return self.expected("a value");
        };
        let (behind, what) = match (first, rest) {
            (b'N', _) => (1, "`;`"),
            (b'b', [b':', b'0' | b'1', ..]) => (3, "`;`"),
            (b'b', [b':', ..]) => (2, "0 or 1"),
            (b'b' | b'i' | b'd' | b's' | b'S' | b'a' | b'O' | b'C' | b'R' | b'r', _) => (1, "`:`"),
            _ => return ErrorKind::UnknownType(*first).at(self.at()),
        };
        self.rest = &self.rest[behind..];
        self.expected(what)
    }
}
