//! PHP's arithmetic: which values count as numbers, and what their sum is.

use workyard_protocol::Number;

/// PHP takes these for white space around a number.
const WHITE_SPACE: &[u8] = b" \t\n\r\x0b\x0c";

/// A text as far as it is a number.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Prefix {
    number: Number,
    /// Nothing but white space follows.
    whole: bool,
}

/// What a stored text counts as: a number if all of it is one, else 0.
pub(crate) fn of_stored_text(text: &[u8]) -> Number {
    match prefix(text) {
        Some(Prefix { number, whole: true }) => number,
        _ => Number::Int(0),
    }
}

/// What a text counts as that is added: the number that it begins with, if it does.
pub(crate) fn of_added_text(text: &[u8]) -> Option<Number> {
    prefix(text).map(|prefix| prefix.number)
}

/// The sum. Of integers it is a float when it does not fit; floats may become infinite or NaN.
pub(crate) fn sum(one: Number, two: Number) -> Number {
    if let (Number::Int(one), Number::Int(two)) = (one, two)
        && let Some(sum) = one.checked_add(two)
    {
        return Number::Int(sum);
    }
    Number::Float(one.as_f64() + two.as_f64())
}

fn prefix(text: &[u8]) -> Option<Prefix> {
    let text = trimmed(text);
    let (length, is_float) = extent(text)?;
    let digits = std::str::from_utf8(&text[..length]).expect("digits, signs and points are ASCII");
    let float = || Number::Float(digits.parse().expect("the extent is that of a number"));
    let number = match digits.parse() {
        Ok(int) if !is_float => Number::Int(int),
        _ => float(),
    };
    Some(Prefix { number, whole: trimmed(&text[length..]).is_empty() })
}

/// How many bytes of a text are a number, and whether they are one with a point or an exponent.
fn extent(text: &[u8]) -> Option<(usize, bool)> {
    let digits_from =
        |at: usize| text[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_sign = |at: usize| matches!(text.get(at), Some(b'+' | b'-'));
    let sign = usize::from(is_sign(0));
    let whole = digits_from(sign);
    let mut end = sign + whole;
    let mut is_float = false;
    if text.get(end) == Some(&b'.') {
        let fraction = digits_from(end + 1);
        if whole + fraction > 0 {
            is_float = true;
            end += 1 + fraction;
        }
    }
    if end == sign {
        return None;
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let exponent = end + 1 + usize::from(is_sign(end + 1));
        let digits = digits_from(exponent.min(text.len()));
        if digits > 0 {
            is_float = true;
            end = exponent + digits;
        }
    }
    Some((end, is_float))
}

fn trimmed(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !WHITE_SPACE.contains(byte)).unwrap_or(text.len());
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    const INT: fn(i64) -> Option<Number> = |int| Some(Number::Int(int));
    const FLOAT: fn(f64) -> Option<Number> = |float| Some(Number::Float(float));

    #[test]
    fn a_text_is_a_number_if_all_of_it_is_one() {
        for (text, number) in [
            ("5", INT(5)),
            ("+5", INT(5)),
            ("-0", INT(0)),
            ("05", INT(5)),
            (" \t\n\r\x0b\x0c7", INT(7)),
            ("7 \n", INT(7)),
            (".5", FLOAT(0.5)),
            ("5.", FLOAT(5.0)),
            ("1e3", FLOAT(1000.0)),
            ("1E-2", FLOAT(0.01)),
            ("9223372036854775807", INT(i64::MAX)),
            ("-9223372036854775808", INT(i64::MIN)),
            ("9223372036854775808", FLOAT(9_223_372_036_854_775_808.0)),
            ("0000000000000000000000000012", INT(12)),
            ("1e1000", FLOAT(f64::INFINITY)),
        ] {
            assert_eq!(of_added_text(text.as_bytes()), number, "{text:?}");
            assert_eq!(Some(of_stored_text(text.as_bytes())), number, "{text:?}");
        }
    }

    #[test]
    fn a_text_that_only_begins_with_a_number_counts_when_it_is_added() {
        for (text, number) in [
            ("5 apples", INT(5)),
            ("0x1A", INT(0)),
            ("1_000", INT(1)),
            ("1.5abc", FLOAT(1.5)),
            ("1e1x", FLOAT(10.0)),
            ("1e", INT(1)),
            ("1e+", INT(1)),
            ("5\0", INT(5)),
            ("5..", FLOAT(5.0)),
        ] {
            assert_eq!(of_added_text(text.as_bytes()), number, "{text:?}");
            assert_eq!(of_stored_text(text.as_bytes()), Number::Int(0), "{text:?}");
        }
    }

    #[test]
    fn what_begins_with_no_number_cannot_be_added() {
        for text in ["", " ", "abc", ".", "-", "+.", "x5", "inf", "e5", "- 5", "\u{a0}5", "５"] {
            assert_eq!(of_added_text(text.as_bytes()), None, "{text:?}");
            assert_eq!(of_stored_text(text.as_bytes()), Number::Int(0), "{text:?}");
        }
    }

    #[test]
    fn a_sum_beyond_the_integers_is_a_float() {
        let (max, min) = (Number::Int(i64::MAX), Number::Int(i64::MIN));
        assert_eq!(sum(Number::Int(2), Number::Int(3)), Number::Int(5));
        assert_eq!(sum(max, Number::Int(1)), Number::Float(9_223_372_036_854_775_808.0));
        assert_eq!(sum(min, Number::Int(-1)), Number::Float(-9_223_372_036_854_775_808.0));
        assert_eq!(sum(Number::Int(1), Number::Float(0.5)), Number::Float(1.5));
    }
}
