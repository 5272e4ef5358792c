//! What a scan says of a text: where it ends, whether it is canonical, whether it has references.

use workyard_php::{Entries, ErrorKind, Holder, Key, Scan, entries, scan, scan_at_depth};

fn is_plain(text: &str) -> bool {
    let scan = scan(text.as_bytes()).expect("the text is valid");
    assert_eq!(scan.text.len(), text.len(), "{text}");
    scan.plain
}

#[test]
fn the_usual_is_plain() {
    for text in [
        "N;",
        "b:0;",
        "i:-5;",
        "i:9223372036854775807;",
        "i:-9223372036854775808;",
        "d:0.5;",
        "d:3.141592653589793;",
        "d:1.0E+25;",
        "d:-0;",
        "d:NAN;",
        "s:0:\"\";",
        "s:12:\"123456789012\";",
        "a:0:{}",
        "a:3:{i:0;N;i:1;a:2:{i:-5;N;i:9;N;}i:7;N;}",
        "a:3:{s:2:\"id\";i:1;i:5;N;s:4:\"name\";a:1:{s:2:\"id\";N;}}",
        "a:2:{s:2:\"05\";N;s:19:\"9223372036854775808\";N;}",
        "O:8:\"stdClass\":2:{s:1:\"a\";N;s:1:\"5\";N;}",
        "O:8:\"App\\User\":2:{s:4:\"\0*\0p\";N;s:4:\"\0A\0p\";N;}",
        "O:8:\"SplStack\":3:{i:0;i:6;i:1;a:0:{}i:2;a:0:{}}",
        "O:22:\"__PHP_Incomplete_Class\":0:{}",
    ] {
        assert!(is_plain(text), "{text}");
    }
    let row: String = (0..64).map(|at| format!("s:9:\"column_{at:02}\";N;")).collect();
    assert!(is_plain(&format!("a:64:{{{row}}}")));
}

#[test]
fn what_php_writes_otherwise_is_not_plain() {
    for text in [
        "i:+5;",
        "i:05;",
        "i:-0;",
        "i:9223372036854775808;",
        "d:1.0;",
        "d:1e3;",
        "d:0.30000000000000001;",
        "s:01:\"a\";",
        "S:1:\"a\";",
        "a:00:{}",
        "a:01:{i:0;N;}",
        "a:1:{i:00;N;}",
        "a:1:{s:1:\"5\";N;}",
        "a:1:{S:1:\"a\";N;}",
        "a:2:{i:0;N;i:0;N;}",
        "a:3:{s:1:\"a\";N;s:1:\"b\";N;s:1:\"a\";N;}",
        "O:8:\"STDCLASS\":0:{}",
        "O:1:\"A\":+0:{}",
        "O:1:\"A\":1:{i:5;N;}",
        "O:1:\"A\":1:{s:27:\"__PHP_Incomplete_Class_Name\";s:1:\"B\";}",
        "O:22:\"__PHP_Incomplete_Class\":1:{s:1:\"a\";N;}",
        "O:8:\"SplStack\":1:{s:1:\"0\";N;}",
        "C:1:\"A\":2:{xy}",
        "a:2:{i:0;N;i:1;R:2;}",
    ] {
        assert!(!is_plain(text), "{text}");
        assert!(!is_plain(&format!(
            "a:1:{{i:0;a:2:{{i:0;N;i:1;{}}}}}",
            text.replace("R:2", "R:5")
        )));
    }
}

#[test]
fn references_are_said_and_checked() {
    let text = b"a:2:{i:0;N;i:1;R:2;}";
    let expected = Scan { text, plain: false, references: true };
    assert_eq!(scan(text), Ok(expected));
    assert_eq!(scan_at_depth(b"R:99;", 1).map(|scan| scan.references), Ok(true));
    assert_eq!(scan(b"R:99;").unwrap_err().kind, ErrorKind::NoSuchSlot(99));
    let wrong = entries(b"a:2:{i:0;N;i:1;R:9;}", |_, _| {});
    assert_eq!(wrong.unwrap_err().kind, ErrorKind::NoSuchSlot(9));
    assert!(!scan(br#"s:4:"R:2;";"#).unwrap().references);
}

#[test]
fn levels_above_count() {
    let array = b"a:1:{i:0;a:0:{}}";
    assert!(scan_at_depth(array, 4095).is_ok());
    assert_eq!(scan_at_depth(array, 4096).unwrap_err().kind, ErrorKind::TooDeep);
    assert!(scan_at_depth(b"a:0:{}", 4096).is_ok());
    for object in [r#"O:1:"A":0:{}"#, r#"C:1:"A":0:{}"#] {
        assert!(scan_at_depth(object.as_bytes(), 4095).is_ok());
        let error = scan_at_depth(object.as_bytes(), 4096).unwrap_err();
        assert_eq!(error.kind, ErrorKind::TooDeep);
    }
}

/// What was seen, one entry in a line, and what was said in the end.
fn seen(text: &str) -> (String, Entries<'_>) {
    let mut lines = String::new();
    let entries = entries(text.as_bytes(), |key, scan| {
        let key = match key {
            Key::Int(int) => int.to_string(),
            Key::Bytes(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
        };
        let mark = [(scan.plain, " plain"), (scan.references, " references")];
        let marks: String = mark.into_iter().filter_map(|(on, text)| on.then_some(text)).collect();
        lines += &format!("{key} {}{marks}\n", String::from_utf8_lossy(scan.text));
    });
    (lines, entries.expect("the text is valid"))
}

#[test]
fn entries_of_an_array() {
    let text =
        r#"a:6:{s:4:"type";s:1:"x";s:1:"7";i:05;S:1:"\41";N;i:0;a:1:{i:0;R:2;}i:0;d:2;i:9;b:1;}"#;
    let longer = format!("{text}more");
    let (lines, entries) = seen(&longer);
    let expected = concat!(
        "\"type\" s:1:\"x\"; plain\n",
        "7 i:05;\n",
        "\"A\" N; plain\n",
        "0 a:1:{i:0;R:2;} references\n",
        "0 d:2; plain\n",
        "9 b:1; plain\n",
    );
    assert_eq!(lines, expected);
    let text = text.as_bytes();
    assert_eq!(entries, Entries { holder: Holder::Array, text, references: true });
}

#[test]
fn entries_of_an_object() {
    let (lines, entries) = seen(r#"O:8:"STDCLASS":2:{i:5;N;s:1:"6";N;}"#);
    assert_eq!(lines, "\"5\" N; plain\n\"6\" N; plain\n");
    assert_eq!(entries.holder, Holder::Object(b"stdClass"));
    let (lines, entries) = seen(r#"O:8:"SplStack":2:{i:5;N;s:1:"6";N;}"#);
    assert_eq!(lines, "5 N; plain\n6 N; plain\n");
    assert_eq!(entries.holder, Holder::Object(b"SplStack"));
    let (lines, entries) = seen(r#"C:3:"Foo":2:{xy}"#);
    assert_eq!((lines.as_str(), entries.holder), ("", Holder::Object(b"Foo")));
}

#[test]
fn a_scalar_has_no_entries() {
    for text in ["N;", "b:1;", "i:5;", "d:1;", r#"s:1:"a";"#, r#"S:1:"a";"#] {
        let (lines, entries) = seen(text);
        assert_eq!((lines.as_str(), entries.holder), ("", Holder::Scalar), "{text}");
    }
}
