//! The keys of maps: text, bytes, integers and bools; nothing else is a key in PHP.

use super::SerError;
use crate::writer::{ArrayWriter, OpenArray};
use serde::ser::{Impossible, Serialize, Serializer};

/// Writes one key.
pub(super) struct KeySerializer<'a, 'o> {
    pub(super) writer: &'a mut ArrayWriter<'o>,
    pub(super) array: &'a mut OpenArray,
}

impl KeySerializer<'_, '_> {
    fn int(self, key: i64) -> Result<(), SerError> {
        self.writer.int_key(self.array, key);
        Ok(())
    }

    fn text(self, key: &[u8]) -> Result<(), SerError> {
        self.writer.text_key(self.array, key);
        Ok(())
    }
}

macro_rules! integers {
    ($($method:ident: $Type:ty,)*) => {
        $(fn $method(self, key: $Type) -> Result<(), SerError> {
            self.int(key.into())
        })*
    };
}

// Beyond 64 bits with a sign PHP keeps a key as text.
macro_rules! wide_integers {
    ($($method:ident: $Type:ty,)*) => {
        $(fn $method(self, key: $Type) -> Result<(), SerError> {
            self.text(key.to_string().as_bytes())
        })*
    };
}

macro_rules! no_keys {
    ($($method:ident($($argument:ty),*) -> $Output:ty: $kind:literal;)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$Output, SerError> {
            Err(SerError::Key($kind))
        })*
    };
}

type No = Impossible<(), SerError>;

impl Serializer for KeySerializer<'_, '_> {
    type Ok = ();
    type Error = SerError;
    type SerializeSeq = No;
    type SerializeTuple = No;
    type SerializeTupleStruct = No;
    type SerializeTupleVariant = No;
    type SerializeMap = No;
    type SerializeStruct = No;
    type SerializeStructVariant = No;

    integers! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
    }

    wide_integers! {
        serialize_u64: u64,
        serialize_i128: i128,
        serialize_u128: u128,
    }

    fn serialize_char(self, key: char) -> Result<(), SerError> {
        self.text(key.encode_utf8(&mut [0; 4]).as_bytes())
    }

    fn serialize_str(self, key: &str) -> Result<(), SerError> {
        self.text(key.as_bytes())
    }

    fn serialize_bytes(self, key: &[u8]) -> Result<(), SerError> {
        self.text(key)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), SerError> {
        self.text(variant.as_bytes())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        key: &T,
    ) -> Result<(), SerError> {
        key.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, key: &T) -> Result<(), SerError> {
        key.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), SerError> {
        Err(SerError::Key("a variant with data"))
    }

    no_keys! {
        serialize_f32(f32) -> (): "a float";
        serialize_f64(f64) -> (): "a float";
        serialize_none() -> (): "null";
        serialize_unit() -> (): "null";
        serialize_unit_struct(&'static str) -> (): "null";
        serialize_seq(Option<usize>) -> No: "a sequence";
        serialize_tuple(usize) -> No: "a sequence";
        serialize_tuple_struct(&'static str, usize) -> No: "a sequence";
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> No: "a variant with data";
        serialize_map(Option<usize>) -> No: "a map";
        serialize_struct(&'static str, usize) -> No: "a struct";
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> No: "a variant with data";
    }
}
