//! What the monitor asks of a file system: little enough that a test can be one.

use crate::fingerprint::{Kind, Stat};
use std::ffi::OsString;
use std::io;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

/// An entry of a directory: its name, and what it is if listing told.
pub(crate) type Listed = (OsString, Kind);

/// What came of reading a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Digest {
    /// The content, a look at the file that belongs to it, and whether that is so fresh that a write
    /// after it may leave the same times.
    Known { digest: NonZeroU64, stat: Stat, fresh: bool },
    /// It was written to, replaced or removed while it was read.
    Unstable,
    /// It may not be read.
    Unreadable,
}

/// Why a directory cannot be observed.
#[derive(Debug)]
pub(crate) enum EnterError {
    /// It is not there, or no directory any more.
    Gone,
    /// The system's limit of what may be observed is reached; its name, as `sysctl` has it.
    Limit(&'static str),
    /// Anything else.
    Other(io::Error),
}

/// For whom a directory is observed: one that is left by one of them is still observed for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holder {
    /// A root, by its place among the roots.
    Root(usize),
    /// What symbolic links lead to, which is in the directory; a number for each directory.
    Target(u64),
}

/// A file system that tells of what happens in the directories that were entered.
pub(crate) trait Disk {
    /// Looks at `path`: through a symbolic link if `through`, or else at the link. `None` if nothing is there.
    ///
    /// # Errors
    /// When it cannot be told whether something is there.
    fn look(&mut self, path: &Path, through: bool) -> io::Result<Option<Stat>>;

    /// What is in a directory.
    ///
    /// # Errors
    /// When it is gone, or may not be read.
    fn list(&mut self, directory: &Path) -> io::Result<Vec<Listed>>;

    /// Reads the content of a file, or where a symbolic link points to.
    fn digest(&mut self, path: &Path, kind: Kind) -> Digest;

    /// The text of a small file; what is beyond `bytes_max` is left out.
    ///
    /// # Errors
    /// When it is gone, or may not be read.
    fn text(&mut self, path: &Path, bytes_max: u64) -> io::Result<String>;

    /// What a symbolic link leads to in the end, without links in its path.
    ///
    /// # Errors
    /// When it leads nowhere.
    fn target(&mut self, link: &Path) -> io::Result<PathBuf>;

    /// Observes a directory from now on: what happens in it later is told, under each of the paths
    /// by which it was entered. Entering one again does no harm.
    ///
    /// # Errors
    /// When it cannot be observed.
    fn enter(&mut self, directory: &Path, holder: Holder) -> Result<(), EnterError>;

    /// Forgets this path and those below it, as far as this holder has entered them.
    fn leave(&mut self, directory: &Path, holder: Holder);
}
