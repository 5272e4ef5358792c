//! The document's examples are vectors, and its tables are those of the code.

use crate::vector::{CHANNEL, CONTROL, Direction, GLOBALDATA, Outcome, read};
use std::collections::BTreeSet;
use workyard_protocol::limits::{
    DELAY_MS_MAX, FRAME_BYTES_MAX, FRAME_SLACK_BYTES, HEADER_BYTES_MAX, HELLO_BYTES_MAX,
    IDENTITY_BYTES_MAX, LIST_ITEMS_MAX, NACK_REASON_BYTES_MAX, NAME_BYTES_MAX, PAGE_ITEMS_MAX,
    PATTERN_TOKENS_MAX, PREFETCH_JOBS_MAX, PUBLISHER_ID_BYTES_MAX, QUESTION_MS_MAX,
    REDRIVE_JOBS_MAX, TTL_MS_MAX,
};
use workyard_protocol::{Encoding, Reason, ValueTag};

const DOCUMENT: &str = include_str!("../../../docs/protocol.md");

/// The bytes of a line that shows a frame, without the words behind them.
fn example(line: &str) -> Option<(Direction, &str)> {
    let (direction, rest) = match line.split_at_checked(2)? {
        ("> ", rest) => (Direction::ToServer, rest),
        ("< ", rest) => (Direction::ToClient, rest),
        _ => return None,
    };
    let hex = rest.split("   ").next()?;
    hex.starts_with(|first: char| first.is_ascii_hexdigit()).then_some((direction, hex))
}

#[test]
fn every_example_is_a_vector() {
    let mut known = BTreeSet::new();
    for vector in [CONTROL, CHANNEL, GLOBALDATA].iter().flat_map(|lines| read(lines)) {
        if matches!(vector.outcome, Outcome::Says { .. }) {
            known.insert((vector.direction == Direction::ToServer, vector.frame));
        }
    }
    let examples: Vec<_> = DOCUMENT.lines().filter_map(example).collect();
    assert!(examples.len() > 50, "only {} examples were found", examples.len());
    for (direction, hex) in examples {
        let frame = crate::hex::bytes(hex);
        assert!(known.contains(&(direction == Direction::ToServer, frame)), "no vector: {hex}");
    }
}

#[test]
fn every_operation_has_an_example() {
    let shown: BTreeSet<u8> =
        DOCUMENT.lines().filter_map(example).map(|(_, hex)| crate::hex::bytes(hex)[4]).collect();
    for vector in [CONTROL, CHANNEL, GLOBALDATA].iter().flat_map(|lines| read(lines)) {
        if matches!(vector.outcome, Outcome::Says { .. }) {
            assert!(shown.contains(&vector.frame[4]), "no example like {}", vector.name);
        }
    }
}

#[test]
fn every_reason_is_listed() {
    for reason in Reason::ALL {
        let row = format!("| {} | {} |", reason.code(), reason.name());
        assert!(DOCUMENT.contains(&row), "no row {row}");
    }
}

#[test]
fn every_tag_is_listed() {
    let encodings =
        [Encoding::Raw, Encoding::Json, Encoding::Bincode, Encoding::Php, Encoding::MessagePack];
    let containers = [Encoding::List, Encoding::Set, Encoding::Map];
    let encodings = encodings.into_iter().chain(containers);
    let tags = encodings.map(ValueTag::Encoded).chain([ValueTag::Int, ValueTag::Float]);
    for tag in tags {
        let row = format!("| {} | {} |", tag.code(), tag.name());
        assert!(DOCUMENT.contains(&row), "no row {row}");
    }
}

/// Whoever changes one of these changes the document too.
#[test]
fn limits_are_as_documented() {
    assert_eq!(FRAME_BYTES_MAX, 10 * 1024 * 1024);
    assert_eq!(FRAME_SLACK_BYTES, 16 * 1024);
    assert_eq!(HELLO_BYTES_MAX, 16 * 1024);
    assert_eq!(HEADER_BYTES_MAX, 1_048_576);
    assert_eq!((NAME_BYTES_MAX, PATTERN_TOKENS_MAX), (4096, 32));
    assert_eq!((LIST_ITEMS_MAX, PAGE_ITEMS_MAX), (16_384, 1000));
    assert_eq!(PREFETCH_JOBS_MAX, 65_535);
    assert_eq!((TTL_MS_MAX, DELAY_MS_MAX), (315_360_000_000, 315_360_000_000));
    assert_eq!((PUBLISHER_ID_BYTES_MAX, NACK_REASON_BYTES_MAX), (256, 1024));
    assert_eq!(REDRIVE_JOBS_MAX, 10_000);
    assert_eq!((QUESTION_MS_MAX, IDENTITY_BYTES_MAX), (3_600_000, 1024));
}
