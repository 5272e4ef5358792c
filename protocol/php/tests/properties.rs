//! What holds for every text, on made-up ones: values with all spellings, and broken ones.

use proptest::collection::vec;
use proptest::prelude::*;
use std::borrow::Cow;
use workyard_php::{Document, Ties, canonical, entries, renumber, scan};

type Text = Vec<u8>;

fn value() -> impl Strategy<Value = Text> {
    scalar().prop_recursive(6, 60, 8, |inner| {
        let entry = (key(), inner).prop_map(|(key, value)| [key, value].concat());
        let entries = vec(entry, 0..8);
        (any::<bool>(), prop::sample::select(CLASSES), entries).prop_map(
            |(array, class, entries)| {
                let count = entries.len();
                let head = match array {
                    true => format!("a:{count}:{{"),
                    false => format!("O:{}:\"{class}\":{count}:{{", class.len()),
                };
                [head.into_bytes(), entries.concat(), b"}".into()].concat()
            },
        )
    })
}

const CLASSES: &[&str] =
    &["A", "App\\User", "stdClass", "STDCLASS", "SplStack", "__PHP_Incomplete_Class"];

const STRINGS: &[&str] =
    &["a", "b", "", "5", "05", "-5", "9223372036854775808", "__PHP_Incomplete_Class_Name"];

fn scalar() -> impl Strategy<Value = Text> {
    prop_oneof![
        2 => prop::sample::select(
            &["N;", "b:0;", "b:1;", "a:0:{}", "C:1:\"A\":2:{xy}", "d:1e3;", "d:-0;", "d:INF;"][..]
        ).prop_map(|text| text.into()),
        2 => integer(),
        2 => any::<f64>().prop_map(|float| format!("d:{float:?};").replace("inf", "INF").into()),
        2 => (-1e6..1e6).prop_map(|float: f64| format!("d:{float};").into()),
        3 => string(),
        2 => (1..20).prop_map(|slot| format!("R:{slot};").into()),
        2 => (1..20).prop_map(|slot| format!("r:{slot};").into()),
    ]
}

fn integer() -> impl Strategy<Value = Text> {
    prop_oneof![
        (-9..9).prop_map(|int| format!("i:{int};").into()),
        any::<i64>().prop_map(|int| format!("i:{int};").into()),
        "[+-]?[0-9]{1,25}".prop_map(|digits| format!("i:{digits};").into()),
    ]
}

fn string() -> impl Strategy<Value = Text> {
    let bytes = prop_oneof![
        prop::sample::select(STRINGS).prop_map(|text| text.as_bytes().to_vec()),
        vec(any::<u8>(), 0..20),
    ];
    (bytes, 0..10).prop_map(|(bytes, spelling)| match spelling {
        0 => [format!("s:0{}:\"", bytes.len()).as_bytes(), &bytes, b"\";"].concat(),
        1 => {
            let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
            format!("S:{}:\"{escaped}\";", bytes.len()).into()
        }
        _ => [format!("s:{}:\"", bytes.len()).as_bytes(), &bytes, b"\";"].concat(),
    })
}

fn key() -> impl Strategy<Value = Text> {
    prop_oneof![2 => (0..6).prop_map(|int| format!("i:{int};").into()), 1 => integer(), 3 => string()]
}

/// A value with a few bytes changed.
fn broken() -> impl Strategy<Value = Text> {
    let change =
        (any::<prop::sample::Index>(), prop::sample::select(b"0123:;{}\"+-.aibdsSOCRr".as_slice()));
    (value(), vec(change, 1..3), any::<bool>()).prop_map(|(mut text, changes, insert)| {
        for (at, byte) in changes {
            let at = at.index(text.len());
            if insert { text.insert(at, byte) } else { text[at] = byte }
        }
        text
    })
}

fn written(text: &[u8], ties: Ties) -> Text {
    let mut out = Vec::new();
    Document::parse(text).expect("it is valid").root().write(ties, &mut out);
    out
}

fn check(text: &[u8]) -> Result<(), TestCaseError> {
    let scan = scan(text);
    let document = Document::parse(text);
    prop_assert_eq!(scan.is_ok(), document.is_ok(), "{:?} {:?}", scan, document.err());
    let mut count = 0;
    let seen = entries(text, |_, scan| {
        count += 1;
        if scan.plain {
            assert_eq!(canonical(scan.text), Ok(Cow::Borrowed(scan.text)));
        }
    });
    prop_assert_eq!(scan.is_ok(), seen.is_ok());
    let Ok(scan) = scan else { return Ok(()) };
    prop_assert_eq!(scan.text, document.expect("as the scan").text());
    prop_assert_eq!(scan.text, seen.expect("as the scan").text);
    let once = canonical(text).expect("as the scan");
    prop_assert_eq!(&*once, written(text, Ties::Stored));
    prop_assert_eq!(&*once, written(text, Ties::Living));
    prop_assert_eq!(&*once, &*canonical(&once).expect("it was written"));
    prop_assert!(!scan.plain || matches!(once, Cow::Borrowed(_)));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 2000 } else { 50_000 }))]

    #[test]
    fn a_value_is_read_the_same_in_every_way(text in value()) {
        check(&text)?;
    }

    #[test]
    fn a_broken_text_is_read_the_same_in_every_way(text in broken()) {
        check(&text)?;
    }

    #[test]
    fn any_bytes_are_read_the_same_in_every_way(text in vec(any::<u8>(), 0..40)) {
        check(&text)?;
    }

    #[test]
    fn what_follows_a_value_changes_nothing(text in value(), more in vec(any::<u8>(), 0..9)) {
        if let Ok(once) = canonical(&text) {
            let longer = [text.as_slice(), &more].concat();
            prop_assert_eq!(once, canonical(&longer).unwrap());
        }
    }

    #[test]
    fn numbers_move_along_with_the_value(text in value(), before in 0_usize..9) {
        if let Ok(once) = canonical(&text) {
            let nulls: String = (0..before).map(|at| format!("i:{at};N;")).collect();
            let mut nested = format!("a:{}:{{{nulls}i:{before};", before + 1).into_bytes();
            renumber(&once, before + 1, &mut nested);
            nested.push(b'}');
            prop_assert_eq!(&*canonical(&nested).unwrap(), nested.as_slice());
        }
    }
}
