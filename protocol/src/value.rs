//! Payloads and stored values: numbers, or bytes with the name of their encoding.

use crate::wire::DecodeError;
use crate::{Reason, Refusal, container};
use bincode::{Decode, Encode};
use bytes::Bytes;
use std::cmp::Ordering;
use std::fmt;

/// How a value's bytes are to be read. The tag travels with them; servers look inside of containers only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Encoding {
    /// Bytes or text without further structure.
    Raw,
    /// JSON text.
    Json,
    /// bincode 2, standard configuration.
    Bincode,
    /// PHP's serialize format.
    Php,
    /// MessagePack.
    MessagePack,
    /// A list of values, see [`container`](crate::container).
    List,
    /// A set of values.
    Set,
    /// Values by the names of their fields.
    Map,
}

impl Encoding {
    /// The name used by `--json`, flags and documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Json => "json",
            Self::Bincode => "bincode",
            Self::Php => "php",
            Self::MessagePack => "messagepack",
            Self::List => "list",
            Self::Set => "set",
            Self::Map => "map",
        }
    }

    /// Whether bytes of it that are UTF-8 are meant to be read.
    #[must_use]
    pub fn is_text(self) -> bool {
        self != Self::Bincode && !self.is_container()
    }

    /// Whether it is a list, set or map: what is made of values, item by item, instead of being the
    /// encoding of one.
    #[must_use]
    pub fn is_container(self) -> bool {
        matches!(self, Self::List | Self::Set | Self::Map)
    }
}

/// A name that no encoding has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown encoding {0:?}: expected raw, json, bincode, php or messagepack")]
pub struct UnknownEncoding(String);

impl std::str::FromStr for Encoding {
    type Err = UnknownEncoding;

    fn from_str(name: &str) -> Result<Self, UnknownEncoding> {
        [Self::Raw, Self::Json, Self::Bincode, Self::Php, Self::MessagePack]
            .into_iter()
            .find(|encoding| encoding.name() == name)
            .ok_or_else(|| UnknownEncoding(name.to_owned()))
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What kind of value follows: one byte on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueTag {
    /// Eight bytes, a big endian two's complement integer.
    Int,
    /// Eight bytes, a big endian IEEE 754 double.
    Float,
    /// Bytes in an encoding.
    Encoded(Encoding),
}

impl ValueTag {
    /// The byte that travels.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Encoded(Encoding::Raw) => 0,
            Self::Int => 1,
            Self::Float => 2,
            Self::Encoded(Encoding::Json) => 3,
            Self::Encoded(Encoding::Bincode) => 4,
            Self::Encoded(Encoding::Php) => 5,
            Self::Encoded(Encoding::MessagePack) => 6,
            Self::Encoded(Encoding::List) => 7,
            Self::Encoded(Encoding::Set) => 8,
            Self::Encoded(Encoding::Map) => 9,
        }
    }

    /// The tag of a byte, if there is one.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Encoded(Encoding::Raw),
            1 => Self::Int,
            2 => Self::Float,
            3 => Self::Encoded(Encoding::Json),
            4 => Self::Encoded(Encoding::Bincode),
            5 => Self::Encoded(Encoding::Php),
            6 => Self::Encoded(Encoding::MessagePack),
            7 => Self::Encoded(Encoding::List),
            8 => Self::Encoded(Encoding::Set),
            9 => Self::Encoded(Encoding::Map),
            _ => return None,
        })
    }

    /// The same of a byte that came from a peer.
    pub(crate) fn from_wire(code: u8) -> Result<Self, DecodeError> {
        Self::from_code(code).ok_or_else(|| {
            let text = format!("value tag {code} is unknown: expected 0 to 9");
            Refusal::new(Reason::InvalidArgument, text).into()
        })
    }

    /// Whether it is a list, set or map.
    #[must_use]
    pub fn is_container(self) -> bool {
        matches!(self, Self::Encoded(encoding) if encoding.is_container())
    }

    /// The name used by `--json` and listings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Float => "float",
            Self::Encoded(encoding) => encoding.name(),
        }
    }
}

/// A value that borrows its bytes, as requests, replies and pushes hold it.
///
/// Two floats are equal when their bits are: a value is always equal to itself.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    /// A 64-bit integer.
    Int(i64),
    /// A double.
    Float(f64),
    /// Anything else.
    Encoded {
        /// How to read the bytes.
        encoding: Encoding,
        /// The value.
        bytes: &'a [u8],
    },
}

