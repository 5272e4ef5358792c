//! Texts made to cost: each is answered in time and memory in proportion to its bytes.

use std::time::Duration;
use workyard_php::{Document, Error, ErrorKind, Ties, canonical, entries, scan};

/// Documented on [`Document`].
const MEMORY_PER_BYTE_MAX: usize = 16;
const MEMORY_BYTES_MORE: usize = 512 * 1024;

/// What a small text may take, and more for each byte: far less than a quadratic way would.
fn time_allowed(bytes: usize) -> Duration {
    let slow_build = if cfg!(debug_assertions) { 30 } else { 1 };
    (Duration::from_millis(10) + Duration::from_nanos(250) * bytes as u32) * slow_build
}

/// What this thread has had of the processor: others take nothing of that.
fn processor_time() -> Duration {
    let path = "/proc/thread-self/schedstat";
    let schedstat = std::fs::read_to_string(path).expect("Linux has it");
    let nanos = schedstat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("it begins with nanoseconds"))
}

/// Reads a text in every way and says whether it is one.
fn survive(text: &[u8]) -> Result<(), Error> {
    let start = processor_time();
    let scanned = scan(text).map(|_| ());
    let seen = entries(text, |_, _| {}).map(|_| ());
    let outcome = Document::parse(text).map(|document| {
        let memory = document.memory_bytes();
        assert!(memory <= text.len() * MEMORY_PER_BYTE_MAX + MEMORY_BYTES_MORE, "{memory}");
        for ties in [Ties::Living, Ties::Stored] {
            document.root().write(ties, &mut Vec::new());
        }
    });
    let (taken, allowed) = (processor_time() - start, time_allowed(text.len()));
    let shown = String::from_utf8_lossy(&text[..text.len().min(60)]);
    assert!(taken < allowed, "{taken:?} for {} bytes: {shown}", text.len());
    assert_eq!((scanned.is_ok(), seen.is_ok()), (outcome.is_ok(), outcome.is_ok()), "{shown}");
    outcome
}

fn refused(text: &[u8]) -> ErrorKind {
    survive(text).expect_err("it is refused").kind
}

fn list(entries: impl ExactSizeIterator<Item = String>) -> Vec<u8> {
    let count = entries.len();
    format!("a:{count}:{{{}}}", entries.collect::<String>()).into_bytes()
}

#[test]
fn depth() {
    for piece in ["a:1:{i:0;", "O:1:\"A\":1:{s:1:\"a\";", "a:2:{i:0;i:1;i:1;"] {
        let open = piece.repeat(1_000_000);
        assert_eq!(refused(open.as_bytes()), ErrorKind::TooDeep);
        let closed = [piece.repeat(4096), "N;".to_owned(), "}".repeat(4096)].concat();
        assert_eq!(survive(closed.as_bytes()), Ok(()));
        let closed = [piece.repeat(4097), "N;".to_owned(), "}".repeat(4097)].concat();
        assert_eq!(refused(closed.as_bytes()), ErrorKind::TooDeep);
    }
}

#[test]
fn lengths_and_counts_that_lie() {
    for text in [
        "a:2147483647:{",
        "a:2147483647:{i:0;i:1;",
        "a:9223372036854775807:{i:0;",
        "a:18446744073709551616:{i:0;",
        "a:99999999999999999999999999999:{",
        "s:4294967295:\"",
        "s:18446744073709551615:\"abc\";",
        "S:4294967295:\"\\41",
        "O:1:\"A\":2147483647:{",
        "O:4294967295:\"A",
        "C:1:\"A\":4294967295:{x}",
        "C:1:\"A\":9223372036854775807:{x}",
    ] {
        assert_eq!(refused(text.as_bytes()), ErrorKind::Truncated, "{text}");
        let many = format!("a:100:{{{}", format!("i:0;{text}").repeat(10_000));
        assert!(survive(many.as_bytes()).is_err());
    }
}

#[test]
fn circles() {
    for text in [
        "O:1:\"A\":1:{s:1:\"s\";r:1;}",
        "O:1:\"A\":1:{s:1:\"s\";R:1;}",
        "a:1:{i:0;O:1:\"A\":1:{s:1:\"s\";r:2;}}",
        "O:1:\"A\":1:{s:1:\"b\";O:1:\"B\":1:{s:1:\"a\";r:1;}}",
        "a:1:{i:0;O:1:\"A\":1:{i:0;a:1:{i:0;R:2;}}}",
        "O:1:\"A\":1:{i:0;a:1:{i:0;a:1:{i:0;r:1;}}}",
    ] {
        assert_eq!(survive(text.as_bytes()), Ok(()), "{text}");
    }
    for text in [
        "a:1:{i:0;R:1;}",
        "a:1:{i:0;O:1:\"A\":1:{i:0;R:1;}}",
        "a:1:{i:0;a:1:{i:0;R:2;}}",
        "a:1:{i:0;a:1:{i:0;a:1:{i:0;a:1:{i:0;R:2;}}}}",
        "O:1:\"A\":1:{i:0;a:2:{i:0;i:0;i:1;R:2;}}",
        "a:2:{i:0;a:2:{i:1;O:1:\"A\":1:{i:0;a:1:{i:0;R:2;}}i:1;R:4;}i:1;i:0;}",
    ] {
        assert_eq!(refused(text.as_bytes()), ErrorKind::ContainsItself, "{text}");
    }
}

