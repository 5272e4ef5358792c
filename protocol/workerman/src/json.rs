//! What a JSON value is to PHP: `json_decode($json, true)`, as canonical serialize text.
//!
//! One pass over the text and no tree: values are written as they are met. The rules are those of
//! PHP 8.2, where they differ from serde_json's: numbers are rounded exactly, integers beyond 64 bits
//! become floats, floats beyond their range INF, and 511 levels may be nested.

use workyard_php::{ArrayWriter, OpenArray, text};

/// PHP counts a scalar as a level of its own, which makes this one less than its 512.
const DEPTH_MAX: usize = 511;

/// Appends what PHP would make of the JSON text, or nothing and `false` when it is not valid.
pub(crate) fn php_of_json(json: &[u8], out: &mut Vec<u8>) -> bool {
    // All text between quotes is then UTF-8 too.
    if std::str::from_utf8(json).is_err() {
        return false;
    }
    let before = out.len();
    let mut converter = Converter {
        rest: json,
        writer: ArrayWriter::new(out),
        open: Vec::new(),
        unescaped: Vec::new(),
    };
    if converter.document().is_some() {
        converter.writer.finish();
        true
    } else {
        out.truncate(before);
        false
    }
}

/// Where the conversion stands. Steps return nothing when the text is not valid.
struct Converter<'a> {
    rest: &'a [u8],
    writer: ArrayWriter<'a>,
    /// The containers around the next value, with the byte that closes each.
    open: Vec<(OpenArray, u8)>,
    unescaped: Vec<u8>,
}

impl<'a> Converter<'a> {
    fn document(&mut self) -> Option<()> {
        loop {
            let mut is_complete = self.value()?;
            while is_complete {
                let Some(&(_, end)) = self.open.last() else {
                    return self.peek().is_none().then_some(());
                };
                if self.peek()? == end {
                    self.close();
                } else {
                    self.expect(b",")?;
                    self.key()?;
                    is_complete = false;
                }
            }
        }
    }

    /// Reads a scalar or an empty container, or begins a container up to its first value.
    fn value(&mut self) -> Option<bool> {
        match self.peek()? {
            b'{' => return self.begin(b'}'),
            b'[' => return self.begin(b']'),
            b'"' => {
                let bytes = string(&mut self.rest, &mut self.unescaped)?;
                text::string(self.writer.out(), bytes);
            }
            b'n' => {
                self.expect(b"null")?;
                text::null(self.writer.out());
            }
            b't' => {
                self.expect(b"true")?;
                text::boolean(self.writer.out(), true);
            }
            b'f' => {
                self.expect(b"false")?;
                text::boolean(self.writer.out(), false);
            }
            _ => number(&mut self.rest, self.writer.out())?,
        }
        Some(true)
    }

    fn begin(&mut self, end: u8) -> Option<bool> {
        if self.open.len() == DEPTH_MAX {
            return None;
        }
        self.rest = &self.rest[1..];
        self.open.push((self.writer.open(), end));
        if self.peek()? == end {
            self.close();
            return Some(true);
        }
        self.key()?;
        Some(false)
    }

    fn close(&mut self) {
        self.rest = &self.rest[1..];
        let (array, _) = self.open.pop().expect("only an open container is closed");
        self.writer.close(array);
    }

    /// The key of the next entry, which only objects write down.
    fn key(&mut self) -> Option<()> {
        let first = self.peek()?;
        let (array, end) = self.open.last_mut().expect("only containers have keys");
        if *end == b']' {
            self.writer.list_key(array);
            return Some(());
        }
        if first != b'"' {
            return None;
        }
        let key = string(&mut self.rest, &mut self.unescaped)?;
        self.writer.text_key(array, key);
        self.peek()?;
        self.expect(b":")
    }

    fn expect(&mut self, token: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    /// The first byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
        self.rest.first().copied()
    }
}

