//! The canonical text of each piece of a value: byte for byte what PHP 8.2's `serialize()` writes.
//!
//! Every function appends to `out`. Containers are a head, the entries (each a key and a value)
//! and [`close`]; the count of the head is the number of entries.

use std::io::Write;

/// `N;`
pub fn null(out: &mut Vec<u8>) {
    out.extend_from_slice(b"N;");
}

/// `b:0;` or `b:1;`
pub fn boolean(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"b:1;" } else { b"b:0;" });
}

/// `i:5;` for values and integer keys.
pub fn int(out: &mut Vec<u8>, value: i64) {
    const BYTES_MAX: usize = "i:-9223372036854775808;".len();
    // One append is worth it: half of a list's text is its keys.
    let mut text = [b';'; BYTES_MAX];
    let mut start = put_digits(&mut text[..BYTES_MAX - 1], value.unsigned_abs());
    if value < 0 {
        start -= 1;
        text[start] = b'-';
    }
    text[start - 2..start].copy_from_slice(b"i:");
    out.extend_from_slice(&text[start - 2..]);
}

/// `d:0.1;` with the shortest digits that read back to the same double.
pub fn float(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(b"d:");
    float_digits(out, value);
    out.push(b';');
}

/// `s:3:"`, what stands before so many bytes of a string.
pub fn string_head(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(b"s:");
    count(out, length);
    out.extend_from_slice(b":\"");
}

/// `s:3:"abc";` for values and string keys. The length counts bytes.
pub fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    string_head(out, bytes.len());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\";");
}

/// `a:2:{`, the head of an array.
pub fn array(out: &mut Vec<u8>, entries: usize) {
    out.extend_from_slice(b"a:");
    count(out, entries);
    out.extend_from_slice(b":{");
}

/// `O:3:"Foo":2:{`, the head of an object.
pub fn object(out: &mut Vec<u8>, class: &[u8], properties: usize) {
    out.extend_from_slice(b"O:");
    count(out, class.len());
    out.extend_from_slice(b":\"");
    out.extend_from_slice(class);
    out.extend_from_slice(b"\":");
    count(out, properties);
    out.extend_from_slice(b":{");
}

/// `}`, the end of an array or object.
pub fn close(out: &mut Vec<u8>) {
    out.push(b'}');
}

/// `r:4;`: the same object as the value in that slot.
pub fn same_object(out: &mut Vec<u8>, slot: usize) {
    out.extend_from_slice(b"r:");
    count(out, slot);
    out.push(b';');
}

/// `R:4;`: the same variable as the value in that slot.
pub fn same_place(out: &mut Vec<u8>, slot: usize) {
    out.extend_from_slice(b"R:");
    count(out, slot);
    out.push(b';');
}

/// The digits of an integer, without `i:` and `;`.
pub fn decimal(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    unsigned(out, value.unsigned_abs());
}

/// The digits of a length or count.
pub fn count(out: &mut Vec<u8>, value: usize) {
    unsigned(out, value as u64);
}

fn unsigned(out: &mut Vec<u8>, value: u64) {
    let mut digits = [0; "18446744073709551615".len()];
    let start = put_digits(&mut digits, value);
    out.extend_from_slice(&digits[start..]);
}

/// Puts the digits at the end of the buffer, which has room for them. Returns where they begin.
fn put_digits(buffer: &mut [u8], value: u64) -> usize {
    let mut start = buffer.len();
    let mut rest = value;
    loop {
        start -= 1;
        buffer[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            return start;
        }
    }
}

