//! What a server leaves behind.

use std::fs;
use std::path::Path;
use workyard_testbed::{Process, eventually};

/// Kills it, starts it at the same place, drops it, and finds nothing of it.
pub(crate) async fn starts_again_and_leaves_nothing<T>(
    mut server: T,
    process: impl Fn(&mut T) -> &mut Process,
) {
    let first = process(&mut server).id();
    let folder = process(&mut server).place().folder().to_owned();
    let port = process(&mut server).place().port(0);
    process(&mut server).kill().await;
    let left = async || processes_in(&folder).is_empty();
    eventually("nothing runs after a kill", left).await;
    process(&mut server).start_again().await;
    assert!(process(&mut server).id() != first);
    assert_eq!(process(&mut server).place().port(0), port);
    assert!(!processes_in(&folder).is_empty());
    drop(server);
    eventually("nothing runs in the end", left).await;
    assert!(!folder.exists());
}

/// The processes that are in this folder, or were told that they are at home there.
pub(crate) fn processes_in(folder: &Path) -> Vec<String> {
    let home = format!("HOME={}", folder.display());
    let entries = fs::read_dir("/proc").unwrap().map_while(Result::ok);
    let processes = entries.filter(|entry| {
        let current = fs::read_link(entry.path().join("cwd"));
        let variables = fs::read(entry.path().join("environ")).unwrap_or_default();
        current.is_ok_and(|current| current.starts_with(folder))
            || variables.split(|byte| *byte == 0).any(|variable| variable == home.as_bytes())
    });
    processes.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