/// Reads a string, which begins with its quote. Escapes are resolved in `unescaped`.
fn string<'u, 't: 'u>(rest: &mut &'t [u8], unescaped: &'u mut Vec<u8>) -> Option<&'u [u8]> {
    let body = &rest[1..];
    let plain = plain_len(body);
    if body.get(plain) == Some(&b'"') {
        *rest = &body[plain + 1..];
        return Some(&body[..plain]);
    }
    unescaped.clear();
    *rest = body;
    loop {
        let (plain, special) = rest.split_at(plain_len(rest));
        unescaped.extend_from_slice(plain);
        let (&byte, after) = special.split_first()?;
        *rest = after;
        match byte {
            b'"' => return Some(unescaped),
            b'\\' => escape(rest, unescaped)?,
            _ => return None,
        }
    }
}

/// How many bytes stand for themselves: up to a quote, a backslash or a control character.
fn plain_len(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(bytes.len())
}

/// Reads what follows a backslash.
fn escape(rest: &mut &[u8], unescaped: &mut Vec<u8>) -> Option<()> {
    let (&kind, after) = rest.split_first()?;
    *rest = after;
    unescaped.push(match kind {
        b'"' | b'\\' | b'/' => kind,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => {
            let decoded = character(rest)?;
            unescaped.extend_from_slice(decoded.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(());
        }
        _ => return None,
    });
    Some(())
}

/// Reads the hex digits of one character, which may take a second escape. Halves alone are no text.
fn character(rest: &mut &[u8]) -> Option<char> {
    let unit = code_unit(rest)?;
    if !(0xd800..0xdc00).contains(&unit) {
        return char::from_u32(unit);
    }
    *rest = rest.strip_prefix(b"\\u")?;
    match code_unit(rest)? {
        low @ 0xdc00..0xe000 => char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)),
        _ => None,
    }
}

fn code_unit(rest: &mut &[u8]) -> Option<u32> {
    let (digits, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    digits.iter().try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)?))
}

/// Reads a number: an integer if it is written as one and fits, else a float.
fn number(rest: &mut &[u8], out: &mut Vec<u8>) -> Option<()> {
    let bytes = *rest;
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    at += match bytes.get(at)? {
        b'0' => 1,
        b'1'..=b'9' => digits_len(&bytes[at..]),
        _ => return None,
    };
    let integer_end = at;
    if bytes.get(at) == Some(&b'.') {
        at += 1 + some_digits(&bytes[at + 1..])?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        at += some_digits(&bytes[at..])?;
    }
    let digits = std::str::from_utf8(&bytes[..at]).ok()?;
    *rest = &bytes[at..];
    match digits.parse() {
        Ok(int) if at == integer_end => text::int(out, int),
        _ => text::float(out, digits.parse().ok()?),
    }
    Some(())
}

fn digits_len(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len())
}

fn some_digits(bytes: &[u8]) -> Option<usize> {
    Some(digits_len(bytes)).filter(|&digits| digits > 0)
}

#[cfg(test)]
mod tests {
    use super::php_of_json;

    fn php(json: &str) -> Option<String> {
        let mut out = b"before ".to_vec();
        let is_valid = php_of_json(json.as_bytes(), &mut out);
        let text = String::from_utf8(out).unwrap();
        let text = text.strip_prefix("before ").unwrap();
        assert!(is_valid || text.is_empty(), "{json} is not valid, yet wrote {text}");
        is_valid.then(|| text.to_owned())
    }

