//! Typed values through serde: scalars travel as themselves, everything else in an encoding.
//!
//! An integer becomes `Int`, a float `Float`, text and byte strings raw bytes: so a counter that one
//! program sets can be incremented by another, and text is text to all of them. Only what has
//! structure needs an encoding, and its tag travels with it. In PHP's encoding it is an array to PHP
//! programs: see [`workyard_php::to_vec`] and [`workyard_php::from_slice`]. A list or set is read as a
//! sequence, a map as a map or struct, whatever the encodings of their items.

mod read;
mod scalar;

use crate::{Encoding, Value, ValueRef};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

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
    if let ValueRef::Encoded { encoding: encoding @ Encoding::MessagePack, .. } = value {
        return Err(TypedError::Unsupported(encoding));
    }
    let kind = value.tag().name();
    read::read(PhantomData, value).map_err(|text| TypedError::Decode { kind, text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FieldName;
    use crate::container::{put_field, put_item};
    use serde::Deserialize;
    use std::collections::{BTreeMap, BTreeSet};

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
    fn lists_sets_and_maps_are_read_whatever_their_items_are() {
        let encodings = [Encoding::Bincode, Encoding::Json, Encoding::Php];
        let mut bytes = Vec::new();
        for encoding in encodings {
            put_item(to_value(&order(), encoding).unwrap().as_ref(), &mut bytes);
        }
        let list = ValueRef::Encoded { encoding: Encoding::List, bytes: &bytes };
        assert_eq!(from_value::<Vec<Order>>(list), Ok(vec![order(), order(), order()]));
        let error = from_value::<(Order, Order)>(list).unwrap_err().to_string();
        assert!(error.ends_with("it has more items than that"), "{error}");
        assert!(from_value::<Vec<u8>>(list).is_err());

        let mut bytes = Vec::new();
        put_item(ValueRef::raw("a"), &mut bytes);
        put_item(ValueRef::raw("b"), &mut bytes);
        let set = ValueRef::Encoded { encoding: Encoding::Set, bytes: &bytes };
        let letters = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        assert_eq!(from_value(set), Ok(letters));

        let mut bytes = Vec::new();
        let items = to_value(&["tea", "cup"], Encoding::Json).unwrap();
        put_field(FieldName::new("id").unwrap(), ValueRef::Int(7), &mut bytes);
        put_field(FieldName::new("items").unwrap(), items.as_ref(), &mut bytes);
        let map = ValueRef::Encoded { encoding: Encoding::Map, bytes: &bytes };
        assert_eq!(from_value::<Order>(map), Ok(order()));
        let empty = ValueRef::Encoded { encoding: Encoding::Map, bytes: &[] };
        assert_eq!(from_value(empty), Ok(BTreeMap::<String, i64>::new()));
        let broken = ValueRef::Encoded { encoding: Encoding::List, bytes: &[0] };
        let error = from_value::<Vec<u8>>(broken).unwrap_err().to_string();
        assert!(error.ends_with("item 0 of the list ends within its length"), "{error}");
    }

    #[test]
    fn a_hostile_length_allocates_nothing() {
        let bytes = &[253, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
        let value = ValueRef::Encoded { encoding: Encoding::Bincode, bytes };
        assert!(from_value::<Vec<String>>(value).is_err());
    }
}
