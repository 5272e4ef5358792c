//! Where a watcher is.

use crate::session::Mark;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// Up to where a [`Watcher`](crate::Watcher) has told everything, on each server that it watches. Its text can
/// be kept and read again: for each server its place among all, counted from 0, the run of the server and a
/// revision, such as `0:1718000000000000:1718000123`, with commas in between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    marks: Vec<(usize, Mark)>,
}

/// A text that is no [`Position`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no position: it is SERVER:EPOCH:REVISION for each server, with commas in between"
)]
pub struct PositionError(String);

impl Position {
    pub(crate) fn of(&self, shard: usize) -> Option<Mark> {
        self.marks.iter().find(|(server, _)| *server == shard).map(|(_, mark)| *mark)
    }

    /// Whether it says something of each of these servers.
    pub(crate) fn fits(&self, shards: &Range<usize>) -> bool {
        shards.clone().all(|shard| self.of(shard).is_some())
    }
}

impl FromIterator<(usize, Mark)> for Position {
    fn from_iter<T: IntoIterator<Item = (usize, Mark)>>(marks: T) -> Self {
        Self { marks: marks.into_iter().collect() }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (server, Mark { epoch, revision })) in self.marks.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{server}:{epoch}:{revision}")?;
        }
        Ok(())
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mark = |part: &str| {
            let mut numbers = part.split(':');
            let server = numbers.next()?.parse().ok()?;
            let epoch = numbers.next()?.parse().ok()?;
            let revision = numbers.next()?.parse().ok()?;
            numbers.next().is_none().then_some((server, Mark { epoch, revision }))
        };
        let marks: Option<Self> = text.split(',').map(mark).collect();
        marks.ok_or_else(|| PositionError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_is_written() {
        for text in ["0:17:5", "0:1:2,1:3:4", "3:18446744073709551615:0"] {
            let position: Position = text.parse().unwrap();
            assert_eq!(position.to_string(), text);
        }
        let position: Position = "0:1:2,2:3:4".parse().unwrap();
        assert_eq!(position.of(2), Some(Mark { epoch: 3, revision: 4 }));
        assert!(position.fits(&(2..3)));
        assert!(!position.fits(&(0..3)), "nothing is said of the second");
        for text in ["", "5", "0:1", "0:1:2:3", "0:1:2,", "a:1:2", "0:1:-2"] {
            let error = text.parse::<Position>().unwrap_err();
            assert!(error.to_string().contains("SERVER:EPOCH:REVISION"), "{error}");
        }
    }
}
