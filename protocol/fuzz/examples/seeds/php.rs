//! Texts of PHP's serialize format: each kind of value, and what is rarely spelled.

use crate::Seed;

/// Values, requests and references.
pub fn texts() -> Vec<Seed> {
    [
        ("scalars", r#"a:5:{i:0;N;i:1;b:1;i:2;i:-7;i:3;d:0.5;i:4;s:2:"hi";}"#),
        ("spellings", r#"a:4:{i:007;i:+5;s:1:"5";d:1.e5;S:1:"\41";d:-0;i:-01;s:01:"x";}"#),
        ("floats", "a:3:{i:0;d:0.30000000000000004;i:1;d:1.0E-7;i:2;d:-INF;}"),
        ("object", "O:3:\"Foo\":2:{s:4:\"\0*\0p\";i:1;i:5;O:8:\"STDCLASS\":0:{}}"),
        ("renamed", r#"O:3:"Foo":1:{s:27:"__PHP_Incomplete_Class_Name";s:3:"Bar";}"#),
        ("list_class", r#"O:8:"SplStack":3:{i:0;i:6;i:1;a:1:{i:0;N;}i:2;a:0:{}}"#),
        ("custom", r#"C:3:"Foo":3:{abc}"#),
        ("duplicates", r#"a:4:{s:1:"a";i:1;s:1:"a";i:2;s:1:"5";N;i:5;R:3;}"#),
        ("same_object", r#"a:3:{i:0;O:1:"A":1:{s:1:"s";r:2;}i:1;r:2;i:2;R:2;}"#),
        ("same_place", "a:4:{i:0;i:1;i:1;a:1:{i:0;R:2;}i:2;R:3;i:3;R:4;}"),
        ("circle", r#"a:1:{i:0;O:1:"A":1:{i:0;a:1:{i:0;R:2;}}}"#),
        ("many_keys", r#"a:10:{i:9;N;i:8;N;i:7;N;i:6;N;i:5;N;i:4;N;i:3;N;i:2;N;i:1;N;i:9;N;}"#),
        (
            "publish",
            r#"a:3:{s:4:"type";s:7:"publish";s:8:"channels";a:1:{i:0;s:2:"c1";}s:4:"data";s:2:"hi";}"#,
        ),
        ("set", r#"a:3:{s:3:"cmd";s:3:"set";s:3:"key";s:1:"k";s:5:"value";a:1:{i:0;i:1;}}"#),
    ]
    .map(|(name, text)| (name, text.into()))
    .into()
}

/// Requests of Workerman's clients.
pub fn requests() -> Vec<Seed> {
    [
        ("reserve", r#"a:1:{s:4:"type";s:7:"reserve";}"#),
        ("subscribe", r#"a:2:{s:4:"type";s:9:"subscribe";s:8:"channels";a:2:{i:0;i:7;i:1;d:1.5;}}"#),
        (
            "publish",
            r#"a:3:{s:4:"type";s:7:"publish";s:8:"channels";a:1:{i:0;s:2:"c1";}s:4:"data";s:2:"hi";}"#,
        ),
        (
            "tied",
            r#"a:3:{s:4:"type";s:7:"enqueue";s:8:"channels";a:1:{i:0;b:1;}s:4:"data";a:2:{i:0;O:1:"A":0:{}i:1;r:6;}}"#,
        ),
        ("get", r#"a:2:{s:3:"cmd";s:3:"get";s:3:"key";s:1:"k";}"#),
        ("set", r#"a:3:{s:3:"cmd";s:3:"set";s:3:"key";s:1:"k";s:5:"value";a:1:{i:0;i:1;}}"#),
        ("increment", r#"a:3:{s:3:"cmd";s:9:"increment";s:3:"key";i:5;s:4:"step";s:6:" 1.5 x";}"#),
        (
            "cas",
            r#"a:4:{s:3:"cmd";s:3:"cas";s:3:"md5";s:32:"69f3a72138bbefdf1383f9dbbbc652b8";s:3:"key";s:3:"abc";s:5:"value";i:18;}"#,
        ),
        ("unknown", r#"a:2:{s:3:"cmd";d:1.0E+25;s:3:"key";N;}"#),
        ("json", r#"{"5":[1,-0,1e400,"\u00e9"],"a":{"a":1,"a":2}}"#),
    ]
    .map(|(name, text)| (name, text.into()))
    .into()
}
