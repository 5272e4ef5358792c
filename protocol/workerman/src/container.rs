//! Lists, sets and maps as PHP sees them: arrays.

use crate::json;
use workyard_php::{Key, scan_at_depth, text};
use workyard_protocol::container::{ContainerError, Item, Items};
use workyard_protocol::{Encoding, ValueRef};

/// How deep items stand: in the array, which may stand in a message.
const ITEM_DEPTH: usize = 2;

/// Appends the array of a list, set or map; nothing, and `false`, when the bytes are none.
pub(crate) fn put(kind: Encoding, bytes: &[u8], out: &mut Vec<u8>) -> bool {
    let items: Result<Vec<Item<'_>>, ContainerError> = Items::new(kind, bytes).collect();
    let Ok(items) = items else { return false };
    text::array(out, items.len());
    for (place, item) in items.iter().enumerate() {
        match kind {
            Encoding::Map => put_key(item.field.as_bytes(), out),
            _ => text::int(out, place as i64),
        }
        put_item(item.value, out);
    }
    text::close(out);
    true
}

fn put_key(name: &[u8], out: &mut Vec<u8>) {
    match Key::of_array(name) {
        Key::Int(int) => text::int(out, int),
        Key::Bytes(bytes) => text::string(out, bytes),
    }
}

fn put_item(value: ValueRef<'_>, out: &mut Vec<u8>) {
    match value {
        ValueRef::Int(int) => text::int(out, int),
        ValueRef::Float(float) => text::float(out, float),
        ValueRef::Encoded { encoding: Encoding::Json, bytes } => {
            if !json::php_of_json(bytes, out) {
                text::string(out, bytes);
            }
        }
        ValueRef::Encoded { encoding: Encoding::Php, bytes } => {
            match scan_at_depth(bytes, ITEM_DEPTH) {
                // What a reference means depends on all that stands before it.
                Ok(found) if found.text.len() == bytes.len() && !found.references => {
                    out.extend_from_slice(bytes);
                }
                _ => text::string(out, bytes),
            }
        }
        ValueRef::Encoded { bytes, .. } => text::string(out, bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;
    use workyard_protocol::FieldName;
    use workyard_protocol::container::{put_field, put_item};

    fn php(text: &str) -> ValueRef<'_> {
        ValueRef::Encoded { encoding: Encoding::Php, bytes: text.as_bytes() }
    }

    fn shown(encoding: Encoding, bytes: &[u8]) -> String {
        let mut out = Vec::new();
        value::put(ValueRef::Encoded { encoding, bytes }, 0, &mut out);
        let canonical = value::canonical(ValueRef::Encoded { encoding, bytes });
        assert_eq!(canonical, out, "cas compares what is seen");
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_list_is_a_list_of_what_each_item_is_alone() {
        let json = ValueRef::Encoded { encoding: Encoding::Json, bytes: b"{\"a\":[1]}" };
        let mut bytes = Vec::new();
        for item in [ValueRef::raw("x"), ValueRef::Int(5), ValueRef::Float(0.5), json, php("b:1;")]
        {
            put_item(item, &mut bytes);
        }
        assert_eq!(
            shown(Encoding::List, &bytes),
            "a:5:{i:0;s:1:\"x\";i:1;i:5;i:2;d:0.5;i:3;a:1:{s:1:\"a\";a:1:{i:0;i:1;}}i:4;b:1;}"
        );
        assert_eq!(shown(Encoding::Set, &[]), "a:0:{}");
    }

    #[test]
    fn a_map_has_the_keys_that_php_makes_of_its_fields() {
        let mut bytes = Vec::new();
        for name in ["", "05", "5", "a"] {
            put_field(FieldName::new(name).unwrap(), ValueRef::Int(1), &mut bytes);
        }
        assert_eq!(
            shown(Encoding::Map, &bytes),
            "a:4:{s:0:\"\";i:1;s:2:\"05\";i:1;i:5;i:1;s:1:\"a\";i:1;}"
        );
    }

    #[test]
    fn an_item_that_php_cannot_read_there_is_a_string() {
        for (item, expected) in [
            (php("O:1:\"A\":1:{s:1:\"s\";r:1;}"), "s:24:\"O:1:\"A\":1:{s:1:\"s\";r:1;}\";"),
            (php("i:1;i:2;"), "s:8:\"i:1;i:2;\";"),
            (php("a:1:{"), "s:5:\"a:1:{\";"),
        ] {
            let mut bytes = Vec::new();
            put_item(item, &mut bytes);
            assert_eq!(shown(Encoding::List, &bytes), format!("a:1:{{i:0;{expected}}}"));
        }
    }

    #[test]
    fn bytes_that_are_no_list_are_a_string() {
        assert_eq!(shown(Encoding::List, b"xy"), "s:2:\"xy\";");
    }
}
