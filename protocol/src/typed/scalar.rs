//! Finds out whether a value is a plain number, text or byte string, by asking it to serialize.

use crate::Value;
use serde::ser::{Error, Impossible, Serialize, Serializer};
use std::fmt;

/// The value if it is a scalar that the wire has a kind for.
pub(super) fn scalar<T: Serialize + ?Sized>(value: &T) -> Option<Value> {
    value.serialize(Probe).ok()
}

struct Probe;

/// Anything but a scalar.
#[derive(Debug)]
struct Structured;

impl fmt::Display for Structured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a scalar")
    }
}

impl std::error::Error for Structured {}

impl Error for Structured {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

macro_rules! integers {
    ($($method:ident: $Type:ty,)*) => {
        $(fn $method(self, value: $Type) -> Result<Value, Structured> {
            i64::try_from(value).map(Value::Int).map_err(|_| Structured)
        })*
    };
}

macro_rules! structured {
    ($($method:ident($($argument:ty),*) -> $Output:ty;)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$Output, Structured> {
            Err(Structured)
        })*
    };
}

type No = Impossible<Value, Structured>;

impl Serializer for Probe {
    type Ok = Value;
    type Error = Structured;
    type SerializeSeq = No;
    type SerializeTuple = No;
    type SerializeTupleStruct = No;
    type SerializeTupleVariant = No;
    type SerializeMap = No;
    type SerializeStruct = No;
    type SerializeStructVariant = No;

    integers! {
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
    }

    fn serialize_f32(self, value: f32) -> Result<Value, Structured> {
        Ok(Value::Float(value.into()))
    }

    fn serialize_f64(self, value: f64) -> Result<Value, Structured> {
        Ok(Value::Float(value))
    }

    fn serialize_str(self, value: &str) -> Result<Value, Structured> {
        Ok(Value::text(value))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value, Structured> {
        Ok(Value::raw(value.to_vec()))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<Value, Structured> {
        Err(Structured)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<Value, Structured> {
        Err(Structured)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Value, Structured> {
        Err(Structured)
    }

    structured! {
        serialize_bool(bool) -> Value;
        serialize_char(char) -> Value;
        serialize_none() -> Value;
        serialize_unit() -> Value;
        serialize_unit_struct(&'static str) -> Value;
        serialize_unit_variant(&'static str, u32, &'static str) -> Value;
        serialize_seq(Option<usize>) -> No;
        serialize_tuple(usize) -> No;
        serialize_tuple_struct(&'static str, usize) -> No;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> No;
        serialize_map(Option<usize>) -> No;
        serialize_struct(&'static str, usize) -> No;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> No;
    }
}
