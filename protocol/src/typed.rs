//! Typed values through serde: scalars travel as themselves, everything else in an encoding.
//!
//! An integer becomes `Int`, a float `Float`, text and byte strings raw bytes: so a counter that one
//! program sets can be incremented by another, and text is text to all of them. Only what has
//! structure needs an encoding, and its tag travels with it. In PHP's encoding it is an array to PHP
//! programs: see [`workyard_php::to_vec`] and [`workyard_php::from_slice`].

mod scalar;

use crate::{Encoding, Value, ValueRef};
use bytes::Bytes;
use serde::Serialize;
use serde::de::value::{BorrowedBytesDeserializer, BorrowedStrDeserializer};
use serde::de::{Deserialize, DeserializeOwned, IntoDeserializer};
use std::fmt;

/// Why a value is not of the type wanted, or a type cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TypedError {
    /// The type does not fit into the encoding.
    #[error("cannot encode as {encoding}: {text}")]
    Encode {
        /// The encoding tried.
        encoding: Encoding,
        /// What it said.
        text: String,
    },
    /// The value's bytes are not of the type wanted.
    #[error("a value of kind {kind} is not of the type wanted: {text}")]
    Decode {
        /// The value's kind.
        kind: &'static str,
        /// What was wrong.
        text: String,
    },
    /// This crate cannot read or write the encoding.
    #[error("encoding {0} is carried, but not read or written here")]
    Unsupported(Encoding),
}

const BINCODE: bincode::config::Configuration = bincode::config::standard();

/// Turns a Rust value into what travels. `encoding` is used for what has structure.
///
/// # Errors
/// When the encoding cannot hold the type, or is not written here (MessagePack).
pub fn to_value<T: Serialize + ?Sized>(value: &T, encoding: Encoding) -> Result<Value, TypedError> {
    if let Some(scalar) = scalar::scalar(value) {
        return Ok(scalar);
    }
    let failed = |text: String| TypedError::Encode { encoding, text };
    let bytes = match encoding {
        Encoding::Bincode => bincode::serde::encode_to_vec(value, BINCODE)
            .map_err(|error| failed(error.to_string()))?,
        Encoding::Json => serde_json::to_vec(value).map_err(|error| failed(error.to_string()))?,
        Encoding::Php => workyard_php::to_vec(value).map_err(|error| failed(error.to_string()))?,
        Encoding::Raw => {
            return Err(failed("raw takes text, bytes and numbers only".to_owned()));
        }
        Encoding::MessagePack => return Err(TypedError::Unsupported(encoding)),
        Encoding::List | Encoding::Set | Encoding::Map => {
            return Err(failed("it is made item by item".to_owned()));
        }
    };
    Ok(Value::Encoded { encoding, bytes: Bytes::from(bytes) })
}

/// Turns what travelled into a Rust value, by the tag that travelled with it.
///
/// # Errors
/// When the bytes are not of that type, or the encoding is not read here (MessagePack).
pub fn from_value<T: DeserializeOwned>(value: ValueRef<'_>) -> Result<T, TypedError> {
    let kind = value.tag().name();
    let failed = |text: String| TypedError::Decode { kind, text };
    match value {
        ValueRef::Int(int) => read(int.into_deserializer()).map_err(failed),
        ValueRef::Float(float) => read(float.into_deserializer()).map_err(failed),
        ValueRef::Encoded { encoding: Encoding::Raw, bytes } => raw(bytes).map_err(failed),
        ValueRef::Encoded { encoding: Encoding::Json, bytes } => {
            serde_json::from_slice(bytes).map_err(|error| failed(error.to_string()))
        }
        ValueRef::Encoded { encoding: Encoding::Bincode, bytes } => {
            from_bincode(bytes).map_err(failed)
        }
        ValueRef::Encoded { encoding: Encoding::Php, bytes } => {
            workyard_php::from_slice(bytes).map_err(|error| failed(error.to_string()))
        }
        ValueRef::Encoded { encoding: Encoding::MessagePack, .. } => {
            Err(TypedError::Unsupported(Encoding::MessagePack))
        }
        ValueRef::Encoded { encoding: Encoding::List | Encoding::Set | Encoding::Map, .. } => {
            Err(failed("it is read item by item".to_owned()))
        }
    }
}

/// Raw bytes are text if the type takes text, else bytes.
fn raw<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(value) =
            T::deserialize(BorrowedStrDeserializer::<serde::de::value::Error>::new(text))
    {
        return Ok(value);
    }
    read(BorrowedBytesDeserializer::new(bytes))
        .or_else(|error| read(bytes.to_vec().into_deserializer()).map_err(|_| error))
}

fn read<'de, T, D>(deserializer: D) -> Result<T, String>
where
    T: Deserialize<'de>,
    D: serde::Deserializer<'de, Error = serde::de::value::Error>,
{
    T::deserialize(deserializer).map_err(|error| error.to_string())
}

