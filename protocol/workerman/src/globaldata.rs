//! The wire of workerman/globaldata: what its clients ask, and the bare values that they are answered.

use crate::fields::Body;
use crate::name::Name;
use crate::number;
use crate::template::Rest;
use crate::value::{self, Payload};
use md5::{Digest, Md5};
use std::borrow::Cow;
use workyard_php::{Ties, text};
use workyard_protocol::{Encoding, Number, ValueRef, frame};

/// What a client asks. Each is answered by one value.
#[derive(Clone, Debug)]
pub enum Request<'a> {
    /// The value of a variable.
    Get(Name<'a>),
    /// To store a value.
    Set(Name<'a>, Payload<'a>),
    /// To store a value unless there is one.
    Add(Name<'a>, Payload<'a>),
    /// To store a value if the MD5 of the stored one's canonical text is this, in lower-case
    /// hexadecimal. Nothing if it cannot be the MD5 of anything.
    Cas(Name<'a>, Option<[u8; MD5_DIGITS]>, Payload<'a>),
    /// To add to a number.
    Increment(Name<'a>, Number),
    /// To remove a variable.
    Delete(Name<'a>),
}

/// What `s:N:"` takes at most.
const STRING_HEAD_BYTES_MAX: usize = 24;

/// The digits of an MD5.
pub const MD5_DIGITS: usize = 32;

/// What cannot be answered by a value: the client is told so and hung up on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bad {
    /// It is no request.
    Request,
    /// There is no such command. These are the bytes that PHP would print of it.
    Command(Vec<u8>),
}

/// What a frame's body is.
#[derive(Debug)]
pub enum Heard<'a> {
    /// A question.
    Request(Request<'a>),
    /// A sign of life, which is not answered.
    Ping,
}

/// Reads a frame's body.
///
/// # Errors
/// What the client has to be told.
pub fn decode(body: &[u8]) -> Result<Heard<'_>, Bad> {
    if let Some(request) = usual(body) {
        return Ok(Heard::Request(request));
    }
    if body == b"ping" {
        return Ok(Heard::Ping);
    }
    general(body).map(Heard::Request)
}

fn general(body: &[u8]) -> Result<Request<'_>, Bad> {
    let keys = ["cmd", "key", "value", "md5", "step"];
    let body = Body::read(body, keys, Ties::Stored).ok().flatten().ok_or(Bad::Request)?;
    let present = |key| body.text(key).filter(|text| text.as_ref() != b"N;");
    let command = present("cmd").ok_or(Bad::Request)?;
    present("key").ok_or(Bad::Request)?;
    let key = || body.name("key").ok_or(Bad::Request);
    let value = || body.value("value");
    // PHP takes `true` for the command that it compares with first.
    Ok(match command.as_ref() {
        b"b:1;" | b"s:3:\"get\";" => Request::Get(key()?),
        b"s:3:\"set\";" => Request::Set(key()?, value()),
        b"s:3:\"add\";" => Request::Add(key()?, value()),
        b"s:3:\"cas\";" => Request::Cas(key()?, md5(body.text("md5")), value()),
        b"s:9:\"increment\";" => Request::Increment(key()?, step(&body.value("step"))?),
        b"s:6:\"delete\";" => Request::Delete(key()?),
        other => return Err(unknown(other)),
    })
}

/// The frequent requests, as the original's client writes them.
fn usual(body: &[u8]) -> Option<Request<'_>> {
    let mut rest = Rest::new(body);
    rest.literal(b"a:")?;
    let fields = rest.byte()?;
    rest.literal(b":{s:3:\"cmd\";")?;
    let command = rest.string()?;
    let mut hash = None;
    if command == b"cas" {
        rest.literal(b"s:3:\"md5\";")?;
        hash = rest.string()?.try_into().ok();
    }
    rest.literal(b"s:3:\"key\";")?;
    let key = rest.name()?;
    let (expected, request) = match command {
        b"get" => (b'2', Request::Get(key)),
        b"delete" => (b'2', Request::Delete(key)),
        b"set" => (b'3', Request::Set(key, value(&mut rest)?)),
        b"add" => (b'3', Request::Add(key, value(&mut rest)?)),
        b"cas" => (b'4', Request::Cas(key, hash, value(&mut rest)?)),
        b"increment" => {
            rest.literal(b"s:4:\"step\";")?;
            let step = step(&rest.value()?).ok()?;
            (b'3', Request::Increment(key, step))
        }
        _ => return None,
    };
    rest.end(b"}")?;
    (fields == expected).then_some(request)
}

