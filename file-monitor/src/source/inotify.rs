//! What Linux tells of directories: one watch of the kernel for each, and paths for what it says.
//!
//! The kernel's watch belongs to the directory itself, wherever that is moved to; which paths it has is
//! only known here. A directory has several when links lead to it, when roots lie within each other, and
//! for a while when it is renamed: what happens in it is told by each of them, and the watch is taken
//! away with the last one.

use crate::core::Hint;
use crate::disk::{EnterError, Holder};
use crate::limits::EVENTS_AT_ONCE;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::io;
use std::mem::MaybeUninit;
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

/// A path by which a directory was entered, and for whom.
type Name = (Holder, Arc<Path>);

#[derive(Debug)]
pub(crate) struct Observer {
    kernel: OwnedFd,
    by_name: BTreeMap<Name, i32>,
    by_number: HashMap<i32, Vec<Name>>,
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
        Ok(Self { kernel, by_name: BTreeMap::new(), by_number: HashMap::new() })
    }

    pub(crate) fn enter(&mut self, directory: &Path, holder: Holder) -> Result<(), EnterError> {
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
        let name: Name = (holder, Arc::from(directory));
        match self.by_name.insert(name.clone(), number) {
            Some(before) if before == number => return Ok(()),
            Some(before) => self.release(before, &name),
            None => {}
        }
        self.by_number.entry(number).or_default().push(name);
        Ok(())
    }

    pub(crate) fn leave(&mut self, directory: &Path, holder: Holder) {
        let below = self.by_name.range((holder, Arc::from(directory))..);
        let left: Vec<_> = below
            .take_while(|((of, path), _)| *of == holder && path.starts_with(directory))
            .map(|(name, number)| (name.clone(), *number))
            .collect();
        for (name, number) in left {
            self.by_name.remove(&name);
            self.release(number, &name);
        }
    }

    /// Takes the watch away, unless the directory is still observed by another name.
    fn release(&mut self, number: i32, name: &Name) {
        let Some(names) = self.by_number.get_mut(&number) else { return };
        names.retain(|other| other != name);
        if names.is_empty() || planted!("moved-directory-is-not-heard") {
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
                    if what.contains(ReadFlags::IGNORED) {
                        let names = self.by_number.remove(&number).unwrap_or_default();
                        for name in names {
                            self.by_name.remove(&name);
                        }
                        continue;
                    }
                    let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()));
                    for path in paths(self.by_number.get(&number)) {
                        told(Told::Hint(hint(path, name, what)));
                    }
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

/// Each path once, however many have entered the directory by it.
fn paths(names: Option<&Vec<Name>>) -> Vec<&Path> {
    let mut paths: Vec<&Path> = names.into_iter().flatten().map(|(_, path)| &**path).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
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
        observer.enter(folder.path(), Holder::Root(0)).unwrap();
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
