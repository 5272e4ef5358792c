//! What stands between the quotes of a string, which may have escapes.

use std::borrow::Cow;

/// The bytes of a string as they are spelled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quoted<'a> {
    raw: &'a [u8],
    /// Whether `raw` has a backslash with two hexadecimal digits behind it, and no other.
    escapes: bool,
}

impl<'a> Quoted<'a> {
    /// Bytes that mean themselves.
    pub(crate) fn plain(raw: &'a [u8]) -> Self {
        Self { raw, escapes: false }
    }

    /// The string of `length` bytes whose escaped form `text` begins with, and what follows it.
    ///
    /// # Errors
    /// The number of bytes before the one that is wrong or missing.
    pub(crate) fn escaped(text: &'a [u8], length: usize) -> Result<(Self, &'a [u8]), usize> {
        let mut used = 0;
        let mut escapes = false;
        for _ in 0..length {
            match text.get(used) {
                Some(b'\\') => {
                    let digits = text[used + 1..].iter().take(2);
                    let right = digits.take_while(|digit| digit.is_ascii_hexdigit()).count();
                    if right < 2 {
                        return Err(used + 1 + right);
                    }
                    used += 3;
                    escapes = true;
                }
                Some(_) => used += 1,
                None => return Err(used),
            }
        }
        let (raw, rest) = text.split_at(used);
        Ok((Self { raw, escapes }, rest))
    }

    /// The bytes that are meant.
    pub(crate) fn bytes(self) -> Cow<'a, [u8]> {
        if !self.escapes {
            return Cow::Borrowed(self.raw);
        }
        let mut bytes = Vec::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let [first, others @ ..] = rest {
            rest = match (first, others) {
                (b'\\', [high, low, behind @ ..]) => {
                    bytes.push(hex_digit(*high) << 4 | hex_digit(*low));
                    behind
                }
                _ => {
                    bytes.push(*first);
                    others
                }
            };
        }
        Cow::Owned(bytes)
    }

    /// The bytes, if they are spelled as themselves.
    #[inline]
    pub(crate) fn as_plain(self) -> Option<&'a [u8]> {
        (!self.escapes).then_some(self.raw)
    }
}

fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_two_hexadecimal_digits() {
        for (text, length, bytes, used) in [
            (r#"\41";"#, 1, "A", 3),
            (r#"a\42c";"#, 3, "aBc", 5),
            (r#"\c3\A9"#, 2, "\u{e9}", 6),
            (r#"abc"#, 2, "ab", 2),
            ("", 0, "", 0),
        ] {
            let (quoted, rest) = Quoted::escaped(text.as_bytes(), length).unwrap();
            assert_eq!(quoted.bytes(), bytes.as_bytes(), "{text}");
            assert_eq!(rest, &text.as_bytes()[used..], "{text}");
        }
    }

    #[test]
    fn escapes_that_are_none() {
        for (text, length, at) in
            [(r"\zz", 1, 1), (r"\4", 1, 2), (r"\4x", 2, 2), (r"\", 1, 1), ("ab", 3, 2)]
        {
            assert_eq!(Quoted::escaped(text.as_bytes(), length).err(), Some(at), "{text}");
        }
    }
}