#[test]
fn a_circle_of_objects_is_written_from_each_of_them() {
    let text = b"O:1:\"A\":1:{s:1:\"b\";O:1:\"B\":2:{s:1:\"a\";r:1;s:1:\"c\";r:2;}}";
    let document = Document::parse(text).unwrap();
    let (_, inner) = document.root().entries().next().unwrap();
    let mut out = Vec::new();
    inner.write(Ties::Stored, &mut out);
    assert_eq!(out, b"O:1:\"B\":2:{s:1:\"a\";O:1:\"A\":1:{s:1:\"b\";r:1;}s:1:\"c\";r:1;}");
}

#[test]
fn a_million_keys() {
    const COUNT: u32 = if cfg!(debug_assertions) { 200_000 } else { 1_000_000 };
    let scattered = |at: u32| (u64::from(at) << 20) as i64;
    assert_eq!(survive(&list((0..COUNT).map(|at| format!("i:{at};N;")))), Ok(()));
    assert_eq!(survive(&list((0..COUNT).rev().map(|at| format!("i:{at};N;")))), Ok(()));
    let keys = (0..COUNT).rev().map(|at| format!("i:{};N;", scattered(at)));
    assert_eq!(survive(&list(keys)), Ok(()));
    let keys = (0..COUNT).map(|at| format!("s:8:\"_{at:07}\";N;"));
    assert_eq!(survive(&list(keys)), Ok(()));
    let keys = (0..COUNT).map(|at| format!("s:7:\"{}\";N;", 9_999_999 - at));
    assert_eq!(survive(&list(keys)), Ok(()));
    assert_eq!(survive(&list((0..COUNT).map(|at| format!("i:{};N;", at % 2)))), Ok(()));
    let once = list((0..COUNT).map(|_| "s:1:\"a\";N;".to_owned()));
    assert_eq!(canonical(&once).as_deref(), Ok(b"a:1:{s:1:\"a\";N;}".as_slice()));
}

/// `Ez` and `FY` have the same hash in PHP, and so has every chain of them.
#[test]
fn keys_that_collide_in_php() {
    let keys = (0..1_u32 << 16).map(|at| {
        let key: String = (0..16).map(|bit| if at >> bit & 1 == 1 { "Ez" } else { "FY" }).collect();
        format!("s:32:\"{key}\";N;")
    });
    assert_eq!(survive(&list(keys)), Ok(()));
}

#[test]
fn many_references() {
    const COUNT: usize = 200_000;
    let to_one = list((0..COUNT).map(|at| match at {
        0 => "i:0;i:7;".to_owned(),
        _ => format!("i:{at};R:2;"),
    }));
    assert_eq!(survive(&to_one), Ok(()));
    let class = "A".repeat(1_000_000);
    let to_object = list((0..COUNT).map(|at| match at {
        0 => format!("i:0;O:1000000:\"{class}\":0:{{}}"),
        _ => format!("i:{at};r:2;"),
    }));
    assert_eq!(survive(&to_object), Ok(()));
    let pairs = list((0..COUNT).map(|at| match at % 2 {
        0 => format!("i:{at};N;"),
        _ => format!("i:{at};R:{};", at / 2 + 2),
    }));
    assert_eq!(survive(&pairs), Ok(()));
    let deep = ["O:1:\"A\":1:{i:0;".repeat(4000), format!("a:{COUNT}:{{")].concat();
    let refs: String = (0..COUNT).map(|at| format!("i:{at};r:{};", at % 4000 + 1)).collect();
    let deep = [deep, refs, "}".repeat(4001)].concat();
    assert_eq!(survive(deep.as_bytes()), Ok(()));
}

#[test]
fn each_of_many_values_is_written_at_its_own_cost() {
    let text = list((0..50_000).map(|at| match at {
        0 => "i:0;O:1:\"A\":0:{}".to_owned(),
        1 => "i:1;N;".to_owned(),
        2 => "i:2;R:3;".to_owned(),
        _ => format!("i:{at};a:1:{{i:0;r:2;}}"),
    }));
    let document = Document::parse(&text).unwrap();
    let start = processor_time();
    let mut out = Vec::new();
    for (_, node) in document.root().entries() {
        node.write(Ties::Stored, &mut out);
        node.write(Ties::Living, &mut out);
    }
    assert!(processor_time() - start < time_allowed(text.len()));
}

#[test]
fn repeated_pieces_of_every_kind() {
    let heads = ["", "a:10000:{", "O:1:\"A\":10000:{", "a:2147483647:{", "a:1:{i:0;a:10000:{"];
    let pieces = [
        "i:0;",
        "i:0;N;",
        "i:9;a:0:{}",
        "s:1:\"a\";i:1;",
        "s:1:\"a\";a:1:{i:0;N;}",
        "i:1;O:1:\"A\":0:{}",
        "i:1;O:8:\"STDCLASS\":1:{i:5;N;}",
        "S:1:\"\\41\";S:1:\"\\41\";",
        "i:-007;d:0.30000000000000004;",
        "s:27:\"__PHP_Incomplete_Class_Name\";s:1:\"B\";",
        "i:1;C:1:\"A\":0:{}",
        "i:0;R:2;",
        "i:0;r:2;",
        "i:0;a:1:{i:0;R:3;}",
        "N;",
        "}",
        "a:9:{",
        "\"",
        "9",
        "d:1e9",
        "\\",
    ];
    let mut accepted = 0;
    for head in heads {
        for piece in pieces {
            for tail in ["", "}", "}}"] {
                let text = [head, &piece.repeat(10_000), tail].concat();
                accepted += usize::from(survive(text.as_bytes()).is_ok());
            }
        }
    }
    assert!(accepted > 50, "{accepted}");
}
