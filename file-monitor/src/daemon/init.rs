//! A first file of settings, for the kind of project that is in a directory.

use super::config::FILE;
use anyhow::{Context, bail};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What a project is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Project {
    Cargo,
    Php,
    Npm,
    Python,
    Unknown,
}

impl Project {
    pub(super) fn detect(directory: &Path) -> Self {
        let has = |name: &str| directory.join(name).exists();
        if has("Cargo.toml") {
            Self::Cargo
        } else if has("composer.json") || has("index.php") || has("start.php") {
            Self::Php
        } else if has("package.json") {
            Self::Npm
        } else if ["pyproject.toml", "requirements.txt", "setup.py", "manage.py"]
            .iter()
            .any(|name| has(name))
        {
            Self::Python
        } else {
            Self::Unknown
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cargo => "Rust (Cargo.toml)",
            Self::Php => "PHP",
            Self::Npm => "Node (package.json)",
            Self::Python => "Python",
            Self::Unknown => "no kind that is known",
        }
    }

    fn settings(self) -> &'static str {
        match self {
            Self::Cargo => include_str!("init/cargo.toml"),
            Self::Php => include_str!("init/php.toml"),
            Self::Npm => include_str!("init/npm.toml"),
            Self::Python => include_str!("init/python.toml"),
            Self::Unknown => include_str!("init/unknown.toml"),
        }
    }
}

/// The whole text for a kind of project.
pub(super) fn text(project: Project) -> String {
    format!("{}\n{}", project.settings(), include_str!("init/rest.toml"))
}

/// Writes the file.
///
/// # Errors
/// When there is one already, or it cannot be written.
pub(super) fn write(directory: &Path) -> anyhow::Result<(PathBuf, Project)> {
    let (path, project) = (directory.join(FILE), Project::detect(directory));
    let mut file = match OpenOptions::new().write(true).create_new(true).open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!("{} is there already; nothing was changed", path.display())
        }
        file => file.with_context(|| format!("cannot write {}", path.display()))?,
    };
    file.write_all(text(project).as_bytes())?;
    Ok((path, project))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::config::Options;

    #[test]
    fn what_is_written_is_right_for_every_kind() {
        for (file, project) in [
            ("Cargo.toml", Project::Cargo),
            ("composer.json", Project::Php),
            ("package.json", Project::Npm),
            ("manage.py", Project::Python),
            ("README", Project::Unknown),
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(file), "").unwrap();
            let (path, found) = write(folder.path()).unwrap();
            assert_eq!(found, project);
            Options::read(&path).unwrap_or_else(|error| panic!("{file}: {error:#}"));
            assert!(write(folder.path()).unwrap_err().to_string().contains("is there already"));
        }
    }

    /// Each line that is commented out is right when it is taken in.
    #[test]
    fn what_is_commented_out_is_right_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        let open = |line: &str| match line.strip_prefix("#: ") {
            Some(setting) => setting.to_owned(),
            None => line.to_owned(),
        };
        let lines: Vec<_> = include_str!("init/rest.toml").lines().map(open).collect();
        std::fs::write(&file, lines.join("\n")).unwrap();
        Options::read(&file).unwrap_or_else(|error| panic!("{error:#}"));
    }
}