fn value<'a>(rest: &mut Rest<'a>) -> Option<Payload<'a>> {
    rest.literal(b"s:5:\"value\";")?;
    rest.value()
}

/// The digits of a field that is a string of the right length.
fn md5(text: Option<Cow<'_, [u8]>>) -> Option<[u8; MD5_DIGITS]> {
    match Payload::of_canonical(&text?) {
        Payload::Text(digits) => digits.as_ref().try_into().ok(),
        _ => None,
    }
}

/// What PHP would add for a value; what makes it throw is a bad request.
fn step(value: &Payload<'_>) -> Result<Number, Bad> {
    match value {
        Payload::Int(int) => Ok(Number::Int(*int)),
        Payload::Float(float) => Ok(Number::Float(*float)),
        Payload::Text(text) => number::of_added_text(text).ok_or(Bad::Request),
        Payload::Php(text) => match text.as_ref() {
            b"b:1;" => Ok(Number::Int(1)),
            b"b:0;" | b"N;" => Ok(Number::Int(0)),
            _ => Err(Bad::Request),
        },
    }
}

/// A command that there is not, as PHP prints it.
fn unknown(command: &[u8]) -> Bad {
    Bad::Command(match Payload::of_canonical(command) {
        Payload::Int(int) => int.to_string().into_bytes(),
        Payload::Float(float) => printed(float).into_bytes(),
        Payload::Text(text) => text.into_owned(),
        Payload::Php(text) => match text.first() {
            Some(b'a') => b"Array".to_vec(),
            Some(b'b') => Vec::new(),
            _ => return Bad::Request,
        },
    })
}

/// A float as PHP prints it: 14 digits, and `1.0E+25` where that is shorter.
fn printed(float: f64) -> String {
    const DIGITS: usize = 14;
    if !float.is_finite() {
        let text = if float.is_nan() { "NAN" } else { "INF" };
        return if float < 0.0 { format!("-{text}") } else { text.to_owned() };
    }
    let written = format!("{float:.*e}", DIGITS - 1);
    let (digits, exponent) = written.split_once('e').expect("this notation has an exponent");
    let exponent: i32 = exponent.parse().expect("it is a number");
    if (-4..i32::try_from(DIGITS).expect("it is small")).contains(&exponent) {
        let decimals = usize::try_from(13 - exponent).expect("the exponent is 13 at most");
        let fixed = format!("{float:.decimals$}");
        return match fixed.contains('.') {
            true => fixed.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => fixed,
        };
    }
    let digits = digits.trim_end_matches('0');
    let zero = if digits.ends_with('.') { "0" } else { "" };
    format!("{digits}{zero}E{exponent:+}")
}

/// What the sum of a stored value and a step is, as PHP adds.
#[must_use]
pub fn sum(stored: ValueRef<'_>, step: Number) -> Number {
    let stored = match stored {
        ValueRef::Int(int) => Number::Int(int),
        ValueRef::Float(float) => Number::Float(float),
        other => match Payload::of_canonical(&value::canonical(other)) {
            Payload::Int(int) => Number::Int(int),
            Payload::Float(float) => Number::Float(float),
            Payload::Text(text) => number::of_stored_text(&text),
            Payload::Php(_) => Number::Int(0),
        },
    };
    number::sum(stored, step)
}

/// Whether this is the MD5 of the value's canonical text. What does not exist counts as null.
#[must_use]
pub fn matches(digits: Option<[u8; MD5_DIGITS]>, current: Option<ValueRef<'_>>) -> bool {
    let Some(digits) = digits else { return false };
    let mut hash = Md5::new();
    match current {
        // Most values are strings: these need not be written to be read.
        Some(ValueRef::Encoded { encoding: Encoding::Raw, bytes }) => {
            let mut head = Vec::with_capacity(STRING_HEAD_BYTES_MAX);
            text::string_head(&mut head, bytes.len());
            hash.update(&head);
            hash.update(bytes);
            hash.update(b"\";");
        }
        Some(value) if !value::is_null(value) => hash.update(value::canonical(value)),
        _ => hash.update(b"N;"),
    }
    let (pairs, _) = digits.as_chunks();
    hash.finalize().into_iter().zip(pairs).all(|(byte, pair)| hex(byte) == *pair)
}