impl<'a> ValueRef<'a> {
    /// Bytes or text without further structure.
    pub fn raw<B: AsRef<[u8]> + ?Sized>(bytes: &'a B) -> Self {
        Self::Encoded { encoding: Encoding::Raw, bytes: bytes.as_ref() }
    }

    /// The kind of the value.
    #[must_use]
    pub fn tag(self) -> ValueTag {
        match self {
            Self::Int(_) => ValueTag::Int,
            Self::Float(_) => ValueTag::Float,
            Self::Encoded { encoding, .. } => ValueTag::Encoded(encoding),
        }
    }

    /// How many bytes the value takes on the wire, its tag apart.
    #[must_use]
    pub fn byte_len(self) -> usize {
        match self {
            Self::Int(_) | Self::Float(_) => 8,
            Self::Encoded { bytes, .. } => bytes.len(),
        }
    }

    /// The value as a number, if it is one.
    #[must_use]
    pub fn number(self) -> Option<Number> {
        match self {
            Self::Int(int) => Some(Number::Int(int)),
            Self::Float(float) => Some(Number::Float(float)),
            Self::Encoded { .. } => None,
        }
    }

    /// Copies the bytes.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            Self::Int(int) => Value::Int(int),
            Self::Float(float) => Value::Float(float),
            Self::Encoded { encoding, bytes } => {
                Value::Encoded { encoding, bytes: Bytes::copy_from_slice(bytes) }
            }
        }
    }

    #[inline]
    pub(crate) fn put(self, out: &mut Vec<u8>) {
        match self {
            Self::Int(int) => out.extend_from_slice(&int.to_be_bytes()),
            Self::Float(float) => out.extend_from_slice(&float.to_be_bytes()),
            Self::Encoded { bytes, .. } => out.extend_from_slice(bytes),
        }
    }

    #[inline]
    pub(crate) fn from_wire(tag: u8, bytes: &'a [u8]) -> Result<Self, DecodeError> {
        match ValueTag::from_code(tag) {
            Some(ValueTag::Encoded(encoding)) if !encoding.is_container() => {
                Ok(Self::Encoded { encoding, bytes })
            }
            _ => Self::checked(tag, bytes),
        }
    }

    /// What takes more than a look at the tag.
    fn checked(tag: u8, bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let number = || {
            <[u8; 8]>::try_from(bytes).map_err(|_| {
                let have = bytes.len();
                DecodeError::Malformed(format!("a number takes 8 bytes, not {have}"))
            })
        };
        Ok(match ValueTag::from_wire(tag)? {
            ValueTag::Int => Self::Int(i64::from_be_bytes(number()?)),
            ValueTag::Float => Self::Float(f64::from_be_bytes(number()?)),
            ValueTag::Encoded(encoding) => {
                if encoding.is_container() {
                    container::check(encoding, bytes).map_err(Refusal::from)?;
                }
                Self::Encoded { encoding, bytes }
            }
        })
    }
}

impl PartialEq for ValueRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(one), Self::Int(two)) => one == two,
            (Self::Float(one), Self::Float(two)) => one.to_bits() == two.to_bits(),
            (
                Self::Encoded { encoding, bytes },
                Self::Encoded { encoding: other_encoding, bytes: other_bytes },
            ) => encoding == other_encoding && bytes == other_bytes,
            _ => false,
        }
    }
}

/// A value that owns its bytes, or shares them.
#[derive(Clone, Debug)]
pub enum Value {
    /// A 64-bit integer.
    Int(i64),
    /// A double.
    Float(f64),
    /// Anything else.
    Encoded {
        /// How to read the bytes.
        encoding: Encoding,
        /// The value.
        bytes: Bytes,
    },
}

impl Value {
    /// Bytes without further structure.
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self::Encoded { encoding: Encoding::Raw, bytes: bytes.into() }
    }

    /// Text, which is raw bytes to the servers.
    pub fn text(text: impl Into<String>) -> Self {
        Self::raw(text.into())
    }

    /// The value without its ownership.
    #[must_use]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Int(int) => ValueRef::Int(*int),
            Self::Float(float) => ValueRef::Float(*float),
            Self::Encoded { encoding, bytes } => ValueRef::Encoded { encoding: *encoding, bytes },
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