/// The text of a double, without `d:` and `;`, as `serialize_precision = -1` has it.
///
/// Fixed notation for decimal exponents -4 to 16, padded with zeros; `1.0E+17` beyond.
pub fn float_digits(out: &mut Vec<u8>, value: f64) {
    // Up to here every integer is a double of its own, so its digits are the shortest ones.
    const INTEGER_MAX: f64 = 9_007_199_254_740_992.0;
    if value.is_nan() {
        return out.extend_from_slice(b"NAN");
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let value = value.abs();
    if value.is_infinite() {
        out.extend_from_slice(b"INF");
    } else if value < INTEGER_MAX && value.fract() == 0.0 {
        unsigned(out, value as u64);
    } else {
        shortest(out, value);
    }
}

fn shortest(out: &mut Vec<u8>, value: f64) {
    // 17 digits, a point and `e-324` at the longest.
    let mut scratch = [0; 32];
    let mut left = &mut scratch[..];
    write!(left, "{value:e}").expect("17 digits and an exponent fit");
    let unused = left.len();
    let end = scratch.len() - unused;
    let text = &mut scratch[..end];
    let e = text.iter().position(|&byte| byte == b'e').expect("the exponent is always written");
    let exponent: i64 = parsed(&text[e + 1..]).expect("the exponent is a small integer");
    // Either one digit alone, or one digit, a point and more of them.
    let others = e.saturating_sub(2);
    if is_between(value, others as i64 - exponent) && text[e - 1] & 1 == 1 {
        text[e - 1] -= 1;
        if parsed(text) != Some(value) {
            text[e - 1] += 1;
        }
    }
    place_point(out, text[0], &text[e - others..e], exponent);
}

/// Whether the value is exactly half way between two numbers of so many decimal places.
///
/// Of two numbers that are equally near, PHP writes the one with the even digit. Only a binary
/// fraction of one place more ends in the 5 that makes it so.
fn is_between(value: f64, decimal_places: i64) -> bool {
    const MANTISSA_BITS: u32 = f64::MANTISSA_DIGITS - 1;
    let bits = value.to_bits();
    let exponent = (bits >> MANTISSA_BITS).max(1) as i64 - 1075;
    let binary_places = -exponent - i64::from(bits.trailing_zeros().min(MANTISSA_BITS));
    decimal_places > 0 && binary_places == decimal_places + 1
}

fn parsed<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Writes the number with the digits `first.others` times ten to the power of `exponent`.
fn place_point(out: &mut Vec<u8>, first: u8, others: &[u8], exponent: i64) {
    const ZEROS: [u8; 16] = [b'0'; 16];
    match exponent {
        -4..=-1 => {
            out.extend_from_slice(b"0.");
            out.extend_from_slice(&ZEROS[..(-exponent - 1) as usize]);
            out.push(first);
            out.extend_from_slice(others);
        }
        0..=16 => {
            let whole = exponent as usize;
            out.push(first);
            out.extend_from_slice(&others[..others.len().min(whole)]);
            if others.len() > whole {
                out.push(b'.');
                out.extend_from_slice(&others[whole..]);
            } else {
                out.extend_from_slice(&ZEROS[..whole - others.len()]);
            }
        }
        _ => {
            out.extend_from_slice(&[first, b'.']);
            out.extend_from_slice(if others.is_empty() { b"0" } else { others });
            out.extend_from_slice(if exponent < 0 { b"E" } else { b"E+" });
            decimal(out, exponent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn scalars_have_the_bytes_of_php() {
        assert_eq!(written(null), "N;");
        assert_eq!(written(|out| boolean(out, true)), "b:1;");
        assert_eq!(written(|out| boolean(out, false)), "b:0;");
        assert_eq!(written(|out| string(out, b"")), "s:0:\"\";");
        assert_eq!(written(|out| string(out, "h\u{e9}\"".as_bytes())), "s:4:\"h\u{e9}\"\";");
        for (int_value, text) in [
            (0, "i:0;"),
            (7, "i:7;"),
            (10, "i:10;"),
            (-10, "i:-10;"),
            (i64::MAX, "i:9223372036854775807;"),
            (i64::MIN, "i:-9223372036854775808;"),
        ] {
            assert_eq!(written(|out| int(out, int_value)), text);
        }
    }

    #[test]
    fn containers_and_references_have_the_bytes_of_php() {
        assert_eq!(written(|out| array(out, 12)), "a:12:{");
        assert_eq!(written(|out| object(out, b"A\\B", 0)), "O:3:\"A\\B\":0:{");
        assert_eq!(written(close), "}");
        assert_eq!(written(|out| same_object(out, 4)), "r:4;");
        assert_eq!(written(|out| same_place(out, 10)), "R:10;");
    }

    #[test]
    fn floats_have_the_bytes_of_php() {
        for (value, text) in [
            (0.0, "d:0;"),
            (-0.0, "d:-0;"),
            (1.0, "d:1;"),
            (-1.5, "d:-1.5;"),
            (0.1, "d:0.1;"),
            (0.1 + 0.2, "d:0.30000000000000004;"),
            (0.0001, "d:0.0001;"),
            (0.000_123_45, "d:0.00012345;"),
            (1e-5, "d:1.0E-5;"),
            (1.25e-5, "d:1.25E-5;"),
            (123_456_789.125, "d:123456789.125;"),
            (1e15, "d:1000000000000000;"),
            (9_007_199_254_740_991.0, "d:9007199254740991;"),
            (9_007_199_254_740_992.0, "d:9007199254740992;"),
            (9_007_199_254_740_994.0, "d:9007199254740994;"),
            (1e16, "d:10000000000000000;"),
            (99_999_999_999_999_990.0, "d:99999999999999980;"),
            (1e17, "d:1.0E+17;"),
            (123_456_789_012_345_678.0, "d:1.2345678901234568E+17;"),
            (1e22, "d:1.0E+22;"),
            (1e100, "d:1.0E+100;"),
            (5e-324, "d:5.0E-324;"),
            // Half way between two shortest texts: the even digit, if it reads back.
            (167_271_932_131_646.0 + 0.625, "d:167271932131646.62;"),
            (1_016_376_908_170_190.0 + 0.25, "d:1016376908170190.2;"),
            (1_016_376_908_170_190.0 + 0.75, "d:1016376908170190.8;"),
            (2f64.powi(-25), "d:2.9802322387695312E-8;"),
            (2f64.powi(-24), "d:5.960464477539063E-8;"),
            (f64::MIN_POSITIVE, "d:2.2250738585072014E-308;"),
            (f64::MAX, "d:1.7976931348623157E+308;"),
            (f64::MIN, "d:-1.7976931348623157E+308;"),
            (f64::INFINITY, "d:INF;"),
            (f64::NEG_INFINITY, "d:-INF;"),
            (f64::NAN, "d:NAN;"),
            (-f64::NAN, "d:NAN;"),
        ] {
            assert_eq!(written(|out| float(out, value)), text);
        }
    }

    #[test]
    fn integral_doubles_have_the_digits_of_the_general_way() {
        for bits in 0..53 {
            for value in [(1u64 << bits) as f64, ((1u64 << bits) - 1) as f64] {
                if value > 0.0 {
                    assert_eq!(
                        written(|out| float_digits(out, value)),
                        written(|out| shortest(out, value))
                    );
                }
            }
        }
    }
}
