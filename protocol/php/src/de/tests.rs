//! What PHP's shapes become, what is refused, and that what was written is read again.

use super::{DeError, from_slice};
use crate::to_vec;
use proptest::prelude::*;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

#[track_caller]
fn reads<T: DeserializeOwned + PartialEq + Debug>(text: &str, value: T) {
    assert_eq!(from_slice::<T>(text.as_bytes()), Ok(value), "{text}");
}

#[track_caller]
fn refuses<T: DeserializeOwned + Debug>(text: &str, message: &str) {
    let error = from_slice::<T>(text.as_bytes()).expect_err(text).to_string();
    assert!(error.contains(message), "{text}: {error}");
}

#[test]
fn scalars_are_read() {
    reads("N;", ());
    reads("N;", None::<u8>);
    reads("i:5;", Some(5u8));
    reads("b:1;", true);
    reads("i:-7;", -7i64);
    reads("i:7;", 7u128);
    reads("i:7;", 7.0f64);
    reads("d:0.1;", 0.1f32);
    reads("d:INF;", f64::INFINITY);
    reads("s:3:\"h\u{e9}\";", "h\u{e9}".to_owned());
    reads("s:2:\"\u{e9}\";", '\u{e9}');
    reads(r#"S:2:"\41b";"#, "Ab".to_owned());
    assert_eq!(from_slice::<&str>(br#"s:3:"abc";"#), Ok("abc"));
    assert_eq!(from_slice::<&[u8]>(b"s:1:\"\xff\";"), Ok(&b"\xff"[..]));
}

#[test]
fn other_scalars_are_not_coerced() {
    refuses::<i64>(r#"s:1:"5";"#, r#"at byte 8: invalid type: string "5", expected i64"#);
    refuses::<String>("i:5;", "invalid type: integer `5`, expected a string");
    refuses::<bool>("i:1;", "expected a boolean");
    refuses::<i64>("d:5;", "expected i64");
    refuses::<u8>("i:256;", "expected u8");
    refuses::<u64>("i:-1;", "expected u64");
    refuses::<i64>("N;", "expected i64");
    refuses::<String>("S:1:\"\\ff\";", "expected a string");
}

#[test]
fn lists_are_sequences() {
    reads("a:0:{}", Vec::<u8>::new());
    reads("a:2:{i:0;i:7;i:1;i:8;}", vec![7u8, 8]);
    reads("a:2:{i:0;i:7;i:1;s:1:\"x\";}", (7u8, "x".to_owned()));
    reads("a:2:{s:1:\"0\";i:7;i:1;i:8;}", [7u8, 8]);
    refuses::<Vec<u8>>("a:2:{i:0;i:7;i:2;i:8;}", "at byte 13: key 2 where 1 was due");
    refuses::<Vec<u8>>(r#"a:1:{s:1:"a";i:7;}"#, r#"key "a" where 0 was due"#);
    refuses::<(u8,)>("a:2:{i:0;i:7;i:1;i:8;}", "the type is complete, but 1 entries are left");
    refuses::<(u8, u8)>("a:1:{i:0;i:7;}", "invalid length 1");
    refuses::<Vec<u8>>("N;", "expected a sequence");
}

#[test]
fn keys_of_maps_are_what_the_type_asks_for() {
    let text = r#"a:2:{i:5;i:1;s:2:"05";i:2;}"#;
    let strings = [("5".to_owned(), 1), ("05".to_owned(), 2)];
    reads(text, BTreeMap::from(strings));
    refuses::<BTreeMap<i64, i64>>(text, r#"invalid type: string "05", expected i64"#);
    reads("a:2:{i:-5;i:1;i:7;i:2;}", BTreeMap::from([(-5i8, 1), (7, 2)]));
    reads(r#"a:1:{s:20:"18446744073709551615";N;}"#, BTreeMap::from([(u64::MAX, ())]));
    reads("a:2:{i:0;N;i:1;N;}", BTreeMap::from([(false, ()), (true, ())]));
    reads("a:1:{i:5;N;}", BTreeMap::from([('5', ())]));
    reads("a:0:{}", BTreeMap::<String, ()>::new());
    reads("a:2:{i:0;i:7;i:1;i:8;}", BTreeMap::from([(0, 7), (1, 8)]));
    refuses::<BTreeMap<String, u8>>("a:1:{s:1:\"\u{e9}\";i:1;}", "expected `\"`");
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct User {
    id: u32,
    #[serde(default)]
    roles: Vec<String>,
}

#[test]
fn arrays_and_objects_are_structs() {
    let user = || User { id: 7, roles: vec!["admin".into()] };
    reads(r#"a:2:{s:2:"id";i:7;s:5:"roles";a:1:{i:0;s:5:"admin";}}"#, user());
    reads(
        "O:8:\"App\\User\":3:{s:5:\"\0*\0id\";i:7;s:15:\"\0App\\User\0roles\";\
         a:1:{i:0;s:5:\"admin\";}s:4:\"more\";O:1:\"X\":1:{s:1:\"x\";r:1;}}",
        user(),
    );
    reads(r#"O:8:"stdClass":1:{s:2:"id";i:7;}"#, User { id: 7, ..User::default() });
    reads("a:0:{}", HashMap::<String, User>::new());
    refuses::<User>("a:0:{}", "missing field `id`");
    refuses::<User>("i:5;", "expected struct User");
    // Only properties have marks of who may see them.
    refuses::<User>("a:1:{s:5:\"\0*\0id\";i:7;}", "missing field `id`");
    reads("O:1:\"A\":1:{s:2:\"\0a\";i:1;}", BTreeMap::from([("\0a".to_owned(), 1)]));
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Shape {
    Point,
    Circle(u8),
    Line(u8, u8),
    Box { width: u8 },
}

#[test]
fn variants_are_read_by_their_name() {
    for shape in [Shape::Point, Shape::Circle(1), Shape::Line(2, 3), Shape::Box { width: 4 }] {
        let text = to_vec(&shape).unwrap();
        assert_eq!(from_slice(&text), Ok(shape));
    }
    reads(r#"a:1:{s:5:"Point";N;}"#, Shape::Point);
    reads(r#"a:1:{s:5:"Point";i:1;}"#, BTreeMap::from([(Shape::Point, 1)]));
    refuses::<Shape>(r#"s:6:"Circle";"#, "expected newtype variant");
    refuses::<Shape>(r#"s:4:"Ring";"#, "unknown variant `Ring`, expected one of `Point`");
    refuses::<Shape>("a:0:{}", "name => data");
    refuses::<Shape>(r#"a:2:{s:6:"Circle";i:1;s:1:"x";N;}"#, "name => data");
    refuses::<Shape>("E:11:\"Shape:Point\";", "no value begins with");
}

#[test]
fn values_without_a_type_have_their_own_shape() {
    let text = r#"a:3:{s:1:"a";a:2:{i:0;a:0:{}i:1;d:1.5;}i:1;a:2:{i:1;N;i:0;b:1;}i:2;O:1:"X":1:{i:0;i:7;}}"#;
    let value = json!({"a": [[], 1.5], "1": {"1": null, "0": true}, "2": {"0": 7}});
    reads(text, value.clone());
    // A typed part before and after it must not lose count of the lists.
    let text = format!("a:3:{{i:0;a:1:{{i:5;a:0:{{}}}}i:1;{text}i:2;a:1:{{i:0;i:1;}}}}");
    reads(&text, (BTreeMap::from([(5, [(); 0])]), value.clone(), vec![1]));
    reads::<Value>(&text, json!([{"5": []}, value, [1]]));
    assert!(from_slice::<IgnoredAny>(text.as_bytes()).is_ok());
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Event {
    Joined { user: User },
    Left { user: u32, reasons: Vec<BTreeMap<String, i64>> },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Envelope {
    #[serde(flatten)]
    event: Event,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[test]
fn tagged_and_flattened_types_come_back() {
    let joined = Event::Joined { user: User { id: 1, roles: vec![] } };
    let reasons = vec![BTreeMap::from([("5".to_owned(), 1)])];
    for event in [joined, Event::Left { user: 7, reasons }] {
        let rest = BTreeMap::from([("7".to_owned(), json!([1, {"x": null}]))]);
        let envelope = Envelope { event, rest };
        let mut text = to_vec(&envelope).unwrap();
        let read: Envelope = from_slice(&text).unwrap();
        assert_eq!(read.event, envelope.event);
        assert_eq!(read.rest["7"], envelope.rest["7"]);
        text.pop();
        assert!(from_slice::<Envelope>(&text).is_err());
    }
}

#[test]
fn what_is_not_one_whole_value_is_refused() {
    refuses::<i64>("i:5;i:6;", "at byte 4: the value ends here, and 4 bytes follow it");
    refuses::<i64>("", "the text ends inside a value");
    refuses::<Vec<u8>>("a:2:{i:0;i:1;}", "a key begins with");
    refuses::<Vec<u8>>("a:99999999999:{", "the text ends inside a value");
    refuses::<Vec<u64>>("a:18446744073709551615:{i:0;i:1;", "the text ends inside a value");
    refuses::<IgnoredAny>("a:1:{i:0;i:1;", "the text ends inside a value");
    refuses::<Value>("a:99999999999:{i:0;i:1;}", "a key begins with");
    refuses::<IgnoredAny>("i:5", "the text ends");
    refuses::<User>("C:1:\"X\":3:{abc}", "old form C:");
}

#[test]
fn what_references_share_is_read_for_each() {
    reads("a:3:{i:0;a:1:{i:0;i:7;}i:1;R:2;i:2;R:3;}", json!([[7], [7], 7]));
    reads("a:3:{i:0;N;i:1;R:2;i:2;i:5;}", vec![None, None, Some(5)]);
    let user = || User { id: 7, roles: vec!["x".into()] };
    let object = r#"O:4:"User":2:{s:2:"id";i:7;s:5:"roles";a:1:{i:0;s:1:"x";}}"#;
    let text = format!("a:4:{{i:0;{object}i:1;r:2;i:2;r:6;i:3;r:7;}}");
    reads(&text, vec![user(), user(), user(), user()]);
    reads(&text, BTreeMap::from([(0, user()), (1, user()), (2, user()), (3, user())]));
    // Lists before, in and after what is shared are still told from maps.
    let text = "a:4:{i:0;a:1:{i:5;i:1;}i:1;a:2:{i:0;R:2;i:1;a:0:{}}i:2;R:4;i:3;a:1:{i:0;R:5;}}";
    reads(text, json!([{"5": 1}, [{"5": 1}, []], [{"5": 1}, []], [[]]]));
    reads(
        "a:2:{i:0;s:5:\"Point\";i:1;a:1:{s:6:\"Circle\";R:2;}}",
        json!(["Point", {"Circle": "Point"}]),
    );
    reads(
        "a:2:{s:1:\"x\";i:7;s:6:\"Circle\";R:2;}",
        BTreeMap::from([("x".to_owned(), 7), ("Circle".to_owned(), 7)]),
    );
}

#[test]
fn references_that_lead_nowhere_or_too_far_are_refused() {
    for slot in [0, 3, 4, 99] {
        refuses::<Value>(&format!("a:2:{{i:0;i:7;i:1;R:{slot};}}"), "not an earlier value's");
    }
    refuses::<Value>("R:1;", "not an earlier value's");
    refuses::<Value>("a:2:{i:0;r:3;i:1;i:7;}", "not an earlier value's");
    refuses::<Value>(r#"O:1:"A":1:{s:1:"a";r:1;}"#, "at byte 19: a reference to a value around it");
    refuses::<Nest>("a:1:{i:0;R:1;}", "around it");
    // Each list holds the one before it ten times.
    let mut bomb = "a:30:{i:0;a:0:{}".to_owned();
    for level in 1..30 {
        let copies: String = (0..10).map(|key| format!("i:{key};R:{};", level + 1)).collect();
        bomb += &format!("i:{level};a:10:{{{copies}}}");
    }
    bomb += "}";
    refuses::<Nest>(&bomb, "references repeat more than 4194304 bytes");
    assert!(from_slice::<IgnoredAny>(bomb.as_bytes()).is_ok());
}

/// A list in a list in a list, and so on.
#[derive(Debug, PartialEq, Deserialize)]
struct Nest(Vec<Nest>);

#[test]
fn a_type_of_any_depth_stops_in_time() {
    let nested = |levels: usize| "a:1:{i:0;".repeat(levels) + "a:0:{}" + &"}".repeat(levels);
    assert!(from_slice::<Nest>(nested(127).as_bytes()).is_ok());
    assert!(from_slice::<Value>(nested(127).as_bytes()).is_ok());
    refuses::<Nest>(&nested(128), "more than 128 arrays");
    refuses::<Value>(&nested(128), "more than 128 arrays");
    refuses::<Nest>(&"a:1:{i:0;".repeat(1_000_000), "more than 128 arrays");
    refuses::<Value>(&"a:1:{i:0;".repeat(1_000_000), "more than 4096 arrays");
    assert!(from_slice::<IgnoredAny>(nested(4000).as_bytes()).is_ok());
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Text(String),
    Both(i64, Option<bool>),
    Node { left: Box<Tree>, names: BTreeMap<String, u64>, rest: Vec<Tree> },
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Leaf),
        any::<String>().prop_map(Tree::Text),
        any::<(i64, Option<bool>)>().prop_map(|(int, flag)| Tree::Both(int, flag)),
    ];
    leaf.prop_recursive(5, 64, 12, |inner| {
        let names =
            prop::collection::btree_map("[a-c]{0,2}|-?[0-9]{0,3}", 0..=i64::MAX as u64, 0..20);
        (inner.clone(), names, prop::collection::vec(inner, 0..12))
            .prop_map(|(left, names, rest)| Tree::Node { left: Box::new(left), names, rest })
    })
}

type Scalars = (bool, u8, i64, f32, f64, char, String, Option<u16>, ());
type Maps = (BTreeMap<i32, Vec<u8>>, HashMap<String, f64>, BTreeMap<char, bool>, Vec<Option<i8>>);

proptest! {
    #[test]
    fn what_was_written_is_read_again(scalars: Scalars, maps: Maps, tree in tree()) {
        let value = (scalars, maps, tree);
        let text = to_vec(&value).unwrap();
        prop_assert_eq!(from_slice(&text), Ok(value));
        prop_assert_eq!(&*crate::canonical(&text).unwrap(), &text[..], "it is what PHP writes");
    }

    #[test]
    fn untyped_values_are_the_same_again(tree in tree()) {
        let value = serde_json::to_value(&tree).unwrap();
        let text = to_vec(&value).unwrap();
        let read: Value = from_slice(&text).unwrap();
        prop_assert_eq!(to_vec(&read).unwrap(), text);
    }

    #[test]
    fn no_text_reads_wrongly(text in "[aOisN]:?[0-9]{0,2}[:;{}\"0-9ab;:]{0,30}") {
        let value: Result<Value, DeError> = from_slice(text.as_bytes());
        if let Ok(value) = value {
            let written = to_vec(&value).unwrap();
            prop_assert_eq!(from_slice::<Value>(&written), Ok(value));
        }
    }
}
