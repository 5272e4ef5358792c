//! A first file of settings, for the kind of project that is in a directory.

use super::config::FILE;
use anyhow::{Context, bail};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Where settings go that no table has, which must be before the first one.
const PLACE: &str = "#: settings\n";

/// What a project is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Project {
    Cargo,
    Php,
    Npm,
    Django,
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
        } else if has("manage.py") {
            Self::Django
        } else if ["pyproject.toml", "requirements.txt", "setup.py"].iter().any(|name| has(name)) {
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
            Self::Django => "Python (manage.py)",
            Self::Python => "Python",
            Self::Unknown => "no kind that is known",
        }
    }

    fn settings(self) -> &'static str {
        match self {
            Self::Cargo => include_str!("init/cargo.toml"),
            Self::Php => include_str!("init/php.toml"),
            Self::Npm => include_str!("init/npm.toml"),
            Self::Django | Self::Python => include_str!("init/python.toml"),
            Self::Unknown => include_str!("init/unknown.toml"),
        }
    }
}

/// The whole text for a kind of project.
pub(super) fn text(project: Project) -> String {
    let settings = project.settings().replace(PLACE, include_str!("init/settings.toml"));
    let settings = match project {
        Project::Django => settings.replace("main.py", "manage.py runserver --noreload"),
        _ => settings,
    };
    format!("{settings}{}", include_str!("init/rest.toml"))
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
            ("manage.py", Project::Django),
            ("setup.py", Project::Python),
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

    /// Each line that is commented out is right where it stands.
    #[test]
    fn what_is_commented_out_is_right_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        for project in [
            Project::Cargo,
            Project::Php,
            Project::Npm,
            Project::Django,
            Project::Python,
            Project::Unknown,
        ] {
            let text = text(project);
            let settings: Vec<_> = text.lines().map(|line| opened(line).unwrap_or(line)).collect();
            let count = text.lines().filter_map(opened).count();
            assert!(count >= 20, "{count} in {text}");
            std::fs::write(&file, settings.join("\n")).unwrap();
            let options =
                Options::read(&file).unwrap_or_else(|error| panic!("{project:?}: {error:#}"));
            options.check_whole().unwrap();
            assert!(!text.contains(PLACE), "{text}");
        }
    }

    #[test]
    fn a_django_project_is_started_by_manage_py() {
        assert!(text(Project::Django).contains("\"python3 manage.py runserver --noreload\""));
        assert!(text(Project::Python).contains("\"python3 main.py\""));
    }

    /// What a line says that is commented out, if it is no text.
    fn opened(line: &str) -> Option<&str> {
        let line = line.strip_prefix("# ")?;
        let is_key = |key: &str| key.chars().all(|letter| letter.is_lowercase() || letter == '_');
        let is_setting = line.split_once(" = ").is_some_and(|(key, _)| is_key(key));
        (is_setting || line.starts_with('[')).then_some(line)
    }
}
