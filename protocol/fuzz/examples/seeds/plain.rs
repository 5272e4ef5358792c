//! Inputs that are no messages: streams of frames, patterns with names, payloads.

use std::collections::BTreeMap;

use workyard_protocol::container::{put_field, put_item};
use workyard_protocol::{Encoding, FieldName, ValueRef, frame, to_value};

use crate::Seed;

/// The size of the pieces, then the stream.
pub fn streams() -> Vec<Seed> {
    let mut stream = vec![3];
    for body in [b"".as_slice(), b"hello", &[b'x'; 296]] {
        frame::encode(&mut stream, |out| out.extend_from_slice(body));
    }
    let then = |more: &[u8]| [stream.as_slice(), more].concat();
    vec![
        ("whole", stream.clone()),
        ("partial", then(&[0, 0, 0, 9, b'h'])),
        ("too_short", then(&[0, 0, 0, 3])),
        ("too_long", then(&[0, 0, 1, 45])),
    ]
}

/// A pattern, a line end, a name.
pub fn patterns() -> Vec<Seed> {
    [
        ("literal", "orders.1\norders.1"),
        ("any", "orders.*.paid\norders.1.paid"),
        ("rest", "orders.>\norders.1.paid"),
        ("empty_tokens", ".*.\n..."),
        ("partial_wildcard", "news*\nnews*"),
        ("rest_not_last", "a.>.b\na.>.b"),
    ]
    .map(|(name, input)| (name, input.into()))
    .into()
}

/// A value's tag, then its bytes.
pub fn values() -> Vec<Seed> {
    let map = BTreeMap::from([("k", -1)]);
    let structured = vec![(1u8, "a", vec![2u16, 300], Some(true), map, Ok::<_, ()>('k'))];
    let written = |encoding| {
        let value = to_value(&structured, encoding).expect("it fits into all");
        tagged(value.as_ref())
    };
    let item = to_value(&structured[0], Encoding::Json).expect("it fits");
    let (mut list, mut map_of_items) = (Vec::new(), Vec::new());
    put_item(item.as_ref(), &mut list);
    put_item(item.as_ref(), &mut list);
    let field = FieldName::new("k").expect("a short name");
    put_field(field, ValueRef::Int(-1), &mut map_of_items);
    vec![
        ("int", tagged(ValueRef::Int(7))),
        ("float", tagged(ValueRef::Float(0.5))),
        ("text", tagged(ValueRef::raw("text"))),
        ("json", written(Encoding::Json)),
        ("bincode", written(Encoding::Bincode)),
        ("php", written(Encoding::Php)),
        ("list", container(Encoding::List, &list)),
        ("map", container(Encoding::Map, &map_of_items)),
    ]
}

fn container(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
    tagged(ValueRef::Encoded { encoding, bytes })
}

fn tagged(value: ValueRef<'_>) -> Vec<u8> {
    let bytes = match value {
        ValueRef::Int(int) => int.to_be_bytes().to_vec(),
        ValueRef::Float(float) => float.to_be_bytes().to_vec(),
        ValueRef::Encoded { bytes, .. } => bytes.to_vec(),
    };
    [vec![value.tag().code()], bytes].concat()
}
