//! Numbers as a text spells them: which spellings PHP takes, and which of them it writes.

use crate::text;

/// A number at the start of some bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number<T> {
    pub(crate) value: T,
    /// How many bytes spell it.
    pub(crate) used: usize,
    /// Whether PHP spells it so.
    pub(crate) plain: bool,
}

/// A decimal number, `INF`, `-INF` or `NAN`, as it is spelled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decimal<'a>(&'a [u8]);

/// Up to so many digits make no number that 64 bits cannot hold.
const SAFE_DIGITS: usize = 19;

/// One digit or more. What is too large becomes the largest number.
#[inline]
pub(crate) fn unsigned(bytes: &[u8]) -> Option<Number<u64>> {
    let mut value = 0_u64;
    let mut used = 0;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        used += 1;
    }
    if used > SAFE_DIGITS {
        value = saturated(&bytes[..used]);
    }
    let plain = used == 1 || bytes.first() != Some(&b'0') && value != u64::MAX;
    (used > 0).then_some(Number { value, used, plain })
}

/// A sign or none, then one digit or more. What is out of range becomes the nearest that is not.
#[inline]
pub(crate) fn int(bytes: &[u8]) -> Option<Number<i64>> {
    let sign = sign_bytes(bytes);
    let Number { value, used, plain } = unsigned(&bytes[sign..])?;
    let spelled = if sign == 0 { plain } else { plain && bytes[0] == b'-' && value != 0 };
    let (value, in_range) = signed(sign == 1 && bytes[0] == b'-', value);
    Some(Number { value, used: used + sign, plain: spelled && in_range })
}

/// A sign or none, then any digits: a count of properties. No digit at all is zero.
pub(crate) fn loose(bytes: &[u8]) -> Number<i64> {
    int(bytes).unwrap_or(Number { value: 0, used: sign_bytes(bytes), plain: false })
}

/// How many bytes the sign takes: one or none.
pub(crate) fn sign_bytes(bytes: &[u8]) -> usize {
    usize::from(matches!(bytes, [b'+' | b'-', ..]))
}

impl<'a> Decimal<'a> {
    /// The number at the start of `bytes`.
    pub(crate) fn at_start(bytes: &'a [u8]) -> Option<Self> {
        for name in [b"INF".as_slice(), b"-INF", b"NAN"] {
            if bytes.starts_with(name) {
                return Some(Self(name));
            }
        }
        let mut used = sign_bytes(bytes);
        let whole = digits(&bytes[used..]);
        used += whole;
        let mut all = whole;
        if bytes.get(used) == Some(&b'.') {
            let fraction = digits(&bytes[used + 1..]);
            used += 1 + fraction;
            all += fraction;
        }
        if all == 0 {
            return None;
        }
        if let Some(b'e' | b'E') = bytes.get(used) {
            used += 1 + sign_bytes(&bytes[used + 1..]);
            let exponent = digits(&bytes[used..]);
            if exponent == 0 {
                return None;
            }
            used += exponent;
        }
        Some(Self(&bytes[..used]))
    }

    /// How many bytes spell it.
    pub(crate) fn used(self) -> usize {
        self.0.len()
    }

    /// The nearest double.
    pub(crate) fn value(self) -> f64 {
        match self.0 {
            b"INF" => f64::INFINITY,
            b"-INF" => f64::NEG_INFINITY,
            b"NAN" => f64::NAN,
            text => std::str::from_utf8(text)
                .ok()
                .and_then(|text| text.parse().ok())
                .expect("digits, signs, a point and an exponent make a number"),
        }
    }

    /// Whether PHP spells the nearest double so.
    pub(crate) fn is_plain(self) -> bool {
        /// `-1.2345678901234567E+100` is not far from the longest.
        const SHORTEST_BYTES_MAX: usize = 32;
        if is_short(self.0) || matches!(self.0, b"INF" | b"-INF" | b"NAN") {
            return true;
        }
        if self.0.len() > SHORTEST_BYTES_MAX {
            return false;
        }
        let mut out = Vec::with_capacity(SHORTEST_BYTES_MAX);
        text::float_digits(&mut out, self.value());
        out == self.0
    }
}

