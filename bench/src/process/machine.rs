//! What it is all measured on and with, for the head of the report.

use super::launch::version;
use super::{Pinning, binaries};
use crate::peer::{Family, Kind};
use anyhow::{Context, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs;
use std::time::Duration;

/// Lets this process and its children have as many descriptors as the system allows, and returns
/// how many those are.
pub(crate) fn raise_descriptor_limit() -> Result<u64> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let limit = Rlimit { current: maximum, maximum };
    setrlimit(Resource::Nofile, limit).context("cannot raise the limit of descriptors")?;
    Ok(maximum.unwrap_or(u64::MAX))
}

/// Lines on the machine and the programs.
pub(crate) fn describe(kinds: &[Kind], pinning: Pinning, cores: usize) -> Vec<String> {
    let cpu = value_of(&read("/proc/cpuinfo"), "model name").unwrap_or("unknown CPU".to_owned());
    let kernel = read("/proc/sys/kernel/osrelease").trim().to_owned();
    let mut lines = vec![
        format!("machine: {cores} x {cpu}, Linux {kernel}"),
        match pinning {
            Pinning::Off => "pinned: no".to_owned(),
            Pinning::On { servers, generator } => {
                format!("pinned: servers to core {servers}, generator to core {generator}")
            }
        },
    ];
    for kind in kinds {
        for family in [Family::Channels, Family::Keys] {
            let is_told_already = match kind {
                Kind::Redis | Kind::Original => family == Family::Keys,
                Kind::Workerman => kinds.contains(&Kind::Workyard),
                _ => false,
            };
            if kind.serves(family)
                && !is_told_already
                && let Some(version) = version(*kind, family)
            {
                lines.push(format!("{kind}: {version}{}", built(*kind, family)));
            }
        }
    }
    lines
}

fn built(kind: Kind, family: Family) -> String {
    match binaries::name(family).and_then(binaries::age) {
        Some(age) if kind.is_ours() => format!(", built {} ago", roughly(age)),
        _ => String::new(),
    }
}

fn roughly(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    match minutes {
        0..120 => format!("{minutes} min"),
        120..2880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}

fn value_of(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    let (_, value) = line.split_once(':')?;
    Some(value.trim().to_owned())
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_rough() {
        let seconds = |seconds| roughly(Duration::from_secs(seconds));
        assert_eq!(seconds(59), "0 min");
        assert_eq!(seconds(7199), "119 min");
        assert_eq!(seconds(7200), "2 h");
        assert_eq!(seconds(172_800), "2 days");
    }

    #[test]
    fn a_value_is_found_by_its_name() {
        let text = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n";
        assert_eq!(value_of(text, "model name").as_deref(), Some("Some CPU @ 2 GHz"));
        assert_eq!(value_of(text, "flags"), None);
    }
}
