//! Private folders that go away, even when the process of the tests is killed.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use tempfile::{Builder, TempDir};

/// One folder per process, in which all others lie, and what removes it.
static ROOT: LazyLock<Root> = LazyLock::new(Root::new);

struct Root {
    folder: TempDir,
    /// Reads until the end of its input, which comes when this process ends.
    _guardian: Child,
}

/// What the guardian does. Servers that are killed at the same moment may still write.
const GUARD: &str =
    "read -r line; for attempt in 1 2 3 4 5 6 7 8 9; do rm -rf \"$0\" && exit; sleep 0.3; done";

/// A new folder with a short path, for the sake of unix sockets.
pub(crate) fn private() -> TempDir {
    folder_in(ROOT.folder.path(), "")
}

impl Root {
    fn new() -> Self {
        let folder = folder_in(Path::new("/tmp"), "workyard-");
        let guardian = Command::new("/bin/sh")
            .args(["-c", GUARD])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What interrupts the tests shall not end it.
            .process_group(0)
            .spawn()
            .expect("there is a shell");
        Self { folder, _guardian: guardian }
    }
}

fn folder_in(parent: &Path, prefix: &str) -> TempDir {
    let made = Builder::new().prefix(prefix).rand_bytes(6).tempdir_in(parent);
    made.unwrap_or_else(|error| panic!("no folder in {}: {error}", parent.display()))
}