/// Whether a number is spelled in fixed notation, without a needless zero, and by so few digits
/// that no other spelling of the same double is as short: 15, says IEEE 754.
fn is_short(text: &[u8]) -> bool {
    const DIGITS_MAX: usize = 15;
    const ZEROS_MAX: usize = 3;
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(text);
    let (zero, fraction) = match (&text[..whole], &text[whole..]) {
        ([b'0'], fraction) => (true, fraction),
        ([b'1'..=b'9', ..], fraction) => (false, fraction),
        _ => return false,
    };
    match fraction {
        [] => whole <= DIGITS_MAX,
        [b'.', fraction @ .., last] if digits(fraction) == fraction.len() => {
            let zeros = fraction.iter().take_while(|byte| **byte == b'0').count();
            let leading = if zero { zeros } else { 0 };
            let significant = fraction.len() + 1 - leading + if zero { 0 } else { whole };
            matches!(last, b'1'..=b'9') && leading <= ZEROS_MAX && significant <= DIGITS_MAX
        }
        _ => false,
    }
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

#[cold]
fn saturated(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value: u64, digit| {
        value.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
    })
}

/// The number with that sign, or the nearest, and whether it is the number.
#[inline]
fn signed(negative: bool, value: u64) -> (i64, bool) {
    match (i64::try_from(value), negative) {
        (Ok(value), false) => (value, true),
        (Ok(value), true) => (-value, true),
        (Err(_), false) => (i64::MAX, false),
        (Err(_), true) => (i64::MIN, value == i64::MIN.unsigned_abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_any_length() {
        for (text, value, used, plain) in [
            ("0;", 0, 1, true),
            ("7", 7, 1, true),
            ("10;", 10, 2, true),
            ("-5;", -5, 2, true),
            ("-0;", 0, 2, false),
            ("+5;", 5, 2, false),
            ("007;", 7, 3, false),
            ("-05;", -5, 3, false),
            ("9223372036854775807", i64::MAX, 19, true),
            ("9223372036854775808", i64::MAX, 19, false),
            ("-9223372036854775808", i64::MIN, 20, true),
            ("-9223372036854775809", i64::MIN, 20, false),
            ("18446744073709551621", i64::MAX, 20, false),
            ("00000000000000000000012", 12, 23, false),
            ("999999999999999999999999999", i64::MAX, 27, false),
        ] {
            assert_eq!(int(text.as_bytes()), Some(Number { value, used, plain }), "{text}");
        }
        for text in ["", "-", "+", "--5", " 5", "x"] {
            assert_eq!(int(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_count_may_have_no_digits() {
        for (text, value, used) in [(":", 0, 0), ("-:", 0, 1), ("+:", 0, 1), ("+3:", 3, 2)] {
            assert_eq!(loose(text.as_bytes()), Number { value, used, plain: false }, "{text}");
        }
    }

    #[test]
    fn decimals() {
        for (text, value, plain) in [
            ("0", 0.0, true),
            ("1", 1.0, true),
            ("-1.5", -1.5, true),
            ("100", 100.0, true),
            ("0.0001", 0.0001, true),
            ("0.00001", 0.00001, false),
            ("1.0E-5", 0.00001, true),
            ("0.30000000000000004", 0.1 + 0.2, true),
            ("0.30000000000000001", 0.3, false),
            ("123456789012345.6", 123_456_789_012_345.6, true),
            ("999999999999999", 999_999_999_999_999.0, true),
            ("9007199254740993", 9_007_199_254_740_992.0, false),
            ("1.50", 1.5, false),
            ("1.0", 1.0, false),
            ("01", 1.0, false),
            ("+1", 1.0, false),
            (".5", 0.5, false),
            ("5.", 5.0, false),
            ("1.e5", 100_000.0, false),
            ("1e3", 1000.0, false),
            ("1E+05", 100_000.0, false),
            ("INF", f64::INFINITY, true),
            ("-INF", f64::NEG_INFINITY, true),
            ("1e400", f64::INFINITY, false),
        ] {
            let decimal = Decimal::at_start(text.as_bytes()).unwrap();
            assert_eq!((decimal.used(), decimal.value()), (text.len(), value), "{text}");
            assert_eq!(decimal.is_plain(), plain, "{text}");
        }
    }

    #[test]
    fn what_is_no_decimal() {
        for text in ["", ".", "-", "-.", "+INF", "-NAN", "inf", "e5", ".e5", "1e", "1e+", " 1"] {
            let used = Decimal::at_start(text.as_bytes()).map(Decimal::used);
            assert_eq!(used, None, "{text}");
        }
    }
}
