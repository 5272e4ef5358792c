//! What a monitor has to say besides changes.

use std::fmt;
use std::path::PathBuf;

/// Something that whoever runs the monitor may want to know. None of it loses a change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The kernel had more to tell than its queue holds; everything is looked at instead.
    Overflow,
    /// The system's limit of observed directories is reached; roots are polled.
    Limit {
        /// The limit, as `sysctl` names it.
        name: &'static str,
    },
    /// This root is polled because changes are not, or not always, told there.
    Polled {
        /// The root.
        root: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// There are more files than may be followed; the others are not.
    TooManyFiles {
        /// The limit.
        files_max: usize,
    },
    /// A directory lies below too many others; it is not entered.
    TooDeep {
        /// The directory.
        directory: PathBuf,
    },
    /// A root is gone, or no directory any more.
    RootGone {
        /// Where it was.
        root: PathBuf,
    },
    /// A root that was gone is there again.
    RootBack {
        /// Where it is.
        root: PathBuf,
    },
}

impl Notice {
    /// A short name, for programs: `overflow`, `limit` and so on.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Overflow => "overflow",
            Self::Limit { .. } => "limit",
            Self::Polled { .. } => "polled",
            Self::TooManyFiles { .. } => "too-many-files",
            Self::TooDeep { .. } => "too-deep",
            Self::RootGone { .. } => "root-gone",
            Self::RootBack { .. } => "root-back",
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overflow => {
                write!(
                    f,
                    "the kernel's queue of changes was full (fs.inotify.max_queued_events): looking at all files"
                )
            }
            Self::Limit { name } => {
                write!(
                    f,
                    "the limit {name} is reached: polling; raise it with `sysctl -w {name}=N`"
                )
            }
            Self::Polled { root, reason } => write!(f, "{} is polled: {reason}", root.display()),
            Self::TooManyFiles { files_max } => write!(
                f,
                "more than {files_max} files (files_max): the others are not followed; exclude some or raise it"
            ),
            Self::TooDeep { directory } => {
                write!(f, "{} is too deep below its root and not followed", directory.display())
            }
            Self::RootGone { root } => write!(f, "{} is gone", root.display()),
            Self::RootBack { root } => write!(f, "{} is back", root.display()),
        }
    }
}
