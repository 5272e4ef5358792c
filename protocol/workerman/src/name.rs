//! Names as PHP's arrays know them: `5` and `"5"` are one, and each publisher's spelling is kept.

use crate::value;
use std::borrow::Cow;
use workyard_php::text;

/// How a name was written, for answers that repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling<'a> {
    /// As a string.
    Text,
    /// As an integer: the name is its digits.
    Int,
    /// As something else that PHP takes for a key; this is its canonical text.
    Other(&'a [u8]),
}

/// A name: what it is, and how it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    bytes: Cow<'a, [u8]>,
    written: Written<'a>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Written<'a> {
    Text,
    Int,
    Other(Cow<'a, [u8]>),
}

impl<'a> Name<'a> {
    /// A name written as a string.
    #[must_use]
    pub(crate) fn of_string(bytes: &'a [u8]) -> Self {
        Self { bytes: Cow::Borrowed(bytes), written: Written::Text }
    }

    /// Reads the canonical text of a scalar. Nothing for what cannot be a key: arrays and objects.
    #[must_use]
    pub(crate) fn of_canonical(value: &'a [u8]) -> Option<Self> {
        let other = |bytes: Cow<'a, [u8]>| {
            Some(Self { bytes, written: Written::Other(Cow::Borrowed(value)) })
        };
        match *value.first()? {
            b's' => Some(Self::of_string(value::string(value))),
            b'i' => {
                let digits = value.get(2..value.len() - 1)?;
                Some(Self { bytes: Cow::Borrowed(digits), written: Written::Int })
            }
            b'b' => other(Cow::Borrowed(value.get(2..3)?)),
            b'N' => other(Cow::Borrowed(b"")),
            b'd' => {
                let digits = std::str::from_utf8(value.get(2..value.len() - 1)?).ok()?;
                let float = digits.parse().unwrap_or(f64::NAN);
                other(Cow::Owned(truncated(float).to_string().into_bytes()))
            }
            _ => None,
        }
    }

    /// What it is.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How it was written.
    #[must_use]
    pub fn spelling(&self) -> Spelling<'_> {
        match &self.written {
            Written::Text => Spelling::Text,
            Written::Int => Spelling::Int,
            Written::Other(text) => Spelling::Other(text),
        }
    }

    /// The same name with bytes of its own.
    #[must_use]
    pub(crate) fn into_owned<'b>(self) -> Name<'b> {
        let written = match self.written {
            Written::Text => Written::Text,
            Written::Int => Written::Int,
            Written::Other(text) => Written::Other(Cow::Owned(text.into_owned())),
        };
        Name { bytes: Cow::Owned(self.bytes.into_owned()), written }
    }
}

impl Spelling<'_> {
    /// Appends a name written so.
    pub fn put(self, name: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Text => text::string(out, name),
            Self::Int => {
                out.extend_from_slice(b"i:");
                out.extend_from_slice(name);
                out.push(b';');
            }
            Self::Other(text) => out.extend_from_slice(text),
        }
    }
}

/// A float as a key: toward zero, beyond the integers modulo 2^64, and 0 when it is no number.
fn truncated(float: f64) -> i64 {
    // Above it every float is a multiple of 2^64.
    const MODULAR_MAX: f64 = 1e38;
    if float.is_finite() && float.abs() < MODULAR_MAX { float as i128 as i64 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scalar_is_a_name_and_is_written_back_as_it_came() {
        for (text, name) in [
            ("s:1:\"5\";", "5"),
            ("s:2:\"05\";", "05"),
            ("s:0:\"\";", ""),
            ("s:3:\"a\"b\";", "a\"b"),
            ("i:5;", "5"),
            ("i:-9223372036854775808;", "-9223372036854775808"),
            ("b:1;", "1"),
            ("b:0;", "0"),
            ("N;", ""),
            ("d:31.9;", "31"),
            ("d:-33.9;", "-33"),
            ("d:1.0E+19;", "-8446744073709551616"),
            ("d:1.0E+25;", "1590897979265384448"),
            ("d:NAN;", "0"),
            ("d:-INF;", "0"),
        ] {
            let parsed = Name::of_canonical(text.as_bytes()).unwrap();
            assert_eq!(parsed.as_bytes(), name.as_bytes(), "{text}");
            let mut written = Vec::new();
            parsed.spelling().put(parsed.as_bytes(), &mut written);
            assert_eq!(written, text.as_bytes());
        }
    }

    #[test]
    fn arrays_and_objects_are_no_names() {
        for text in ["a:0:{}", "O:8:\"stdClass\":0:{}"] {
            assert_eq!(Name::of_canonical(text.as_bytes()), None);
        }
    }
}
