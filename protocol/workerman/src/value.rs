//! What PHP's values are to everybody else, and everybody else's to PHP.
//!
//! Integers, floats and strings are the same to all. Arrays, objects, booleans and null stay PHP's
//! text. JSON becomes the array that it means, lists, sets and maps arrays; what PHP has no word for
//! arrives as a string.

use crate::{container, json};
use std::borrow::Cow;
use workyard_php::{renumber, scan, scan_at_depth, text};
use workyard_protocol::{Encoding, ValueRef};

/// A value from a PHP client.
#[derive(Clone, Debug)]
pub enum Payload<'a> {
    /// `i:`
    Int(i64),
    /// `d:`
    Float(f64),
    /// The bytes of an `s:`.
    Text(Cow<'a, [u8]>),
    /// The canonical text of anything else.
    Php(Cow<'a, [u8]>),
}

impl<'a> Payload<'a> {
    /// PHP's null, which is also what is missing.
    pub(crate) const NULL: Payload<'static> = Payload::Php(Cow::Borrowed(b"N;"));

    /// Reads a canonical text.
    pub(crate) fn of_canonical(value: &'a [u8]) -> Self {
        let digits = || std::str::from_utf8(&value[2..value.len() - 1]).unwrap_or_default();
        match value.first() {
            Some(b'i') => digits().parse().map_or(Self::Php(Cow::Borrowed(value)), Self::Int),
            Some(b'd') => Self::Float(digits().parse().unwrap_or(f64::NAN)),
            Some(b's') => Self::Text(Cow::Borrowed(string(value))),
            _ => Self::Php(Cow::Borrowed(value)),
        }
    }

    /// The same, of a text that is given away.
    pub(crate) fn of_owned(value: Vec<u8>) -> Payload<'static> {
        match Payload::of_canonical(&value) {
            Payload::Int(int) => Payload::Int(int),
            Payload::Float(float) => Payload::Float(float),
            Payload::Text(text) => Payload::Text(Cow::Owned(text.into_owned())),
            Payload::Php(_) => Payload::Php(Cow::Owned(value)),
        }
    }

    /// The value as every dialect knows it.
    #[must_use]
    pub fn as_value(&self) -> ValueRef<'_> {
        match self {
            Self::Int(int) => ValueRef::Int(*int),
            Self::Float(float) => ValueRef::Float(*float),
            Self::Text(text) => ValueRef::raw(text),
            Self::Php(text) => ValueRef::Encoded { encoding: Encoding::Php, bytes: text },
        }
    }
}

/// Whether PHP clients see null, which is the same to them as nothing at all.
#[must_use]
pub fn is_null(value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::Encoded { encoding: Encoding::Php, bytes } => bytes == b"N;",
        ValueRef::Encoded { encoding: Encoding::Json, bytes } => is_json_null(bytes),
        _ => false,
    }
}

fn is_json_null(text: &[u8]) -> bool {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let start = text.iter().position(|byte| !is_blank(byte)).unwrap_or(text.len());
    text[start..].strip_prefix(b"null").is_some_and(|rest| rest.iter().all(is_blank))
}

/// Appends a value as PHP's text. `slots` is how many values stand before it in the message that it
/// becomes a part of: its references count from the start of that.
pub fn put(value: ValueRef<'_>, slots: usize, out: &mut Vec<u8>) {
    match value {
        ValueRef::Int(int) => text::int(out, int),
        ValueRef::Float(float) => text::float(out, float),
        ValueRef::Encoded { encoding: Encoding::Json, bytes } => {
            if !json::php_of_json(bytes, out) {
                text::string(out, bytes);
            }
        }
        ValueRef::Encoded { encoding: Encoding::Php, bytes } => put_php(bytes, slots, out),
        ValueRef::Encoded { encoding, bytes } if encoding.is_container() => {
            if !container::put(encoding, bytes, out) {
                text::string(out, bytes);
            }
        }
        ValueRef::Encoded { bytes, .. } => text::string(out, bytes),
    }
}

