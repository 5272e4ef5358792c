//! What is mounted, and on what others may change files without this machine being told.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

const TABLE: &str = "/proc/self/mountinfo";

/// Numbers from `linux/magic.h` and the sources of the file systems.
const REMOTE: [(u64, &str); 18] = [
    (0x6969, "NFS does not tell of changes by others"),
    (0x517b, "SMB does not tell of changes by others"),
    (0xff53_4d42, "CIFS does not tell of changes by others"),
    (0xfe53_4d42, "SMB2 does not tell of changes by others"),
    (0x6573_5546, "FUSE does not tell of changes by others"),
    (0x0102_1997, "9p does not tell of changes by the host"),
    (0x6a65_6a63, "virtiofs does not tell of changes by the host"),
    (0x786f_4256, "VirtualBox's shared folders do not tell of changes by the host"),
    (0x794c_7630, "overlay does not tell of changes below it"),
    (0x5346_414f, "AFS does not tell of changes by others"),
    (0x6b41_4653, "AFS does not tell of changes by others"),
    (0x00c3_6400, "CephFS does not tell of changes by others"),
    (0x0bd0_0bd0, "Lustre does not tell of changes by others"),
    (0x4750_4653, "GPFS does not tell of changes by others"),
    (0x0116_1970, "GFS2 does not tell of changes by others"),
    (0x7461_636f, "OCFS2 does not tell of changes by others"),
    (0xbacb_acbc, "VMware's shared folders do not tell of changes by the host"),
    (0x7c7c_6673, "Parallels' shared folders do not tell of changes by the host"),
];

/// Why the directory must be looked at again and again, if it must.
pub(crate) fn why_poll(directory: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(directory).ok()?.f_type;
    // The width and the sign of the number differ between machines, the low 32 bits do not.
    let kind = kind.cast_unsigned() & 0xffff_ffff;
    REMOTE.iter().find(|(number, _)| *number == kind).map(|(_, reason)| *reason)
}

/// What is mounted: the kernel tells when that is something else.
#[derive(Debug)]
pub(crate) struct Mounts {
    /// None where there is no such file: then nothing is known.
    table: Option<File>,
}

/// A mounted file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// The kernel's number of it.
    number: Vec<u8>,
    /// Where, from the directory that was asked about.
    pub(crate) place: PathBuf,
}

impl Mounts {
    pub(crate) fn new() -> Self {
        Self { table: File::open(TABLE).ok() }
    }

    /// Whether anything was mounted or unmounted since the last call.
    pub(crate) fn changed(&self) -> bool {
        let Some(table) = &self.table else { return false };
        let mut descriptors = [PollFd::new(table, PollFlags::PRI)];
        let told = poll(&mut descriptors, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
        told.is_ok() && descriptors[0].revents().contains(PollFlags::PRI)
    }
}

/// What is mounted below a directory; `None` if that cannot be told.
pub(crate) fn mounted_below(directory: &Path) -> Option<Vec<Mount>> {
    let real = std::fs::canonicalize(directory).ok()?;
    Some(below(&std::fs::read(TABLE).ok()?, &real))
}

/// The format is in proc(5): the number comes first, the place fifth.
fn below(table: &[u8], directory: &Path) -> Vec<Mount> {
    let lines = table.split(|byte| *byte == b'\n');
    let mount = |line: &[u8]| {
        let mut fields = line.split(|byte| *byte == b' ');
        let number = fields.next()?.to_vec();
        let place = PathBuf::from(OsString::from_vec(plain(fields.nth(3)?)));
        let place = place.strip_prefix(directory).ok()?.to_owned();
        (!place.as_os_str().is_empty()).then_some(Mount { number, place })
    };
    lines.filter_map(mount).collect()
}

/// Blanks and the like are written as `\040`.
fn plain(mut field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    while let Some((byte, rest)) = field.split_first() {
        let code = if *byte == b'\\' { rest.first_chunk::<3>().and_then(octal) } else { None };
        plain.push(code.unwrap_or(*byte));
        field = if code.is_some() { &rest[3..] } else { rest };
    }
    plain
}

fn octal(digits: &[u8; 3]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mounted_below_a_directory_is_found() {
        let table = b"22 27 0:21 / /proc rw - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
31 27 0:33 / /srv/p rw - tmpfs none rw
32 31 0:34 / /srv/p/a\\040b\\134c rw - overlay overlay rw
33 31 0:35 / /srv/p/d/e rw - tmpfs none rw
34 31 0:36 / /srv/php rw - tmpfs none rw
";
        let found = below(table, Path::new("/srv/p"));
        let places: Vec<_> = found.iter().map(|mount| mount.place.to_str().unwrap()).collect();
        assert_eq!(places, ["a b\\c", "d/e"]);
        assert_eq!(found[1].number, b"33");
    }

    #[test]
    fn what_is_mounted_here_is_known() {
        let mounts = mounted_below(Path::new("/")).unwrap();
        assert!(mounts.iter().any(|mount| mount.place == Path::new("proc")), "{mounts:?}");
        assert_eq!(mounted_below(Path::new("/no/such/place")), None);
    }
}
