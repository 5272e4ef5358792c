//! What is known of a file without its content, and how two such looks differ.

use std::num::NonZeroU64;
use workyard_planted::planted;

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    File,
    Directory,
    Symlink,
    /// A socket, a pipe or a device: it has no content to compare, and is left out.
    Other,
}

/// One look at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stat {
    pub(crate) kind: Kind,
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// In bytes.
    pub(crate) size: u64,
    /// When the content was written, in nanoseconds since 1970; programs may set it to anything.
    pub(crate) modified: i64,
    /// When anything about the file was changed, in nanoseconds; only the kernel sets it.
    pub(crate) changed: i64,
    /// The permission bits.
    pub(crate) mode: u32,
    /// How many names it has.
    pub(crate) names: u64,
}

/// What is kept of each file: the last look, and a digest of the content once that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    inode: u64,
    size: u64,
    modified: i64,
    changed: i64,
    pub(crate) digest: Option<NonZeroU64>,
    mode: u32,
    kind: Kind,
    /// Whether a write after this look may have left the same times.
    fresh: bool,
    has_other_names: bool,
}

impl Fingerprint {
    pub(crate) fn new(stat: Stat, digest: Option<NonZeroU64>) -> Self {
        let Stat { kind, inode, size, modified, changed, mode, names, .. } = stat;
        let (fresh, has_other_names) = (false, names > 1);
        Self { inode, size, modified, changed, digest, mode, kind, fresh, has_other_names }
    }

    /// The same, of which it is known whether it is fresh.
    #[must_use]
    pub(crate) fn with_fresh(self, fresh: bool) -> Self {
        Self { fresh, ..self }
    }

    /// Whether nothing at all has happened to the file since, for certain.
    pub(crate) fn is_same(&self, stat: &Stat) -> bool {
        Self::new(*stat, self.digest) == *self
    }

    /// Whether the content is another, as far as can be told: by the digests if both are known, or
    /// else by what a write leaves behind.
    pub(crate) fn is_other_content(&self, later: &Self) -> bool {
        if self.kind != later.kind {
            return true;
        }
        match (self.digest, later.digest) {
            (Some(before), Some(after)) if !planted!("touch-is-a-change") => before != after,
            _ => {
                let set = |one: &Self| (one.inode, one.size, one.modified);
                // Whoever patches a file may set the time of the last write back, but not this one.
                let touched = self.changed != later.changed && !self.is_other_mode(later);
                set(self) != set(later) || touched
            }
        }
    }

    pub(crate) fn is_other_mode(&self, later: &Self) -> bool {
        self.mode != later.mode
    }

    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn inode(&self) -> u64 {
        self.inode
    }

    /// The inode, if the file has other names, too.
    pub(crate) fn shared(&self) -> Option<u64> {
        self.has_other_names.then_some(self.inode)
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }
}
