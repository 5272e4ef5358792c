//! How many recordings a server went along with, and all that it did not.

use super::Failure;
use std::fmt;

/// How a recording went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it was recorded.
    AsRecorded,
    /// The server refused what it may refuse.
    Refused,
}

/// How many went how.
#[derive(Debug, Default)]
pub struct Summary {
    as_recorded: usize,
    refused: usize,
    failures: Vec<(String, Failure)>,
}

impl Summary {
    /// Adds the recording of this name.
    pub fn add(&mut self, name: &str, outcome: Result<Outcome, Failure>) {
        match outcome {
            Ok(Outcome::AsRecorded) => self.as_recorded += 1,
            Ok(Outcome::Refused) => self.refused += 1,
            Err(failure) => self.failures.push((name.to_owned(), failure)),
        }
    }

    /// Adds what others counted.
    pub fn append(&mut self, mut other: Self) {
        self.as_recorded += other.as_recorded;
        self.refused += other.refused;
        self.failures.append(&mut other.failures);
    }

    /// Whether none failed.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.failures.is_empty() && self.count() > 0
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> usize {
        self.as_recorded + self.refused + self.failures.len()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, failure) in &self.failures {
            write!(formatter, "{name}: {failure}\n\n")?;
        }
        let (count, failed) = (self.count(), self.failures.len());
        let (as_recorded, refused) = (self.as_recorded, self.refused);
        write!(
            formatter,
            "{count} played: {as_recorded} as recorded, {refused} refused, {failed} failed"
        )
    }
}
