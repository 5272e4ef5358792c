//! What went wrong in a dialogue, and where.

use std::error::Error;
use std::fmt;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    place: String,
    what: String,
}

impl Failure {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { place: String::new(), what: what.into() }
    }

    pub(super) fn differing(expected: &str, found: &str) -> Self {
        Self::new(format!("\n  expected {expected}\n     found {found}"))
    }

    pub(super) fn at(mut self, place: &str) -> Self {
        self.place = format!("{place}: {}", self.place);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.place, self.what)
    }
}

impl Error for Failure {}
