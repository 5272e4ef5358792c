//! Looking at the values of a document, and writing them as values of their own.

use std::borrow::Cow;
use workyard_php::{Document, ErrorKind, Key, Scalar, Ties, canonical, renumber};

fn written(text: &str, key: Key<'_>, ties: Ties) -> String {
    let document = Document::parse(text.as_bytes()).expect("the text is valid");
    let mut out = Vec::new();
    document.root().entry(key).expect("it is there").write(ties, &mut out);
    String::from_utf8(out).expect("the text is UTF-8")
}

#[test]
fn scalars_show_their_values() {
    for (text, scalar) in [
        ("N;", Scalar::Null),
        ("b:1;", Scalar::Bool(true)),
        ("i:+007;", Scalar::Int(7)),
        ("i:99999999999999999999;", Scalar::Int(i64::MAX)),
        ("d:1e3;", Scalar::Float(1000.0)),
        ("s:2:\"a\"\";", Scalar::String(b"a\"")),
        ("S:2:\"\\41b\";", Scalar::String(b"Ab")),
    ] {
        let document = Document::parse(text.as_bytes()).unwrap();
        let root = document.root();
        assert_eq!(root.scalar(), Some(scalar), "{text}");
        assert_eq!((root.is_array(), root.class(), root.len()), (false, None, 0), "{text}");
        assert!(root.entry(Key::Int(0)).is_none(), "{text}");
    }
}

#[test]
fn arrays_show_their_entries() {
    let text = br#"a:5:{s:1:"5";i:1;s:2:"05";N;i:5;i:2;S:1:"\62";b:1;i:-7;a:0:{}}ignored"#;
    let document = Document::parse(text).unwrap();
    assert_eq!(document.text(), &text[..text.len() - 7]);
    let root = document.root();
    assert!(root.is_array() && root.class().is_none() && root.scalar().is_none());
    let entries: Vec<_> = root.entries().map(|(key, node)| (key, node.scalar())).collect();
    let expected = [
        (Key::Int(5), Some(Scalar::Int(2))),
        (Key::Bytes(b"05"), Some(Scalar::Null)),
        (Key::Bytes(b"b"), Some(Scalar::Bool(true))),
        (Key::Int(-7), None),
    ];
    assert_eq!(entries, expected);
    assert_eq!(root.len(), 4);
    assert!(root.entry(Key::Int(-7)).unwrap().is_empty());
    assert!(root.entry(Key::Bytes(b"5")).is_none());
}

#[test]
fn objects_show_their_class_and_properties() {
    let text = br#"O:8:"STDCLASS":2:{i:-07;i:1;s:2:"-7";i:2;}"#;
    let document = Document::parse(text).unwrap();
    let root = document.root();
    assert_eq!((root.class(), root.is_array()), (Some(b"stdClass".as_slice()), false));
    let entries: Vec<_> = root.entries().map(|(key, node)| (key, node.scalar())).collect();
    assert_eq!(entries, [(Key::Bytes(b"-7"), Some(Scalar::Int(2)))]);
}

#[test]
fn a_property_that_names_the_object_is_none_of_its_properties() {
    let text = br#"O:3:"Foo":2:{s:27:"__PHP_Incomplete_Class_Name";s:3:"Bar";s:1:"a";i:1;}"#;
    let document = Document::parse(text).unwrap();
    let root = document.root();
    assert_eq!(root.class(), Some(b"Bar".as_slice()));
    assert_eq!((root.len(), root.entries().count()), (1, 1));
    assert!(root.entry(Key::Bytes(b"__PHP_Incomplete_Class_Name")).is_none());
}

/// PHP would write the last three as they are, and could not read them again.
#[test]
fn a_name_that_is_none_makes_an_object_nameless() {
    for name in ["i:5;", "a:0:{}", "s:3:\"a b\";", "s:8:\"STDCLASS\";", "s:8:\"SplStack\";"] {
        let text = format!("O:3:\"Foo\":1:{{s:27:\"__PHP_Incomplete_Class_Name\";{name}}}");
        let expected = Ok(Cow::Borrowed(b"O:22:\"__PHP_Incomplete_Class\":0:{}".as_slice()));
        assert_eq!(canonical(text.as_bytes()), expected, "{name}");
    }
}

#[test]
fn places_that_are_one_variable_show_one_value() {
    let document = Document::parse(b"a:3:{i:0;i:7;i:1;R:2;i:0;i:8;}").unwrap();
    let values: Vec<_> = document.root().entries().map(|(_, node)| node.scalar()).collect();
    assert_eq!(values, [Some(Scalar::Int(8)), Some(Scalar::Int(7))]);
}

