//! Values between the command line and the wire.

use crate::args::{Kind, KindName};
use crate::exit::Usage;
use serde_json::json;
use std::io::Read;
use workyard_protocol::container::{Item, Items};
use workyard_protocol::{Encoding, Number, Value};

/// Turns an argument into a value; `-` reads standard input.
pub(crate) fn parse(argument: &str, kind: Kind) -> anyhow::Result<Value> {
    if argument == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return from_text(text.strip_suffix('\n').unwrap_or(&text), kind);
    }
    from_text(argument, kind)
}

/// Turns text into a value.
pub(crate) fn from_text(text: &str, Kind { kind }: Kind) -> anyhow::Result<Value> {
    Ok(match kind {
        KindName::Auto => match number(text) {
            Some(number) => to_value(number),
            None => Value::text(text),
        },
        KindName::Text => Value::text(text),
        KindName::Int => Value::Int(text.parse().map_err(|_| wrong(text, "an integer"))?),
        KindName::Float => Value::Float(text.parse().map_err(|_| wrong(text, "a number"))?),
        KindName::Json => {
            serde_json::from_str::<serde::de::IgnoredAny>(text)
                .map_err(|error| Usage(format!("the value is no JSON: {error}")))?;
            Value::Encoded { encoding: Encoding::Json, bytes: text.to_owned().into() }
        }
    })
}

/// Reads a number: an integer, or with a point or exponent a float.
pub(crate) fn number(text: &str) -> Option<Number> {
    if let Ok(int) = text.parse::<i64>() {
        // "+5" and "007" are text to people who store them.
        return (int.to_string() == text).then_some(Number::Int(int));
    }
    let digits = text.trim_start_matches('-');
    let plain = digits.starts_with(|first: char| first.is_ascii_digit())
        && text.contains(['.', 'e', 'E'])
        && !digits.ends_with('.');
    if !plain {
        return None;
    }
    text.parse::<f64>().ok().filter(|float| float.is_finite()).map(Number::Float)
}

/// A number that must be one.
pub(crate) fn require_number(text: &str) -> anyhow::Result<Number> {
    number(text).ok_or_else(|| wrong(text, "a number").into())
}

pub(crate) fn to_value(number: Number) -> Value {
    match number {
        Number::Int(int) => Value::Int(int),
        Number::Float(float) => Value::Float(float),
    }
}

/// A value for people: lists, sets and maps as JSON, everything else as it is.
pub(crate) fn shown(value: &Value) -> String {
    match value.as_ref().tag().is_container() {
        true => to_json(value).to_string(),
        false => value.to_string(),
    }
}

/// A value in a JSON document: numbers, text and JSON as what they are, lists and sets as arrays, maps
/// as objects, other bytes as hex.
pub(crate) fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Int(int) => json!(int),
        Value::Float(float) => json!(float),
        Value::Encoded { encoding, bytes } => {
            if *encoding == Encoding::Json
                && let Ok(document) = serde_json::from_slice(bytes)
            {
                return document;
            }
            if encoding.is_container()
                && let Some(document) = container(*encoding, bytes)
            {
                return document;
            }
            match std::str::from_utf8(bytes) {
                Ok(text) if encoding.is_text() => json!(text),
                _ => json!({ "encoding": encoding.name(), "hex": hex(bytes) }),
            }
        }
    }
}

/// Nothing when the bytes are none.
fn container(kind: Encoding, bytes: &[u8]) -> Option<serde_json::Value> {
    let items: Vec<_> = Items::new(kind, bytes).collect::<Result<_, _>>().ok()?;
    let json = |item: &Item<'_>| to_json(&item.value.to_value());
    Some(match kind {
        Encoding::Map => {
            let name =
                |item: &Item<'_>| String::from_utf8_lossy(item.field.as_bytes()).into_owned();
            items
                .iter()
                .map(|item| (name(item), json(item)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        _ => items.iter().map(json).collect::<Vec<_>>().into(),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn wrong(text: &str, expected: &str) -> Usage {
    Usage(format!("{text:?} is not {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_number_is_one() {
        for (text, expected) in [
            ("5", Value::Int(5)),
            ("-5", Value::Int(-5)),
            ("1.5", Value::Float(1.5)),
            ("-1e3", Value::Float(-1000.0)),
            ("0", Value::Int(0)),
            ("007", Value::text("007")),
            ("+5", Value::text("+5")),
            ("1.", Value::text("1.")),
            (".5", Value::text(".5")),
            ("inf", Value::text("inf")),
            ("1e999", Value::text("1e999")),
            ("five", Value::text("five")),
            ("", Value::text("")),
        ] {
            let kind = Kind { kind: KindName::Auto };
            assert_eq!(from_text(text, kind).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn json_is_checked_and_shown_as_json() {
        let kind = Kind { kind: KindName::Json };
        let value = from_text(r#"{"a":[1,2]}"#, kind).unwrap();
        assert_eq!(to_json(&value), json!({"a": [1, 2]}));
        assert!(from_text("{a", kind).is_err());
        assert_eq!(to_json(&Value::raw(vec![0xff, 0])), json!({"encoding": "raw", "hex": "ff00"}));
    }
}
