//! PHP's rule for array keys: a string that spells an integer is that integer.

/// The key of an array's element or the name of an object's property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key<'a> {
    /// An integer.
    Int(i64),
    /// A string that, in an array, spells no integer. Properties are strings even if they do.
    Bytes(&'a [u8]),
}

impl<'a> Key<'a> {
    /// The key that a string becomes in an array: `"5"` is 5, while `"05"` stays what it is.
    #[must_use]
    pub fn of_array(bytes: &'a [u8]) -> Self {
        integer_like(bytes).map_or(Self::Bytes(bytes), Self::Int)
    }
}

/// The integer that a string key is in an array.
///
/// Spelled as PHP writes integers: an optional `-`, no leading zero, no `-0`, within 64 bits.
#[must_use]
#[inline]
pub fn integer_like(bytes: &[u8]) -> Option<i64> {
    const BYTES_MAX: usize = "-9223372036854775808".len();
    match bytes {
        [b'0'] => Some(0),
        [b'1'..=b'9', ..] | [b'-', b'1'..=b'9', ..] if bytes.len() <= BYTES_MAX => parsed(bytes),
        _ => None,
    }
}

/// No sign but `-` can be first, and `parse` takes nothing but digits behind it.
fn parsed(bytes: &[u8]) -> Option<i64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_that_are_integers() {
        for (text, int) in [
            ("0", 0),
            ("5", 5),
            ("-5", -5),
            ("10", 10),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(integer_like(text.as_bytes()), Some(int), "{text}");
            assert_eq!(Key::of_array(text.as_bytes()), Key::Int(int), "{text}");
        }
    }

    #[test]
    fn strings_that_stay_strings() {
        for text in [
            "",
            "-",
            "-0",
            "00",
            "05",
            "-05",
            "+5",
            "--5",
            "5.0",
            " 5",
            "5 ",
            "1e3",
            "1_0",
            "5x",
            "9223372036854775808",
            "-9223372036854775809",
            "92233720368547758070",
            "５",
        ] {
            assert_eq!(integer_like(text.as_bytes()), None, "{text}");
            assert_eq!(Key::of_array(text.as_bytes()), Key::Bytes(text.as_bytes()), "{text}");
        }
    }
}