#[test]
fn a_variable_counts_as_shared_while_the_other_place_lives() {
    let text = r#"a:2:{i:0;O:1:"A":1:{s:1:"s";R:2;}i:1;N;}"#;
    let key = Key::Int(0);
    assert_eq!(written(text, key, Ties::Living), r#"O:1:"A":1:{s:1:"s";R:1;}"#);
    assert_eq!(written(text, key, Ties::Stored), r#"O:1:"A":1:{s:1:"s";r:1;}"#);
}

#[test]
fn what_a_value_shares_with_its_surroundings_becomes_a_copy() {
    let text = r#"a:3:{i:0;i:7;i:1;O:1:"A":0:{}i:2;a:3:{i:0;R:2;i:1;r:3;i:2;r:3;}}"#;
    for ties in [Ties::Living, Ties::Stored] {
        let value = written(text, Key::Int(2), ties);
        assert_eq!(value, r#"a:3:{i:0;i:7;i:1;O:1:"A":0:{}i:2;r:3;}"#);
    }
}

/// The first place of the object is none of the variable's, yet gives it its number.
#[test]
fn a_variable_that_holds_an_object_goes_by_the_object() {
    let text = br#"a:3:{i:0;O:1:"A":0:{}i:1;r:2;i:2;R:3;}"#;
    let expected = br#"a:3:{i:0;O:1:"A":0:{}i:1;R:2;i:2;R:2;}"#.as_slice();
    assert_eq!(canonical(text), Ok(Cow::Borrowed(expected)));
}

#[test]
fn a_number_means_the_place_that_a_key_names_the_second_time_too() {
    for (text, expected) in [
        (r#"a:3:{s:1:"a";i:1;s:1:"a";i:2;s:1:"b";R:2;}"#, r#"a:2:{s:1:"a";i:2;s:1:"b";R:2;}"#),
        (r#"a:3:{i:0;a:1:{i:0;i:7;}i:0;R:3;i:1;R:3;}"#, "a:2:{i:0;i:7;i:1;R:2;}"),
        (r#"a:2:{i:0;a:1:{i:0;i:7;}i:0;R:3;}"#, "a:1:{i:0;i:7;}"),
    ] {
        let expected = Ok(Cow::Borrowed(expected.as_bytes()));
        assert_eq!(canonical(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn numbers_are_raised() {
    for (text, expected) in [
        ("i:5;", "i:5;"),
        (r#"s:4:"r:1;";"#, r#"s:4:"r:1;";"#),
        (r#"a:2:{s:4:"R:2;";s:1:"x";i:9;R:2;}"#, r#"a:2:{s:4:"R:2;";s:1:"x";i:9;R:5;}"#),
        (r#"O:1:"A":2:{s:1:"r";r:1;s:1:"R";R:99;}"#, r#"O:1:"A":2:{s:1:"r";r:4;s:1:"R";R:102;}"#),
        ("not serialized r:1;", "not serialized r:1;"),
    ] {
        let mut out = b"before ".to_vec();
        renumber(text.as_bytes(), 3, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), format!("before {expected}"));
    }
}

#[test]
fn a_canonical_text_is_not_copied() {
    let text = br#"a:2:{i:0;s:1:"x";s:1:"k";d:0.5;}and more"#;
    assert!(matches!(canonical(text), Ok(Cow::Borrowed(same)) if same == &text[..32]));
}

#[test]
fn errors_say_what_and_where() {
    for (text, at, kind) in [
        ("", 0, ErrorKind::Truncated),
        ("N", 1, ErrorKind::Truncated),
        ("N:", 1, ErrorKind::Expected("`;`")),
        ("b:", 2, ErrorKind::Truncated),
        ("b:5;", 2, ErrorKind::Expected("0 or 1")),
        ("b:1:", 3, ErrorKind::Expected("`;`")),
        ("i5;", 1, ErrorKind::Expected("`:`")),
        ("i:;", 2, ErrorKind::Expected("a digit")),
        ("i:-x;", 3, ErrorKind::Expected("a digit")),
        ("i:5.0;", 3, ErrorKind::Expected("`;` or a digit")),
        ("d:x;", 2, ErrorKind::Expected("a decimal number, `INF`, `-INF` or `NAN`")),
        ("s:2:\"abc\";", 7, ErrorKind::Expected("`\"`, as the string is as long as announced")),
        ("s:2:\"ab\":", 8, ErrorKind::Expected("`;`")),
        ("s:9:\"abc\";", 10, ErrorKind::Truncated),
        ("S:1:\"\\4x\";", 7, ErrorKind::Expected("two hexadecimal digits")),
        (
            "a:1:{i:0;i:1;i:1;i:2;}",
            13,
            ErrorKind::Expected("`}`, as all announced entries are there"),
        ),
        ("a:2:{i:0;i:1;}", 13, ErrorKind::KeyType(b'}')),
        ("a:1:{b:0;i:1;}", 5, ErrorKind::KeyType(b'b')),
        ("a:1:{i:0;E:6:\"Suit:H\";}", 9, ErrorKind::UnknownType(b'E')),
        ("o:3:\"Foo\":0:{}", 0, ErrorKind::UnknownType(b'o')),
        ("O:3:\"a b\":0:{}", 5, ErrorKind::ClassName),
        ("O:1:\"A\":-1:{}", 8, ErrorKind::Expected("no negative number")),
        ("C:8:\"SplStack\":0:{}", 2, ErrorKind::CustomBuiltIn),
        ("R:1;", 0, ErrorKind::NoSuchSlot(1)),
        ("a:1:{i:0;R:2;}", 9, ErrorKind::NoSuchSlot(2)),
        ("a:1:{i:0;r:0;}", 9, ErrorKind::NoSuchSlot(0)),
        ("a:1:{i:0;r:1;}", 9, ErrorKind::NotAnObject(1)),
        ("a:2:{i:0;i:1;i:0;R:2;}", 17, ErrorKind::OwnSlot),
        ("a:1:{i:0;R:1;}", 9, ErrorKind::ContainsItself),
    ] {
        let error = Document::parse(text.as_bytes()).unwrap_err();
        assert_eq!((error.at, error.kind), (at, kind), "{text}");
        assert!(error.to_string().starts_with(&format!("at byte {at}: ")), "{error}");
    }
}
