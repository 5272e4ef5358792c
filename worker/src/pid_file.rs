//! The pid file: who holds its lock is the service's supervisor, whatever number it has.

use anyhow::{Context, bail};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Where root writes, others may have put a link.
const NO_LINK: i32 = rustix::fs::OFlags::NOFOLLOW.bits() as i32;

/// A pid file that this process holds.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
    file: File,
}

/// What a pid file tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// There is none.
    No,
    /// It is left from a process that was killed.
    Stale,
    /// A supervisor runs.
    Yes,
}

impl PidFile {
    /// Takes the lock and writes the number of this process; nothing if another has it.
    pub(crate) fn take(path: &Path) -> anyhow::Result<Option<Self>> {
        loop {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(false);
            let file = options.custom_flags(NO_LINK).open(path);
            let file = file.with_context(|| format!("cannot open {}", path.display()))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => {
                    bail!("cannot lock {}: {error}", path.display())
                }
            }
            // Whoever had it may have removed it in between: then this file is nobody's.
            if is_same(&file, path)? {
                let mut taken = Self { path: path.to_path_buf(), file };
                taken.write().with_context(|| format!("cannot write {}", path.display()))?;
                return Ok(Some(taken));
            }
        }
    }

    fn write(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        write!(self.file, "{}", std::process::id())
    }
}

/// It is removed while it is still ours.
impl Drop for PidFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn is_same(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((ours.dev(), ours.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a supervisor holds this pid file.
///
/// # Errors
/// The operating system's.
pub(crate) fn held(path: &Path) -> io::Result<Held> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Held::No),
        file => file?,
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(Held::Stale),
        Err(TryLockError::WouldBlock) => Ok(Held::Yes),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.pid");
        assert_eq!(held(&path).unwrap(), Held::No);
        fs::write(&path, "4194304999").unwrap();
        assert_eq!(held(&path).unwrap(), Held::Stale);
        let first = PidFile::take(&path).unwrap().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), std::process::id().to_string());
        assert!(PidFile::take(&path).unwrap().is_none());
        assert_eq!(held(&path).unwrap(), Held::Yes);
        drop(first);
        assert_eq!(held(&path).unwrap(), Held::No);
        let error = PidFile::take(&folder.path().join("no/app.pid")).unwrap_err();
        assert!(error.to_string().contains("cannot open"), "{error}");
    }
}
