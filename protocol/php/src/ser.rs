//! Rust values as PHP's serialize text, through serde.

mod entries;
mod error;
mod key;

pub use error::SerError;

use crate::text;
use crate::writer::ArrayWriter;
use entries::Entries;
use serde::ser::Serialize;

/// The text that PHP 8.2 writes for the same value, byte for byte.
///
/// | Rust | PHP |
/// |---|---|
/// | `()`, unit struct, `None` | null |
/// | `bool`, integers, floats | bool, int, float |
/// | `&str`, `String`, `char`, bytes, variant without data | string |
/// | `Some(x)`, newtype struct | as `x` |
/// | sequence, tuple, tuple struct | array with the keys 0, 1, 2, … |
/// | map, struct | array with those keys |
/// | variant with data | array of one entry: the variant's name => its data |
///
/// `Vec<u8>` is a sequence to serde; bytes are what says so, as with the crate `serde_bytes`.
///
/// Keys follow PHP: text such as `"5"` becomes an integer, `true` becomes 1, and of entries with the
/// same key the last value stays, at the first one's position. An `f32` is the double of its shortest
/// text, so that `0.1f32` is 0.1 in PHP.
///
/// # Errors
/// When an integer does not fit into 64 bits with a sign, when a map has keys that PHP's arrays cannot
/// have (floats, null, what has structure), and when the type itself refuses.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, SerError> {
    let mut out = Vec::new();
    to_buffer(value, &mut out)?;
    Ok(out)
}

/// Appends what [`to_vec`] returns.
///
/// # Errors
/// As of [`to_vec`]. The buffer then is as it was.
pub fn to_buffer<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), SerError> {
    let before = out.len();
    let mut writer = ArrayWriter::new(out);
    match value.serialize(Serializer(&mut writer)) {
        Ok(()) => {
            writer.finish();
            Ok(())
        }
        Err(error) => {
            out.truncate(before);
            Err(error)
        }
    }
}

/// Writes one value.
struct Serializer<'a, 'o>(&'a mut ArrayWriter<'o>);

impl<'a, 'o> Serializer<'a, 'o> {
    fn int<I: Copy + TryInto<i64> + ToString>(self, value: I) -> Result<(), SerError> {
        let int = value.try_into().map_err(|_| SerError::Integer(value.to_string()))?;
        text::int(self.0.out(), int);
        Ok(())
    }

    fn string(self, bytes: &[u8]) -> Result<(), SerError> {
        text::string(self.0.out(), bytes);
        Ok(())
    }

    fn null(self) -> Result<(), SerError> {
        text::null(self.0.out());
        Ok(())
    }
}

macro_rules! integers {
    ($($method:ident: $Type:ty,)*) => {
        $(fn $method(self, value: $Type) -> Result<(), SerError> {
            self.int(value)
        })*
    };
}

impl<'a, 'o> serde::Serializer for Serializer<'a, 'o> {
    type Ok = ();
    type Error = SerError;
    type SerializeSeq = Entries<'a, 'o>;
    type SerializeTuple = Entries<'a, 'o>;
    type SerializeTupleStruct = Entries<'a, 'o>;
    type SerializeTupleVariant = Entries<'a, 'o>;
    type SerializeMap = Entries<'a, 'o>;
    type SerializeStruct = Entries<'a, 'o>;
    type SerializeStructVariant = Entries<'a, 'o>;

    integers! {
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
    }

    fn serialize_bool(self, value: bool) -> Result<(), SerError> {
        text::boolean(self.0.out(), value);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), SerError> {
        self.serialize_f64(value.to_string().parse().expect("the text of a float is one"))
    }

    fn serialize_f64(self, value: f64) -> Result<(), SerError> {
        text::float(self.0.out(), value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), SerError> {
        self.string(value.encode_utf8(&mut [0; 4]).as_bytes())
    }

    fn serialize_str(self, value: &str) -> Result<(), SerError> {
        self.string(value.as_bytes())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), SerError> {
        self.string(value)
    }

    fn serialize_none(self) -> Result<(), SerError> {
        self.null()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), SerError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), SerError> {
        self.null()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), SerError> {
        self.null()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), SerError> {
        self.string(variant.as_bytes())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), SerError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), SerError> {
        let mut outer = self.0.open();
        self.0.text_key(&mut outer, variant.as_bytes());
        value.serialize(Serializer(self.0))?;
        self.0.close(outer);
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, SerError> {
        Ok(Entries::new(self.0))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, SerError> {
        Ok(Entries::new(self.0))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, SerError> {
        Ok(Entries::new(self.0))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, SerError> {
        Ok(Entries::of_variant(self.0, variant))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, SerError> {
        Ok(Entries::new(self.0))
    }

    fn serialize_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStruct, SerError> {
        Ok(Entries::new(self.0))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, SerError> {
        Ok(Entries::of_variant(self.0, variant))
    }
}

#[cfg(test)]
mod tests;
