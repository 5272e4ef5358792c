//! Reading and writing what PHP serializes.

use crate::{Path, Step};
use std::hint::black_box;
use workyard_php::{Document, canonical};

/// What the original's clients publish, but for its length.
const EVENT: &[u8] =
    b"a:3:{s:4:\"type\";s:5:\"event\";s:7:\"channel\";s:8:\"orders.7\";s:4:\"data\";\
    a:3:{s:2:\"id\";i:7;s:4:\"paid\";b:1;s:5:\"price\";d:12.5;}}";

pub(crate) const PATHS: &[Path] = &[
    Path { name: "php/parse", prepare: parse },
    Path { name: "php/canonical", prepare: make_canonical },
];

fn parse() -> Step {
    Box::new(|| {
        black_box(Document::parse(black_box(EVENT)).expect("it is PHP's"));
    })
}

fn make_canonical() -> Step {
    Box::new(|| {
        black_box(canonical(black_box(EVENT)).expect("it is PHP's"));
    })
}