/// Other clients may have sent anything and called it PHP: what PHP could not read, where it will
/// stand, becomes a string.
fn put_php(bytes: &[u8], slots: usize, out: &mut Vec<u8>) {
    let depth = usize::from(slots > 0);
    match scan_at_depth(bytes, depth) {
        Ok(found) if found.text.len() < bytes.len() => text::string(out, bytes),
        Ok(found) if !found.references => out.extend_from_slice(bytes),
        Ok(_) if scan(bytes).is_ok() => renumber(bytes, slots, out),
        _ => text::string(out, bytes),
    }
}

/// The text that PHP would write of a value: what `cas` compares by, and `increment` looks at.
#[must_use]
pub fn canonical(value: ValueRef<'_>) -> Vec<u8> {
    let mut written = Vec::new();
    put(value, 0, &mut written);
    match workyard_php::canonical(&written) {
        Ok(Cow::Owned(canonical)) => canonical,
        _ => written,
    }
}

/// What stands between the quotes of a canonical string.
pub(crate) fn string(value: &[u8]) -> &[u8] {
    let start = value.iter().position(|byte| *byte == b'"').map_or(0, |quote| quote + 1);
    value.get(start..value.len().saturating_sub(2)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use workyard_php::limits::DEPTH_MAX;

    fn encoded(encoding: Encoding, text: &str) -> ValueRef<'_> {
        ValueRef::Encoded { encoding, bytes: text.as_bytes() }
    }

    fn shown(value: ValueRef<'_>, slots: usize) -> String {
        let mut out = Vec::new();
        put(value, slots, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn null_is_null_in_either_encoding_and_nothing_else_is() {
        for (encoding, text, expected) in [
            (Encoding::Php, "N;", true),
            (Encoding::Php, "N;junk", false),
            (Encoding::Php, "b:0;", false),
            (Encoding::Json, "null", true),
            (Encoding::Json, " \n\tnull\r ", true),
            (Encoding::Json, "\x0cnull", false),
            (Encoding::Json, "nullx", false),
            (Encoding::Raw, "N;", false),
        ] {
            assert_eq!(is_null(encoded(encoding, text)), expected, "{text:?}");
            let is_shown_so = shown(encoded(encoding, text), 0) == "N;";
            assert_eq!(is_shown_so, expected, "{text:?}");
        }
    }

    #[test]
    fn what_php_cannot_read_is_a_string_of_its_bytes() {
        let php = |text| shown(encoded(Encoding::Php, text), 0);
        assert_eq!(php("a:1:{i:0;N;}"), "a:1:{i:0;N;}");
        assert_eq!(php("a:1:{"), "s:5:\"a:1:{\";");
        assert_eq!(php("i:1;i:2;"), "s:8:\"i:1;i:2;\";");
        assert_eq!(php("r:7;"), "s:4:\"r:7;\";");
        assert_eq!(shown(encoded(Encoding::Json, "[1"), 0), "s:2:\"[1\";");
        assert_eq!(shown(encoded(Encoding::Bincode, "x"), 0), "s:1:\"x\";");
    }

    #[test]
    fn references_count_from_the_start_of_the_message() {
        let circle = encoded(Encoding::Php, "O:1:\"A\":1:{s:1:\"s\";r:1;}");
        assert_eq!(shown(circle, 3), "O:1:\"A\":1:{s:1:\"s\";r:4;}");
        assert_eq!(shown(circle, 0), "O:1:\"A\":1:{s:1:\"s\";r:1;}");
    }

    #[test]
    fn a_value_may_be_as_deep_as_php_reads_it_where_it_stands() {
        let deep =
            |levels| ["a:1:{i:0;".repeat(levels), "N;".to_owned(), "}".repeat(levels)].concat();
        let (fits, too_deep) = (deep(DEPTH_MAX - 1), deep(DEPTH_MAX));
        assert_eq!(shown(encoded(Encoding::Php, &fits), 3), fits);
        assert_eq!(shown(encoded(Encoding::Php, &too_deep), 0), too_deep);
        assert!(shown(encoded(Encoding::Php, &too_deep), 3).starts_with("s:"));
    }
}
