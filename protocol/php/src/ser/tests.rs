//! What serde's shapes become, as bytes.

use super::{SerError, to_buffer, to_vec};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::collections::BTreeMap;

fn php<T: Serialize + ?Sized>(value: &T) -> String {
    String::from_utf8(to_vec(value).unwrap()).unwrap()
}

#[test]
fn scalars_are_written_as_php_does() {
    assert_eq!(php(&()), "N;");
    assert_eq!(php(&None::<u8>), "N;");
    assert_eq!(php(&Some(5)), "i:5;");
    assert_eq!(php(&true), "b:1;");
    assert_eq!(php(&i64::MIN), "i:-9223372036854775808;");
    assert_eq!(php(&(i64::MAX as u128)), "i:9223372036854775807;");
    assert_eq!(php(&1.0), "d:1;");
    assert_eq!(php(&0.1f32), "d:0.1;");
    assert_eq!(php(&f32::INFINITY), "d:INF;");
    assert_eq!(php("h\u{e9}"), "s:3:\"h\u{e9}\";");
    assert_eq!(php(&'\u{e9}'), "s:2:\"\u{e9}\";");
}

#[test]
fn sequences_and_tuples_are_lists() {
    assert_eq!(php(&Vec::<u8>::new()), "a:0:{}");
    assert_eq!(php(&("x", 1u8, [true])), r#"a:3:{i:0;s:1:"x";i:1;i:1;i:2;a:1:{i:0;b:1;}}"#);
}

#[derive(Serialize)]
struct User {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    age: Option<u8>,
    #[serde(rename = "7")]
    seven: (),
    #[serde(flatten)]
    rest: BTreeMap<&'static str, i64>,
}

#[test]
fn structs_are_arrays_of_the_fields_that_are_there() {
    let mut user = User { name: "tea", age: None, seven: (), rest: BTreeMap::new() };
    assert_eq!(php(&user), r#"a:2:{s:4:"name";s:3:"tea";i:7;N;}"#);
    user.age = Some(3);
    user.rest.insert("name", 5);
    user.rest.insert("z", 6);
    assert_eq!(php(&user), r#"a:4:{s:4:"name";i:5;s:3:"age";i:3;i:7;N;s:1:"z";i:6;}"#);
}

#[derive(Serialize)]
enum Shape {
    Point,
    Circle(f64),
    Line(u8, u8),
    Box { width: u8 },
}

#[test]
fn variants_are_tagged_by_their_name() {
    assert_eq!(php(&Shape::Point), r#"s:5:"Point";"#);
    assert_eq!(php(&Shape::Circle(0.5)), r#"a:1:{s:6:"Circle";d:0.5;}"#);
    assert_eq!(php(&Shape::Line(1, 2)), r#"a:1:{s:4:"Line";a:2:{i:0;i:1;i:1;i:2;}}"#);
    assert_eq!(php(&Shape::Box { width: 3 }), r#"a:1:{s:3:"Box";a:1:{s:5:"width";i:3;}}"#);
}

/// A map of no announced length, with the keys of any kind in any order.
struct Pairs<K>(Vec<(K, i64)>);

impl<K: Serialize> Serialize for Pairs<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Key {
    Text(&'static str),
    Int(i64),
    Wide(u64),
    Bool(bool),
    Char(char),
}

#[test]
fn keys_are_those_of_php() {
    let pairs = Pairs(vec![
        (Key::Text("5"), 1),
        (Key::Int(-3), 2),
        (Key::Text("-3"), 3),
        (Key::Wide(7), 4),
        (Key::Wide(u64::MAX), 5),
        (Key::Bool(true), 6),
        (Key::Char('5'), 7),
        (Key::Text("05"), 8),
    ]);
    assert_eq!(
        php(&pairs),
        r#"a:6:{i:5;i:7;i:-3;i:3;i:7;i:4;s:20:"18446744073709551615";i:5;i:1;i:6;s:2:"05";i:8;}"#
    );
    assert_eq!(php(&Pairs(vec![(Shape::Point, 1)])), r#"a:1:{s:5:"Point";i:1;}"#);
}

#[test]
fn what_php_cannot_hold_is_named() {
    let integer = to_vec(&u64::MAX).unwrap_err();
    assert!(integer.to_string().starts_with("18446744073709551615 does not fit"), "{integer}");
    assert_eq!(to_vec(&Pairs(vec![(1.5, 1)])), Err(SerError::Key("a float")));
    assert_eq!(to_vec(&Pairs(vec![(None::<u8>, 1)])), Err(SerError::Key("null")));
    assert_eq!(to_vec(&Pairs(vec![((1, 2), 1)])), Err(SerError::Key("a sequence")));
    let structured = Shape::Circle(1.0);
    assert_eq!(to_vec(&Pairs(vec![(structured, 1)])), Err(SerError::Key("a variant with data")));
}

#[test]
fn a_failure_leaves_the_buffer_as_it_was() {
    let mut out = b"before".to_vec();
    assert!(to_buffer(&(1, vec![u64::MAX]), &mut out).is_err());
    assert_eq!(out, b"before");
    to_buffer(&[(); 11], &mut out).unwrap();
    assert!(out.starts_with(b"beforea:11:{i:0;N;"));
}