fn from_bincode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    // What a length may claim is bounded by the bytes that are there, times the largest item that
    // can stand for one of them.
    const CLAIM_BYTES_MAX: usize = 64 * 1024 * 1024;
    let config = BINCODE.with_limit::<CLAIM_BYTES_MAX>();
    let (value, used) = bincode::serde::decode_from_slice(bytes, config).map_err(describe)?;
    match bytes.len() - used {
        0 => Ok(value),
        rest => Err(format!("{rest} bytes are left over")),
    }
}

fn describe(error: impl fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Order {
        id: u64,
        items: Vec<String>,
        note: Option<String>,
    }

    fn order() -> Order {
        Order { id: 7, items: vec!["tea".into(), "cup".into()], note: None }
    }

    #[test]
    fn scalars_travel_as_themselves() {
        for encoding in [Encoding::Bincode, Encoding::Json, Encoding::Php, Encoding::Raw] {
            assert_eq!(to_value(&5u8, encoding), Ok(Value::Int(5)));
            assert_eq!(to_value(&-5i64, encoding), Ok(Value::Int(-5)));
            assert_eq!(to_value(&1.5f32, encoding), Ok(Value::Float(1.5)));
            assert_eq!(to_value("text", encoding), Ok(Value::text("text")));
        }
        assert_eq!(from_value::<i64>(ValueRef::Int(5)), Ok(5));
        assert_eq!(from_value::<f64>(ValueRef::Int(5)), Ok(5.0));
        assert_eq!(from_value::<String>(ValueRef::raw("text")), Ok("text".to_owned()));
        assert_eq!(from_value::<Vec<u8>>(ValueRef::raw("text")), Ok(b"text".to_vec()));
        assert_eq!(from_value::<Vec<u8>>(ValueRef::raw(&[0xff])), Ok(vec![0xff]));
    }

    #[test]
    fn structures_come_back_by_their_tag() {
        for encoding in [Encoding::Bincode, Encoding::Json, Encoding::Php] {
            let value = to_value(&order(), encoding).unwrap();
            assert_eq!(value.as_ref().tag().name(), encoding.name());
            assert_eq!(from_value::<Order>(value.as_ref()), Ok(order()));
        }
    }

    #[test]
    fn php_reads_and_writes_the_same_texts() {
        let php = |bytes: &'static [u8]| ValueRef::Encoded { encoding: Encoding::Php, bytes };
        let text =
            br#"a:3:{s:2:"id";i:7;s:5:"items";a:2:{i:0;s:3:"tea";i:1;s:3:"cup";}s:4:"note";N;}"#;
        assert_eq!(to_value(&order(), Encoding::Php).unwrap().as_ref(), php(text));
        assert_eq!(from_value::<Order>(php(text)), Ok(order()));
        assert_eq!(to_value(&true, Encoding::Php).unwrap().as_ref(), php(b"b:1;"));
        assert_eq!(to_value(&(), Encoding::Php).unwrap().as_ref(), php(b"N;"));
        assert_eq!(from_value::<bool>(php(b"b:0;")), Ok(false));
        assert_eq!(from_value::<Option<Order>>(php(b"N;")), Ok(None));
        let error = from_value::<i64>(php(b"N;")).unwrap_err().to_string();
        assert!(
            error.starts_with("a value of kind php is not of the type wanted: at byte"),
            "{error}"
        );
        let error = to_value(&[u64::MAX], Encoding::Php).unwrap_err().to_string();
        assert!(error.starts_with("cannot encode as php: 18446744073709551615"), "{error}");
    }

    #[test]
    fn what_does_not_fit_says_so() {
        let error = from_value::<Order>(ValueRef::Int(1)).unwrap_err();
        assert!(error.to_string().starts_with("a value of kind int is not"), "{error}");
        assert!(from_value::<i64>(ValueRef::raw("five")).is_err());
        assert!(to_value(&order(), Encoding::Raw).is_err());
        let encoding = Encoding::MessagePack;
        let nil = ValueRef::Encoded { encoding, bytes: &[0xc0] };
        assert_eq!(from_value::<()>(nil), Err(TypedError::Unsupported(encoding)));
        assert_eq!(to_value(&(), encoding), Err(TypedError::Unsupported(encoding)));
        let left_over = ValueRef::Encoded { encoding: Encoding::Bincode, bytes: &[1, 2] };
        assert!(from_value::<bool>(left_over).is_err());
    }

    #[test]
    fn a_hostile_length_allocates_nothing() {
        let bytes = &[253, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
        let value = ValueRef::Encoded { encoding: Encoding::Bincode, bytes };
        assert!(from_value::<Vec<String>>(value).is_err());
    }
}
