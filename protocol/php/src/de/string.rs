//! A string as Rust has it: text if it is UTF-8, else bytes; borrowed unless it had escapes.

use super::DeError;
use serde::de::Visitor;
use serde::de::value::CowStrDeserializer;
use std::borrow::Cow;

/// Shows a visitor text, or bytes that are none.
pub(super) fn visit<'de, V: Visitor<'de>>(
    string: Cow<'de, [u8]>,
    visitor: V,
) -> Result<V::Value, DeError> {
    match string {
        Cow::Borrowed(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => visitor.visit_borrowed_str(text),
            Err(_) => visitor.visit_borrowed_bytes(bytes),
        },
        Cow::Owned(bytes) => match String::from_utf8(bytes) {
            Ok(text) => visitor.visit_string(text),
            Err(error) => visitor.visit_byte_buf(error.into_bytes()),
        },
    }
}

/// Shows a visitor bytes, whatever they are.
pub(super) fn visit_bytes<'de, V: Visitor<'de>>(
    string: Cow<'de, [u8]>,
    visitor: V,
) -> Result<V::Value, DeError> {
    match string {
        Cow::Borrowed(bytes) => visitor.visit_borrowed_bytes(bytes),
        Cow::Owned(bytes) => visitor.visit_byte_buf(bytes),
    }
}

/// Shows the visitor of an enum the variant of this name, which has no data.
pub(super) fn visit_variant<'de, V: Visitor<'de>>(
    name: &[u8],
    visitor: V,
) -> Result<V::Value, DeError> {
    // No variant has a name that is no text, and the error shows what there was.
    visitor.visit_enum(CowStrDeserializer::<DeError>::new(String::from_utf8_lossy(name)))
}
