//! What Linux tells of directories: one watch of the kernel for each, and paths for what it says.
//!
//! The kernel's watch belongs to the directory itself, wherever that is moved to; which path it has is
//! only known here. So a directory that is entered again under another path keeps its watch and gets
//! that path, and leaving the old path later does not take the watch away.

use crate::core::Hint;
use crate::disk::EnterError;
use crate::limits::EVENTS_AT_ONCE;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::io;
use std::mem::MaybeUninit;
use std::ops::Bound;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use workyard_planted::planted;

const BUFFER_BYTES: usize = 16 * 1024;

const DIRECTORIES_MAX: &str = "fs.inotify.max_user_watches";
const INSTANCES_MAX: &str = "fs.inotify.max_user_instances";

/// Something that the kernel told.
#[derive(Debug)]
pub(crate) enum Told {
    Hint(Hint),
    /// There was more than the kernel's queue could hold.
    Overflow,
}

#[derive(Debug)]
pub(crate) struct Observer {
    kernel: OwnedFd,
    by_path: BTreeMap<Arc<Path>, i32>,
    by_number: HashMap<i32, Arc<Path>>,
}

impl Observer {
    /// # Errors
    /// The name of the limit that is reached, if that is why.
    pub(crate) fn new() -> Result<Self, EnterError> {
        let kernel = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).map_err(
            |errno| match errno {
                Errno::MFILE => EnterError::Limit(INSTANCES_MAX),
                errno => EnterError::Other(errno.into()),
            },
        )?;
        Ok(Self { kernel, by_path: BTreeMap::new(), by_number: HashMap::new() })
    }

    pub(crate) fn enter(&mut self, directory: &Path) -> Result<(), EnterError> {
        let flags = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::MODIFY
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::ATTRIB
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        let number = inotify::add_watch(&self.kernel, directory, flags).map_err(refused)?;
        let path: Arc<Path> = Arc::from(directory);
        if let Some(before) = self.by_path.insert(Arc::clone(&path), number)
            && before != number
        {
            self.release(before, directory);
        }
        self.by_number.insert(number, path);
        Ok(())
    }

    pub(crate) fn leave(&mut self, directory: &Path) {
        let below = self.by_path.range::<Path, _>((Bound::Included(directory), Bound::Unbounded));
        let left: Vec<_> = below
            .take_while(|(path, _)| path.starts_with(directory))
            .map(|(path, number)| (Arc::clone(path), *number))
            .collect();
        for (path, number) in left {
            self.by_path.remove(&path);
            self.release(number, &path);
        }
    }

    /// Takes the watch away, unless the directory has another path by now.
    fn release(&mut self, number: i32, path: &Path) {
        let is_here = self.by_number.get(&number).is_some_and(|now| **now == *path);
        if is_here || planted!("moved-directory-is-not-heard") {
            self.by_number.remove(&number);
            // It is gone already if the directory is.
            let _ = inotify::remove_watch(&self.kernel, number);
        }
    }

    /// Reads what the kernel has to tell, as long as it is not too much; whether there may be more.
    pub(crate) fn read(&mut self, mut told: impl FnMut(Told)) -> io::Result<bool> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER_BYTES];
        let mut reader = Reader::new(&self.kernel, &mut buffer);
        let mut count = 0;
        loop {
            // What is in the buffer would be lost.
            if count >= EVENTS_AT_ONCE && reader.is_buffer_empty() {
                return Ok(true);
            }
            count += 1;
            match reader.next() {
                Ok(event) => {
                    let (number, what) = (event.wd(), event.events());
                    if what.contains(ReadFlags::QUEUE_OVERFLOW) {
                        told(Told::Overflow);
                        continue;
                    }
                    let Some(path) = self.by_number.get(&number).cloned() else { continue };
                    if what.contains(ReadFlags::IGNORED) {
                        self.by_number.remove(&number);
                        if self.by_path.get(&path) == Some(&number) {
                            self.by_path.remove(&path);
                        }
                        continue;
                    }
                    let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()));
                    told(Told::Hint(hint(&path, name, what)));
                }
                Err(Errno::AGAIN) => return Ok(false),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl AsFd for Observer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.kernel.as_fd()
    }
}

fn hint(directory: &Path, name: Option<&OsStr>, what: ReadFlags) -> Hint {
    match name {
        Some(name) => {
            Hint { path: directory.join(name), directory: what.contains(ReadFlags::ISDIR) }
        }
        // The directory itself; of all but roots, the directory above tells the same.
        None => Hint { path: directory.to_owned(), directory: true },
    }
}

fn refused(errno: Errno) -> EnterError {
    match errno {
        Errno::NOSPC => EnterError::Limit(DIRECTORIES_MAX),
        Errno::NOENT | Errno::NOTDIR => EnterError::Gone,
        errno => EnterError::Other(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_taken_bit_by_bit() {
        let folder = tempfile::tempdir().unwrap();
        let mut observer = Observer::new().unwrap();
        observer.enter(folder.path()).unwrap();
        let (one, two) = (folder.path().join("1"), folder.path().join("2"));
        std::fs::write(&one, "").unwrap();
        for _ in 0..EVENTS_AT_ONCE / 2 {
            std::fs::rename(&one, &two).unwrap();
            std::fs::rename(&two, &one).unwrap();
        }
        std::fs::write(&two, "").unwrap();
        let (mut told, mut last, mut turns) = (0, None, 1);
        let mut take = |observer: &mut Observer| {
            let more = observer.read(|one| {
                told += 1;
                last = Some(one);
            });
            more.unwrap()
        };
        while take(&mut observer) {
            turns += 1;
        }
        assert!(!take(&mut observer));
        assert!(turns > 1, "{told} events");
        assert!(matches!(last, Some(Told::Hint(Hint { path, .. })) if path == two));
    }
}
