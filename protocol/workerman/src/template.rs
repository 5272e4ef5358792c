//! Requests exactly as the original's clients write them, read without looking for anything.

use crate::name::Name;
use crate::value::Payload;
use std::borrow::Cow;
use workyard_php::scan_at_depth;

/// What is left of a body that is compared with what is expected.
///
/// Nothing is allowed that PHP would write in another way, so whatever is read so needs no second
/// look. A body that differs from its template is no error: it is read in the general way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self(body)
    }

    /// Exactly these bytes.
    pub(crate) fn literal(&mut self, expected: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    /// The next byte, whatever it is.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    /// A canonical string: what stands between its quotes.
    pub(crate) fn string(&mut self) -> Option<&'a [u8]> {
        let (text, content) = string(self.0)?;
        self.0 = &self.0[text..];
        Some(content)
    }

    /// A canonical integer or string.
    pub(crate) fn name(&mut self) -> Option<Name<'a>> {
        match self.0.first()? {
            b's' => self.string().map(Name::of_string),
            b'i' => Name::of_canonical(self.scanned()?),
            _ => None,
        }
    }

    /// Any canonical value without references, inside of one container.
    pub(crate) fn value(&mut self) -> Option<Payload<'a>> {
        if let Some(content) = self.string() {
            return Some(Payload::Text(Cow::Borrowed(content)));
        }
        self.scanned().map(Payload::of_canonical)
    }

    /// The last bytes.
    pub(crate) fn end(self, expected: &[u8]) -> Option<()> {
        (self.0 == expected).then_some(())
    }

    fn scanned(&mut self) -> Option<&'a [u8]> {
        let found = scan_at_depth(self.0, 1).ok().filter(|found| found.plain)?;
        self.0 = &self.0[found.text.len()..];
        Some(found.text)
    }
}

/// The length of the canonical string at the start, and its content.
fn string(input: &[u8]) -> Option<(usize, &[u8])> {
    const DIGITS_MAX: usize = 8;
    let digits = input.strip_prefix(b"s:")?;
    let mut length = 0_usize;
    let mut count = 0;
    while let Some(digit) = digits.get(count).filter(|byte| byte.is_ascii_digit()) {
        length = length * 10 + usize::from(digit - b'0');
        count += 1;
        if count > DIGITS_MAX {
            return None;
        }
    }
    if count == 0 || (count > 1 && digits[0] == b'0') {
        return None;
    }
    let content = digits[count..].strip_prefix(b":\"")?;
    let (content, after) = content.split_at_checked(length)?;
    after.starts_with(b"\";").then_some((2 + count + 2 + length + 2, content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canonical_string_is_taken_whole() {
        for (text, content) in [
            ("s:0:\"\";", ""),
            ("s:3:\"abc\";rest", "abc"),
            ("s:10:\"0123\";6789\";", "0123\";6789"),
        ] {
            let mut rest = Rest::new(text.as_bytes());
            assert_eq!(rest.string(), Some(content.as_bytes()), "{text}");
        }
    }

    #[test]
    fn anything_else_is_left_to_the_general_way() {
        for text in [
            "",
            "s",
            "s:",
            "s:3",
            "s:3:",
            "s:3:\"",
            "s:3:\"abc",
            "s:3:\"abc\"",
            "s:3:\"abc\"x",
            "s:03:\"abc\";",
            "s:+3:\"abc\";",
            "s:4:\"abc\";",
            "s:2:\"abc\";",
            "S:3:\"abc\";",
            "s:999999999:\"abc\";",
            "s:99999999999999999999:\"abc\";",
            "i:5;",
        ] {
            assert_eq!(Rest::new(text.as_bytes()).string(), None, "{text}");
        }
    }

    #[test]
    fn a_value_is_taken_only_as_php_would_write_it() {
        for (text, value) in [
            ("i:5;}", Some("i:5;")),
            ("a:1:{i:0;b:1;}}", Some("a:1:{i:0;b:1;}")),
            ("s:1:\"a\";}", Some("s:1:\"a\";")),
            ("i:+5;}", None),
            ("R:1;}", None),
        ] {
            let expected = value.map(|value: &str| Payload::of_canonical(value.as_bytes()));
            let mut rest = Rest::new(text.as_bytes());
            assert_eq!(format!("{:?}", rest.value()), format!("{expected:?}"), "{text}");
            let left = &text[value.map_or(0, str::len)..];
            assert!(rest.end(left.as_bytes()).is_some(), "{text}");
        }
    }
}
