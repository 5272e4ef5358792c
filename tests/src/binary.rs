//! Where the daemons' binaries are: in the folder that this test was built into.

use std::env;
use std::path::PathBuf;
use workyard_protocol::control::ServiceKind;

/// The binary of a service, of the same profile as the running test.
///
/// # Panics
/// When it has not been built.
#[must_use]
pub fn binary(kind: ServiceKind) -> PathBuf {
    let test = env::current_exe().expect("a test knows where it is");
    // target/PROFILE/deps/test-0123, or target/PROFILE/test for a copy of it
    let folders = test.ancestors().skip(1).take(2);
    let path = folders.map(|folder| folder.join(kind.name())).find(|path| path.is_file());
    path.unwrap_or_else(|| {
        let (name, folder) = (kind.name(), test.display());
        panic!(
            "no {name} beside {folder}: build the binaries first: cargo build --workspace --bins"
        )
    })
}