fn hex(byte: u8) -> [u8; 2] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]
}

/// Appends the answer to a `get`, or to an `increment` that happened.
pub fn put_value(value: ValueRef<'_>, out: &mut Vec<u8>) {
    frame::encode(out, |out| value::put(value, 0, out));
}

/// Appends the answer to a `get` of what does not exist.
pub fn put_null(out: &mut Vec<u8>) {
    frame::encode(out, text::null);
}

/// Appends the answer of whether something was done.
pub fn put_bool(done: bool, out: &mut Vec<u8>) {
    frame::encode(out, |out| text::boolean(out, done));
}

/// Appends what a client is told before it is hung up on.
pub fn put_bad(bad: &Bad, out: &mut Vec<u8>) {
    frame::encode(out, |out| match bad {
        Bad::Request => text::string(out, b"bad request"),
        Bad::Command(command) => text::string(out, &[b"bad cmd ", &command[..]].concat()),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [&str; 11] = [
        "N;",
        "b:1;",
        "i:5;",
        "d:0.5;",
        "s:0:\"\";",
        "s:3:\"a\"}\";",
        "s:5:\"5 app\";",
        "a:0:{}",
        "a:2:{i:0;i:1;s:1:\"k\";a:1:{i:0;N;}}",
        "O:3:\"Foo\":1:{s:1:\"a\";b:0;}",
        "i:+5;",
    ];

    #[test]
    fn the_usual_way_reads_what_the_general_way_reads() {
        let md5 = "s:3:\"md5\";s:32:\"69f3a72138bbefdf1383f9dbbbc652b8\";";
        let mut usually = 0;
        for (fields, command, hash, label) in [
            (2, "s:3:\"get\";", "", ""),
            (2, "s:6:\"delete\";", "", ""),
            (3, "s:3:\"set\";", "", "s:5:\"value\";"),
            (3, "s:3:\"add\";", "", "s:5:\"value\";"),
            (3, "s:9:\"increment\";", "", "s:4:\"step\";"),
            (4, "s:3:\"cas\";", md5, "s:5:\"value\";"),
            (4, "s:3:\"cas\";", "s:3:\"md5\";s:1:\"x\";", "s:5:\"value\";"),
            (3, "s:3:\"foo\";", "", "s:5:\"value\";"),
            (2, "s:3:\"set\";", "", "s:5:\"value\";"),
        ] {
            for key in VALUES {
                for value in VALUES {
                    let value = if label.is_empty() { "" } else { value };
                    let key = format!("s:3:\"key\";{key}");
                    let body =
                        format!("a:{fields}:{{s:3:\"cmd\";{command}{hash}{key}{label}{value}}}");
                    let general = format!("{:?}", general(body.as_bytes()));
                    let found = match decode(body.as_bytes()) {
                        Ok(Heard::Request(request)) => format!("{:?}", Ok::<_, Bad>(request)),
                        Ok(Heard::Ping) => panic!("it is no ping"),
                        Err(bad) => format!("{:?}", Err::<Request<'_>, _>(bad)),
                    };
                    assert_eq!(found, general, "{body}");
                    usually += u32::from(usual(body.as_bytes()).is_some());
                }
            }
        }
        assert!(usually > 200, "only {usually} were read in the usual way");
    }

    #[test]
    fn floats_are_printed_as_php_prints_them() {
        for (float, text) in [
            (1.5, "1.5"),
            (0.1 + 0.2, "0.3"),
            (-0.0, "-0"),
            (3.0, "3"),
            (100_000_000_000.0, "100000000000"),
            (1e13, "10000000000000"),
            (1e14, "1.0E+14"),
            (1e25, "1.0E+25"),
            (-1.25e-7, "-1.25E-7"),
            (0.0001, "0.0001"),
            (0.00001, "1.0E-5"),
            (f64::INFINITY, "INF"),
            (f64::NEG_INFINITY, "-INF"),
            (f64::NAN, "NAN"),
        ] {
            assert_eq!(printed(float), text);
        }
    }
}
