//! The paths that a caller wants to be followed, made absolute and each once.

use crate::filter::PatternError;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// Why a monitor does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No path was given.
    #[error("there is nothing to follow: name a directory or a file")]
    NoRoots,
    /// A path cannot be followed.
    #[error("cannot follow {}: {error}", path.display())]
    Root {
        /// The path.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A pattern cannot be read.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// There are too many files.
    #[error(
        "there are more than {files_max} files (files_max): exclude some directories or raise the limit"
    )]
    TooManyFiles {
        /// The limit.
        files_max: usize,
    },
    /// A time is longer than [`crate::limits::TIME_MAX`], or the window's end lies before its begin.
    #[error("{0}")]
    Time(&'static str),
    /// The system does not give what is needed: a thread, a descriptor.
    #[error("the system does not let a monitor start: {0}")]
    System(#[from] io::Error),
}

/// A directory, or the one file of it that is followed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Root {
    pub(crate) directory: PathBuf,
    pub(crate) only: Option<OsString>,
}

/// What is to be followed, each path once. One below another stays: the other may ignore it.
///
/// # Errors
/// When there is nothing, or one is not there.
pub(crate) fn resolve(paths: &[PathBuf]) -> Result<Vec<Root>, StartError> {
    if paths.is_empty() {
        return Err(StartError::NoRoots);
    }
    let mut roots = Vec::new();
    for path in paths {
        let wrong = |error| StartError::Root { path: path.clone(), error };
        let absolute = plain(&std::path::absolute(path).map_err(wrong)?);
        let metadata = std::fs::metadata(&absolute).map_err(wrong)?;
        roots.push(match (metadata.is_dir(), absolute.parent(), absolute.file_name()) {
            (false, Some(parent), Some(name)) => {
                Root { directory: parent.to_owned(), only: Some(name.to_owned()) }
            }
            _ => Root { directory: absolute, only: None },
        });
    }
    roots.sort();
    roots.dedup();
    Ok(roots)
}

/// Without `.` and `..`, and with the links behind the last `..`, as they may lead elsewhere later.
fn plain(path: &Path) -> PathBuf {
    use std::path::Component;
    let components: Vec<_> = path.components().collect();
    let ways_up = components.iter().rposition(|component| *component == Component::ParentDir);
    let (above, below) = components.split_at(ways_up.map_or(0, |last| last + 1));
    let above: PathBuf = above.iter().collect();
    // `a/../b` is `b` only if `a` is no link; the system knows.
    let real = if ways_up.is_some() { std::fs::canonicalize(&above).ok() } else { None };
    real.unwrap_or(above).components().chain(below.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_absolute_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("a/b")).unwrap();
        std::fs::write(at("a/x"), "").unwrap();
        std::fs::write(at("y"), "").unwrap();
        let wanted = ["a/b", "a", "a/.", "a/x", "a/x", "y"].map(at);
        let root = |directory, only: Option<&str>| Root { directory, only: only.map(Into::into) };
        let once = [
            root(folder.path().to_owned(), Some("y")),
            root(at("a"), None),
            root(at("a"), Some("x")),
            root(at("a/b"), None),
        ];
        assert_eq!(resolve(&wanted).unwrap(), once);
    }

    #[test]
    fn a_link_stays_one_behind_a_way_up() {
        let folder = tempfile::tempdir().unwrap();
        let real = std::fs::canonicalize(folder.path()).unwrap();
        let at = |name: &str| real.join(name);
        std::fs::create_dir_all(at("v1/src")).unwrap();
        std::os::unix::fs::symlink("v1", at("current")).unwrap();
        let roots = resolve(&[at("v1/../current"), at("current/src/../src")]).unwrap();
        let directories: Vec<_> = roots.into_iter().map(|root| root.directory).collect();
        assert_eq!(directories, [at("current"), at("v1/src")]);
    }

    #[test]
    fn nothing_and_what_is_not_there_is_refused() {
        assert!(matches!(resolve(&[]), Err(StartError::NoRoots)));
        let error = resolve(&["/no/such/place".into()]).unwrap_err().to_string();
        assert!(error.starts_with("cannot follow /no/such/place: No such file"), "{error}");
    }
}
