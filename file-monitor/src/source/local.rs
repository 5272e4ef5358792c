//! The file system of this machine, as the core asks for it.

use super::inotify::Observer;
use crate::disk::{Digest, Disk, EnterError, Holder, Listed};
use crate::fingerprint::{Kind, Stat};
use std::fs::{self, File, FileType, Metadata};
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};
use std::num::NonZeroU64;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const BUFFER_BYTES: usize = 64 * 1024;

/// Longer than between two ticks of a kernel's clock, which come 100 times a second at least.
const FINE_TICK: Duration = Duration::from_millis(25);
/// The same for file systems that keep whole seconds, and FAT every other one.
const COARSE_TICK: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(crate) struct Local {
    /// None when nothing is to be observed.
    pub(crate) observer: Option<Observer>,
    buffer: Box<[u8]>,
}

impl Local {
    pub(crate) fn new(observer: Option<Observer>) -> Self {
        Self { observer, buffer: vec![0; BUFFER_BYTES].into_boxed_slice() }
    }

    /// The digest of all that can be read, and how many bytes that was.
    fn read(&mut self, file: &mut File) -> io::Result<(u64, u64)> {
        let mut hasher = DefaultHasher::new();
        let mut bytes = 0;
        loop {
            match file.read(&mut self.buffer) {
                Ok(0) => return Ok((hasher.finish(), bytes)),
                Ok(count) => {
                    hasher.write(&self.buffer[..count]);
                    bytes += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn digest_file(&mut self, path: &Path) -> io::Result<Digest> {
        // Without O_NONBLOCK, to open a pipe that took the file's place would wait for a writer.
        let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
        let mut file = fs::OpenOptions::new().read(true).custom_flags(nonblock).open(path)?;
        let before = stat(&file.metadata()?);
        if before.kind != Kind::File {
            return Ok(Digest::Unstable);
        }
        let (digest, bytes) = self.read(&mut file)?;
        let now = SystemTime::now();
        let after = stat(&file.metadata()?);
        // The name may stand for another file by now.
        let named = stat(&fs::metadata(path)?);
        if before != after || after != named || bytes != after.size {
            return Ok(Digest::Unstable);
        }
        let fresh = is_fresh(after.changed, now);
        Ok(Digest::Known { digest: nonzero(digest), stat: after, fresh })
    }

    fn digest_link(path: &Path) -> io::Result<Digest> {
        let target = fs::read_link(path)?;
        let mut hasher = DefaultHasher::new();
        hasher.write(target.as_os_str().as_bytes());
        let now = stat(&fs::symlink_metadata(path)?);
        if now.kind != Kind::Symlink {
            return Ok(Digest::Unstable);
        }
        // A link is never written to, only replaced by another one.
        Ok(Digest::Known { digest: nonzero(hasher.finish()), stat: now, fresh: false })
    }
}

impl Disk for Local {
    fn look(&mut self, path: &Path, through: bool) -> io::Result<Option<Stat>> {
        let found = if through { fs::metadata(path) } else { fs::symlink_metadata(path) };
        match found {
            Ok(metadata) => Ok(Some(stat(&metadata))),
            // A link that leads nowhere is a link.
            Err(error) if is_absent(&error) && through => self.look(path, false),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn list(&mut self, directory: &Path) -> io::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            match entry.file_type() {
                Ok(file_type) => listed.push((entry.file_name(), kind(file_type))),
                Err(error) if is_absent(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(listed)
    }

    fn digest(&mut self, path: &Path, kind: Kind) -> Digest {
        let digest = match kind {
            Kind::Symlink => Self::digest_link(path),
            _ => self.digest_file(path),
        };
        match digest {
            Ok(digest) => digest,
            Err(error) if is_absent(&error) => Digest::Unstable,
            Err(_) => Digest::Unreadable,
        }
    }

    fn text(&mut self, path: &Path, bytes_max: u64) -> io::Result<String> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => return Err(io::ErrorKind::InvalidInput.into()),
            Err(error) if is_absent(&error) => return Err(io::ErrorKind::NotFound.into()),
            Err(error) => return Err(error),
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(bytes_max).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn target(&mut self, link: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(link)
    }

    fn enter(&mut self, directory: &Path, holder: Holder) -> Result<(), EnterError> {
        self.observer.as_mut().map_or(Ok(()), |observer| observer.enter(directory, holder))
    }

    fn leave(&mut self, directory: &Path, holder: Holder) {
        if let Some(observer) = &mut self.observer {
            observer.leave(directory, holder);
        }
    }
}

fn is_absent(error: &io::Error) -> bool {
    // A link that leads to itself leads nowhere.
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        || error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

/// Whether the clock that gave a file its times may not have gone on by `now`.
fn is_fresh(changed: i64, now: SystemTime) -> bool {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_nanos()).unwrap_or(i64::MAX);
    let is_whole_second = changed % 1_000_000_000 == 0;
    let tick = if is_whole_second { COARSE_TICK } else { FINE_TICK };
    u128::from(now.abs_diff(changed)) < tick.as_nanos()
}

fn nonzero(digest: u64) -> NonZeroU64 {
    NonZeroU64::new(digest).unwrap_or(NonZeroU64::MAX)
}

fn kind(file_type: FileType) -> Kind {
    if file_type.is_file() {
        Kind::File
    } else if file_type.is_dir() {
        Kind::Directory
    } else if file_type.is_symlink() {
        Kind::Symlink
    } else {
        Kind::Other
    }
}

fn stat(metadata: &Metadata) -> Stat {
    let nanoseconds =
        |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
    Stat {
        kind: kind(metadata.file_type()),
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.size(),
        modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        mode: metadata.mode() & 0o7777,
        names: metadata.nlink(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_fresh_until_the_clock_of_its_times_has_gone_on() {
        let second = 1_000_000_000;
        let fresh = |changed: i64, now: i64| {
            is_fresh(changed, SystemTime::UNIX_EPOCH + Duration::from_nanos(now.cast_unsigned()))
        };
        assert!(fresh(100 * second + 1, 100 * second + 5_000_000));
        assert!(!fresh(100 * second + 1, 100 * second + 50_000_000));
        assert!(fresh(100 * second, 101 * second + 999_999_999));
        assert!(!fresh(100 * second, 104 * second));
        // A clock of a server that is ahead says nothing.
        assert!(!fresh(200 * second + 1, 100 * second));
    }
}
