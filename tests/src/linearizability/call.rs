//! One call: what was asked of a variable, from when to when, and what came of it.

use std::fmt;

/// When a call ends that may still be carried out at any time.
pub const NEVER: u64 = u64::MAX;

/// One call of one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Who called, for people.
    pub caller: usize,
    /// When it began, in nanoseconds.
    pub called: u64,
    /// When it was over, its outcome told or not, in nanoseconds; it is not carried out later.
    pub returned: u64,
    /// What was asked.
    pub action: Action,
    /// What came of it.
    pub outcome: Outcome,
}

/// What is asked of a variable that holds an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read it.
    Get,
    /// Store a value, whatever there was.
    Set(i64),
    /// The same, for so many nanoseconds.
    SetFor(i64, u64),
    /// Store a value if there is none.
    Add(i64),
    /// Store a value if the variable has this revision; 0 stands for one that does not exist.
    Cas(u64, i64),
    /// Add to it; what does not exist counts as 0.
    Increment(i64),
    /// Raise it to this, unless it is that high already; what does not exist takes it.
    Max(i64),
    /// Add to it, unless the sum is above a bound; what does not exist counts as 0.
    Within(i64, i64),
    /// Store a value, and tell what there was.
    Swap(i64),
    /// Remove it.
    Delete,
    /// Remove it if it has this revision.
    DeleteAt(u64),
    /// Remove it, and tell what there was.
    Take,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Value and revision, if there is a variable.
    Read(Option<(i64, u64)>),
    /// Stored, as this revision.
    Stored(u64),
    /// Not stored, as the variable has this revision, or does not exist.
    Conflict(Option<u64>),
    /// Whether it was added.
    Added(bool),
    /// What it is from now on.
    Sum(i64),
    /// Not added to, as it is this and the sum would be too much.
    OutOfBounds(i64),
    /// What it was before.
    Was(Option<i64>),
    /// Whether there was something to delete.
    Deleted(bool),
    /// Nobody knows, nor whether it was carried out.
    Unknown,
}

impl Call {
    /// Whether its outcome is known.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.outcome != Outcome::Unknown
    }

    /// Whether it left the variable as it was, for certain.
    #[must_use]
    pub fn changed_nothing(&self) -> bool {
        match self.outcome {
            Outcome::Read(_) | Outcome::Conflict(_) | Outcome::OutOfBounds(_) => true,
            Outcome::Added(done) | Outcome::Deleted(done) => !done,
            Outcome::Unknown => self.action == Action::Get,
            Outcome::Stored(_) | Outcome::Sum(_) | Outcome::Was(_) => false,
        }
    }

    /// The same call, of which no outcome has come yet.
    #[must_use]
    pub fn pending(&self) -> Self {
        Self { returned: NEVER, outcome: Outcome::Unknown, ..self.clone() }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = |nanos: u64| nanos / 1000;
        write!(f, "{:>10} ", micros(self.called))?;
        match self.returned {
            NEVER => write!(f, "to          ? us")?,
            returned => write!(f, "to {:>10} us", micros(returned))?,
        }
        write!(f, "  caller {:>2}: {} -> {}", self.caller, self.action, self.outcome)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Get => write!(f, "get"),
            Self::Set(value) => write!(f, "set {value}"),
            Self::SetFor(value, nanos) => write!(f, "set {value} for {} us", nanos / 1000),
            Self::Add(value) => write!(f, "add {value}"),
            Self::Cas(revision, value) => write!(f, "cas at {revision} to {value}"),
            Self::Increment(by) => write!(f, "increment by {by}"),
            Self::Max(value) => write!(f, "raise to {value}"),
            Self::Within(by, most) => write!(f, "increment by {by} up to {most}"),
            Self::Swap(value) => write!(f, "swap for {value}"),
            Self::Delete => write!(f, "delete"),
            Self::DeleteAt(revision) => write!(f, "delete at {revision}"),
            Self::Take => write!(f, "take"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(Some((value, revision))) => write!(f, "{value}, revision {revision}"),
            Self::Read(None) => write!(f, "nothing"),
            Self::Stored(revision) => write!(f, "stored as revision {revision}"),
            Self::Conflict(Some(revision)) => write!(f, "conflict with revision {revision}"),
            Self::Conflict(None) => write!(f, "conflict with nothing"),
            Self::Added(done) => write!(f, "{}", if *done { "added" } else { "exists already" }),
            Self::Sum(sum) => write!(f, "{sum}"),
            Self::OutOfBounds(present) => write!(f, "out of bounds at {present}"),
            Self::Was(Some(value)) => write!(f, "was {value}"),
            Self::Was(None) => write!(f, "was nothing"),
            Self::Deleted(done) => write!(f, "{}", if *done { "deleted" } else { "was not there" }),
            Self::Unknown => write!(f, "unknown"),
        }
    }
}
