//! The meaning of a vector's fields, as `protocol/vectors/README.md` explains them.
//!
//! What is read lives as long as the test does, so that requests can borrow it.

use crate::hex;
use serde_json::Value as Json;
use workyard_protocol::container::{put_field, put_item};
use workyard_protocol::{Encoding, FieldName, Key, Number, ValueRef};

/// A field that must be there.
pub(crate) fn field<'j>(fields: &'j Json, name: &str) -> &'j Json {
    fields.get(name).unwrap_or_else(|| panic!("no field {name:?} in {fields}"))
}

/// A number of any width.
pub(crate) fn integer<T: TryFrom<u64>>(fields: &Json, name: &str) -> T {
    integer_of(field(fields, name))
}

pub(crate) fn integer_of<T: TryFrom<u64>>(json: &Json) -> T {
    let number = json.as_u64().unwrap_or_else(|| panic!("no unsigned integer: {json}"));
    T::try_from(number).unwrap_or_else(|_| panic!("too wide: {json}"))
}

pub(crate) fn text(fields: &Json, name: &str) -> &'static str {
    let text = field(fields, name).as_str().unwrap_or_else(|| panic!("no text {name}: {fields}"));
    Box::leak(Box::from(text))
}

pub(crate) fn flag(fields: &Json, name: &str) -> bool {
    field(fields, name).as_bool().unwrap_or_else(|| panic!("no flag {name}: {fields}"))
}

pub(crate) fn list<T>(fields: &Json, name: &str, read: impl Fn(&Json) -> T) -> Vec<T> {
    let list = field(fields, name).as_array();
    list.unwrap_or_else(|| panic!("no list {name}: {fields}")).iter().map(read).collect()
}

/// `null`, or what `read` reads.
pub(crate) fn optional<T>(fields: &Json, name: &str, read: impl Fn(&Json) -> T) -> Option<T> {
    let json = field(fields, name);
    (!json.is_null()).then(|| read(json))
}

/// Text, `{"hex": …}` or `{"repeat": …, "times": …}`.
pub(crate) fn bytes(json: &Json) -> &'static [u8] {
    let bytes = match json {
        Json::String(text) => text.clone().into_bytes(),
        Json::Object(object) => match (object.get("hex"), object.get("repeat")) {
            (Some(Json::String(digits)), None) => hex::bytes(digits),
            (None, Some(Json::String(digits))) => hex::bytes(digits).repeat(integer(json, "times")),
            _ => panic!("no bytes: {json}"),
        },
        _ => panic!("no bytes: {json}"),
    };
    Box::leak(bytes.into_boxed_slice())
}

pub(crate) fn key(fields: &Json) -> Key<'static> {
    Key::new(bytes(field(fields, "key"))).expect("a key within its limit")
}

/// The only entry of an object: its name and what it holds.
pub(crate) fn variant(json: &Json) -> (&str, &Json) {
    let object = json.as_object().filter(|object| object.len() == 1);
    let (name, content) = object
        .and_then(|object| object.iter().next())
        .unwrap_or_else(|| panic!("no variant: {json}"));
    (name, content)
}

pub(crate) fn value(json: &Json) -> ValueRef<'static> {
    let encoded = |encoding, json| ValueRef::Encoded { encoding, bytes: bytes(json) };
    match variant(json) {
        ("raw", content) => encoded(Encoding::Raw, content),
        ("json", content) => encoded(Encoding::Json, content),
        ("bincode", content) => encoded(Encoding::Bincode, content),
        ("php", content) => encoded(Encoding::Php, content),
        ("messagepack", content) => encoded(Encoding::MessagePack, content),
        ("list", Json::Array(items)) => {
            let mut bytes = Vec::new();
            items.iter().for_each(|item| put_item(value(item), &mut bytes));
            ValueRef::Encoded { encoding: Encoding::List, bytes: bytes.leak() }
        }
        ("set", Json::Array(items)) => {
            let mut bytes = Vec::new();
            items.iter().for_each(|item| put_item(value(item), &mut bytes));
            ValueRef::Encoded { encoding: Encoding::Set, bytes: bytes.leak() }
        }
        ("map", Json::Array(fields)) => {
            let mut bytes = Vec::new();
            for (name, item) in fields.iter().map(named) {
                put_field(name, item, &mut bytes);
            }
            ValueRef::Encoded { encoding: Encoding::Map, bytes: bytes.leak() }
        }
        _ => ValueRef::from(number(json)),
    }
}

/// A field of a map: its name and its value.
pub(crate) fn named(json: &Json) -> (FieldName<'static>, ValueRef<'static>) {
    match json.as_array().map(Vec::as_slice) {
        Some([name, item]) => (field_name(name), value(item)),
        _ => panic!("no field: {json}"),
    }
}

pub(crate) fn field_name(json: &Json) -> FieldName<'static> {
    FieldName::new(bytes(json)).expect("a field within its limit")
}

pub(crate) fn number(json: &Json) -> Number {
    match variant(json) {
        ("int", Json::Number(number)) => Number::Int(number.as_i64().expect("64 bits")),
        ("float", Json::Number(number)) => Number::Float(number.as_f64().expect("a double")),
        ("float_bits", bits) => {
            let bits = bits.as_str().and_then(|bits| u64::from_str_radix(bits, 16).ok());
            Number::Float(f64::from_bits(bits.expect("sixteen hex digits")))
        }
        _ => panic!("no number: {json}"),
    }
}
