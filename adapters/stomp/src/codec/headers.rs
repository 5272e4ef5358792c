//! The headers of a frame, in their order.

use smallvec::SmallVec;
use std::fmt;

/// The headers of a frame, in their order. A name may come several times: the first one counts.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    /// All names and values, one behind the other.
    text: String,
    /// Where each name and each value ends in it.
    ends: SmallVec<[(usize, usize); 8]>,
}

impl Headers {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a further header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.push(name, value);
        self
    }

    /// Adds a header behind the others.
    pub fn push(&mut self, name: &str, value: &str) {
        self.text.push_str(name);
        let name_end = self.text.len();
        self.text.push_str(value);
        self.ends.push((name_end, self.text.len()));
    }

    /// Adds those of another behind the own ones.
    pub fn append(&mut self, others: &Self) {
        others.iter().for_each(|(name, value)| self.push(name, value));
    }

    /// The value of the first header of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&str> {
        self.iter().find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// All of them, those that do not count included.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut start = 0;
        self.ends.iter().map(move |&(name_end, end)| {
            let header = (&self.text[start..name_end], &self.text[name_end..end]);
            start = end;
            header
        })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// What may be secret is not shown.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(name, value)| (name, if name == "passcode" { "..." } else { value });
        f.debug_map().entries(self.iter().map(shown)).finish()
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        let mut all = Self::new();
        headers.into_iter().for_each(|(name, value)| all.push(name.as_ref(), value.as_ref()));
        all
    }
}

impl<const LENGTH: usize> From<[(&str, &str); LENGTH]> for Headers {
    fn from(headers: [(&str, &str); LENGTH]) -> Self {
        headers.into_iter().collect()
    }
}

/// None.
impl From<()> for Headers {
    fn from((): ()) -> Self {
        Self::new()
    }
}
