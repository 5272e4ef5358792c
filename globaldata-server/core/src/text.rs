//! How refusals name keys and values: readable and short, whatever they hold.

use workyard_protocol::{Key, ValueRef};

/// Longest part of a key or name that a text shows, in characters.
const NAME_CHARS_MAX: usize = 64;

/// A key in quotes, with `…` where it was cut.
pub(crate) fn shown(key: Key<'_>) -> String {
    shown_name(key.as_bytes())
}

/// The same of any name.
pub(crate) fn shown_name(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    match text.char_indices().nth(NAME_CHARS_MAX) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}

/// A value's kind and size.
pub(crate) fn shown_value(value: ValueRef<'_>) -> String {
    format!("{} of {} bytes", value.tag().name(), value.byte_len())
}