/// People see numbers and text as they are, and other bytes as a count.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(int) => write!(f, "{int}"),
            Self::Float(float) => write!(f, "{float}"),
            Self::Encoded { encoding, bytes } => match std::str::from_utf8(bytes) {
                Ok(text) if encoding.is_text() => f.write_str(text),
                _ => write!(f, "<{} bytes of {encoding}>", bytes.len()),
            },
        }
    }
}

/// What `increment` adds and returns. Two floats are equal when their bits are.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub enum Number {
    /// A 64-bit integer.
    Int(i64),
    /// A double.
    Float(f64),
}

impl Number {
    /// The sum: an integer of two integers, else a float.
    ///
    /// Nothing when it is no 64-bit integer or no finite float.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let sum = match (self, other) {
            (Self::Int(one), Self::Int(two)) => return one.checked_add(two).map(Self::Int),
            (one, two) => one.as_f64() + two.as_f64(),
        };
        sum.is_finite().then_some(Self::Float(sum))
    }

    /// Which of the two is less, exactly, also of an integer and a float. Nothing with NaN.
    #[must_use]
    pub fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(one), Self::Int(two)) => Some(one.cmp(&two)),
            (Self::Float(one), Self::Float(two)) => one.partial_cmp(&two),
            (Self::Int(int), Self::Float(float)) => compare(int, float),
            (Self::Float(float), Self::Int(int)) => compare(int, float).map(Ordering::reverse),
        }
    }

    /// The number as a double; integers beyond 2^53 are rounded.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Int(int) => int as f64,
            Self::Float(float) => float,
        }
    }
}

/// An integer beside a double, which may have no double of its own.
fn compare(int: i64, float: f64) -> Option<Ordering> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        None
    } else if float >= BEYOND {
        Some(Ordering::Less)
    } else if float < -BEYOND {
        Some(Ordering::Greater)
    } else {
        // Within the range of integers, so that what the cast cuts off is the fraction alone.
        let fraction = 0.0.partial_cmp(&float.fract());
        Some(int.cmp(&(float as i64)).then(fraction.unwrap_or(Ordering::Equal)))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        ValueRef::from(*self) == ValueRef::from(*other)
    }
}

impl From<Number> for ValueRef<'_> {
    fn from(number: Number) -> Self {
        match number {
            Number::Int(int) => Self::Int(int),
            Number::Float(float) => Self::Float(float),
        }
    }
}

macro_rules! numbers {
    ($($Kind:ident: $($Type:ty)*,)*) => {
        $($(impl From<$Type> for Number {
            fn from(number: $Type) -> Self {
                Self::$Kind(number.into())
            }
        })*)*
    };
}

numbers! {
    Int: i64 i32 i16 i8 u32 u16 u8,
    Float: f64 f32,
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(int) => write!(f, "{int}"),
            Self::Float(float) => write!(f, "{float}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_exactly_whatever_their_kinds() {
        let (int, float) = (Number::Int, Number::Float);
        for (one, two, expected) in [
            (int(1), int(2), Some(Ordering::Less)),
            (float(1.5), float(1.5), Some(Ordering::Equal)),
            (int(1), float(1.5), Some(Ordering::Less)),
            (int(-1), float(-1.5), Some(Ordering::Greater)),
            (int(0), float(-0.0), Some(Ordering::Equal)),
            (int(i64::MAX), float(i64::MAX as f64), Some(Ordering::Less)),
            (int(i64::MIN), float(i64::MIN as f64), Some(Ordering::Equal)),
            (int(9_007_199_254_740_993), float(9_007_199_254_740_992.0), Some(Ordering::Greater)),
            (int(i64::MIN), float(f64::NEG_INFINITY), Some(Ordering::Greater)),
            (int(i64::MAX), float(f64::INFINITY), Some(Ordering::Less)),
            (int(0), float(f64::NAN), None),
            (float(f64::NAN), float(f64::NAN), None),
        ] {
            assert_eq!(one.compare(two), expected, "{one} and {two}");
            assert_eq!(two.compare(one), expected.map(Ordering::reverse), "{two} and {one}");
        }
    }
}
