//! Texts recorded from PHP 8.2: what it writes after reading them, or that it refuses them.

use serde::Deserialize;
use workyard_php::{Document, Key, Ties, canonical, entries, renumber, scan};

/// One line of the file; `README.md` beside it says what the fields mean.
#[derive(Deserialize)]
struct Case {
    name: String,
    via: Option<String>,
    php: Option<String>,
    #[serde(default)]
    may_refuse: bool,
    #[serde(default)]
    top_level_only: bool,
    input_hex: String,
    canonical_hex: Option<String>,
    #[serde(default)]
    or_hex: Vec<String>,
}

impl Case {
    fn all() -> Vec<Self> {
        let lines = include_str!("../vectors/php-serialize.jsonl").lines();
        lines.map(|line| serde_json::from_str(line).expect("a case")).collect()
    }

    fn input(&self) -> Vec<u8> {
        bytes(&self.input_hex)
    }

    /// Holds an outcome to what PHP did; nothing stands for a refusal.
    fn check(&self, outcome: Option<&[u8]>) {
        let expected = self.canonical_hex.as_deref().map(bytes);
        let others = self.or_hex.iter().map(|hex| bytes(hex));
        let right = match outcome {
            Some(text) => expected.into_iter().chain(others).any(|expected| expected == text),
            None => expected.is_none() || self.may_refuse,
        };
        let shown = outcome.map(String::from_utf8_lossy);
        assert!(right || self.php.is_some(), "{}: {shown:?}", self.name);
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    (0..hex.len()).step_by(2).map(digits).collect()
}

#[test]
fn every_text_is_written_as_php_writes_it() {
    let mut count = 0;
    for case in Case::all().iter().filter(|case| case.via.is_none()) {
        let input = case.input();
        let outcome = canonical(&input);
        case.check(outcome.as_deref().ok());
        assert_eq!(scan(&input).is_ok(), outcome.is_ok(), "{}", case.name);
        assert_eq!(entries(&input, |_, _| {}).is_ok(), outcome.is_ok(), "{}", case.name);
        count += 1;
    }
    assert_eq!(count, 435);
}

#[test]
fn every_text_is_written_the_same_inside_another() {
    for case in Case::all().iter().filter(|case| case.via.is_none() && !case.top_level_only) {
        let before = b"a:2:{i:0;N;i:1;";
        let nested = [before, case.input().as_slice(), b"}"].concat();
        let outcome = canonical(&nested);
        let inner = outcome.as_ref().ok().map(|text| &text[before.len()..text.len() - 1]);
        case.check(inner);
    }
}

#[test]
fn every_value_of_a_request_is_written_as_the_server_answers_it() {
    let mut count = 0;
    for case in Case::all() {
        let Some(via) = case.via.as_deref() else { continue };
        let (key, ties, before) = match via {
            "globaldata-set" | "globaldata-add" | "globaldata-cas" => ("value", Ties::Stored, None),
            "channel-publish" => ("data", Ties::Living, Some("event")),
            "channel-enqueue" => ("data", Ties::Living, Some("queue")),
            _ => panic!("{via}"),
        };
        let input = case.input();
        let answer = Document::parse(&input).ok().map(|document| {
            let mut value = Vec::new();
            document.root().entry(Key::Bytes(key.as_bytes())).unwrap().write(ties, &mut value);
            match before {
                None => value,
                Some(kind) => message(kind, &value),
            }
        });
        case.check(answer.as_deref());
        count += 1;
    }
    assert_eq!(count, 48);
}

/// What a subscriber or worker receives. The value is the fourth in it.
fn message(kind: &str, value: &[u8]) -> Vec<u8> {
    let head =
        format!("a:3:{{s:4:\"type\";s:5:\"{kind}\";s:7:\"channel\";s:2:\"nc\";s:4:\"data\";");
    let mut out = head.into_bytes();
    renumber(value, 3, &mut out);
    out.push(b'}');
    out
}