    #[test]
    fn json_becomes_what_php_decodes() {
        for (json, text) in [
            ("null", "N;"),
            (" true\r\n\t", "b:1;"),
            ("false", "b:0;"),
            ("0", "i:0;"),
            ("-0", "i:0;"),
            ("-0.0", "d:-0;"),
            ("1.0", "d:1;"),
            ("1e5", "d:100000;"),
            ("1E+2", "d:100;"),
            ("0.1", "d:0.1;"),
            ("9223372036854775807", "i:9223372036854775807;"),
            ("9223372036854775808", "d:9.223372036854776E+18;"),
            ("-9223372036854775808", "i:-9223372036854775808;"),
            ("-9223372036854775809", "d:-9.223372036854776E+18;"),
            ("1e400", "d:INF;"),
            ("-1e400", "d:-INF;"),
            ("1e-400", "d:0;"),
            ("0e999999999999", "d:0;"),
            (r#""""#, r#"s:0:"";"#),
            (r#""\"\\\/\b\f\n\r\t""#, "s:8:\"\"\\/\u{8}\u{c}\n\r\t\";"),
            (r#""a\u0000b\u00e9\uD83D\uDE00c""#, "s:10:\"a\0b\u{e9}\u{1f600}c\";"),
            ("\"\u{7f}\u{e9}\"", "s:3:\"\u{7f}\u{e9}\";"),
            ("[]", "a:0:{}"),
            ("{ }", "a:0:{}"),
            ("[1, [ ], {}]", "a:3:{i:0;i:1;i:1;a:0:{}i:2;a:0:{}}"),
            (
                r#"{"a":{"b":[null]},"":2}"#,
                r#"a:2:{s:1:"a";a:1:{s:1:"b";a:1:{i:0;N;}}s:0:"";i:2;}"#,
            ),
            (r#"{"5":1,"05":2,"-5":3}"#, r#"a:3:{i:5;i:1;s:2:"05";i:2;i:-5;i:3;}"#),
            (r#"{"\u0061":1,"b":2,"a":3}"#, r#"a:2:{s:1:"a";i:3;s:1:"b";i:2;}"#),
        ] {
            assert_eq!(php(json).as_deref(), Some(text), "{json}");
        }
    }

    #[test]
    fn what_php_refuses_is_refused() {
        for json in [
            "",
            " ",
            "nul",
            "True",
            "NULL",
            "1 1",
            "+1",
            "-",
            ".5",
            "1.",
            "1.e3",
            "1e",
            "1e+",
            "00",
            "01",
            "0x1",
            "[",
            "]",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1}",
            "{",
            "{1:2}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\" 1}",
            "{\"a\":1,}",
            "{\"a\":1]",
            "{,}",
            "\"",
            "\"a",
            "\"\\",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12g4\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "\"\\ud800x\"",
            "\"a\nb\"",
            "\"\0\"",
            "'a'",
            "\u{feff}1",
            "\u{b}1",
            "[1]x",
            "\0",
            "// x\n1",
        ] {
            assert_eq!(php(json), None, "{json:?}");
        }
        assert!(!php_of_json(b"\"\xff\"", &mut Vec::new()));
        assert!(!php_of_json(b"\"\xed\xa0\x80\"", &mut Vec::new()));
    }

    #[test]
    fn levels_end_where_those_of_php_do() {
        let nested = |levels| "[".repeat(levels) + &"]".repeat(levels);
        assert!(php(&nested(511)).is_some());
        assert_eq!(php(&nested(512)), None);
        let objects = |levels| "{\"a\":".repeat(levels) + "1" + &"}".repeat(levels);
        assert!(php(&objects(511)).is_some());
        assert_eq!(php(&objects(512)), None);
    }

    #[test]
    fn a_long_text_takes_a_small_multiple_of_itself() {
        let units = 100_000;
        for (unit, multiple) in [("1,", 8), ("[],", 7), ("{\"\":[]},", 6), ("\"\",", 7)] {
            let json = format!("[{}1]", unit.repeat(units));
            let mut out = Vec::new();
            assert!(php_of_json(json.as_bytes(), &mut out));
            assert!(out.starts_with(b"a:100001:{i:0;"));
            assert!(out.len() < json.len() * multiple, "{unit} {}", out.len() / json.len());
        }
        let same_keys = format!("{{{}\"\":1}}", "\"\":0,".repeat(units));
        assert_eq!(php(&same_keys).as_deref(), Some("a:1:{s:0:\"\";i:1;}"));
    }
}
