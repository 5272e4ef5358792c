//! The daemons' release binaries: found beside this one, or built.

use super::Children;
use crate::peer::Family;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

/// The binary that serves `family`, if it is not this one.
pub(super) fn name(family: Family) -> Option<&'static str> {
    match family {
        Family::Channels => Some("channel-server"),
        Family::Keys => Some("globaldata-server"),
        Family::Echo(_) => None,
    }
}

/// Where the release binary called `name` is.
pub(super) fn path(name: &str) -> Result<PathBuf> {
    let path = release_folder()?.join(name);
    if !path.is_file() {
        bail!("{} is not there", path.display());
    }
    Ok(path)
}

/// How long ago the binary was built: figures of a stale one mislead.
pub(super) fn age(name: &str) -> Option<Duration> {
    let built = fs::metadata(path(name).ok()?).ok()?.modified().ok()?;
    built.elapsed().ok()
}

/// Builds both daemons if one of them is missing.
pub(crate) fn build_missing(children: &Children) -> Result<()> {
    let daemons = || [Family::Channels, Family::Keys].into_iter().filter_map(name);
    if daemons().all(|name| path(name).is_ok()) {
        return Ok(());
    }
    let release = release_folder()?;
    let target = release.parent().unwrap_or(&release);
    eprintln!("building channel-server and globaldata-server into {}", release.display());
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--release"])
        .args(["-p", "workyard-channel-server"])
        .args(["-p", "workyard-globaldata-server"])
        .arg("--target-dir")
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null());
    let pid = children.spawn(&mut command)?;
    let status = loop {
        if let Some(status) = children.exit_status(pid) {
            break status;
        }
        thread::sleep(Duration::from_millis(100));
    };
    children.end(pid);
    if !status.success() {
        bail!("cargo build: {status}");
    }
    daemons().try_for_each(|name| path(name).map(drop))
}

/// `target/release`, also when this is a debug build.
fn release_folder() -> Result<PathBuf> {
    let here = env::current_exe()?;
    let folder = here.parent().context("this program is in no folder")?;
    Ok(release_beside(folder))
}

fn release_beside(folder: &Path) -> PathBuf {
    match folder.file_name() {
        Some(name) if name == "release" => folder.to_owned(),
        // Test programs are one level deeper.
        Some(name) if name == "deps" => release_beside(folder.parent().unwrap_or(folder)),
        _ => folder.parent().unwrap_or(folder).join("release"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_build_finds_the_release_folder() {
        for folder in ["/t/release", "/t/debug", "/t/release/deps", "/t/debug/deps"] {
            assert_eq!(release_beside(Path::new(folder)), Path::new("/t/release"));
        }
    }
}
