//! File systems on which others may change files without this machine being told.

use std::path::Path;

/// Numbers from `linux/magic.h` and the sources of the file systems.
const REMOTE: [(u64, &str); 10] = [
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
];

/// Why the directory must be looked at again and again, if it must.
pub(crate) fn why_poll(directory: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(directory).ok()?.f_type;
    // The width and the sign of the number differ between machines, the low 32 bits do not.
    let kind = kind.cast_unsigned() & 0xffff_ffff;
    REMOTE.iter().find(|(number, _)| *number == kind).map(|(_, reason)| *reason)
}
