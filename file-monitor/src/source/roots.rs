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

/// What is to be followed; paths below others are left out.
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
    let all = roots.clone();
    let is_within = |root: &Root, other: &Root| {
        other.only.is_none() && root != other && root.directory.starts_with(&other.directory)
    };
    roots.retain(|root| !all.iter().any(|other| is_within(root, other)));
    Ok(roots)
}

/// Without `.` and `..`, as far as that is possible without following links.
fn plain(path: &Path) -> PathBuf {
    use std::path::Component;
    let goes_up = path.components().any(|component| component == Component::ParentDir);
    // `a/../b` is `b` only if `a` is no link; the system knows.
    let real = if goes_up { std::fs::canonicalize(path).ok() } else { None };
    real.unwrap_or_else(|| path.components().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_absolute_once_and_not_below_others() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("a/b")).unwrap();
        std::fs::write(at("a/x"), "").unwrap();
        std::fs::write(at("y"), "").unwrap();
        let wanted = ["a/b", "a", "a/.", "a/x", "y", "a/b/../../y"].map(at);
        let roots = resolve(&wanted).unwrap();
        let canonical = std::fs::canonicalize(folder.path()).unwrap();
        assert!(roots.contains(&Root { directory: at("a"), only: None }));
        assert!(roots.contains(&Root { directory: canonical, only: Some("y".into()) }));
        assert!(roots.len() <= 3, "{roots:?}");
    }

    #[test]
    fn nothing_and_what_is_not_there_is_refused() {
        assert!(matches!(resolve(&[]), Err(StartError::NoRoots)));
        let error = resolve(&["/no/such/place".into()]).unwrap_err().to_string();
        assert!(error.starts_with("cannot follow /no/such/place: No such file"), "{error}");
    }
}
