//! The program, and the files it has beside it.

use crate::service::Options;
use anyhow::Context;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The program that runs: what worker processes are started from, again and again.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Where it lies. What lies there later is started then.
    pub(crate) path: PathBuf,
    /// What it was called with, so that `main` takes the same way in each process.
    pub(crate) arguments: Vec<OsString>,
    /// As it is called in what is printed and logged.
    pub(crate) name: String,
}

/// The files of a service.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) pid: PathBuf,
    pub(crate) log: PathBuf,
    /// Where what is printed goes when there is no terminal.
    pub(crate) stdout: PathBuf,
    /// The socket by which commands speak to the supervisor.
    pub(crate) control: PathBuf,
}

impl Program {
    pub(crate) fn find(name: Option<&str>) -> anyhow::Result<Self> {
        let path = std::env::current_exe().context("cannot tell where this program lies")?;
        let file = path.file_stem().map(|name| name.to_string_lossy().into_owned());
        let name = name.map(str::to_owned).or(file).unwrap_or_else(|| "service".to_owned());
        Ok(Self { path, arguments: std::env::args_os().skip(1).collect(), name })
    }

    /// What a command of this program begins its lines with.
    pub(crate) fn label(&self) -> String {
        format!("workyard[{}]", self.name)
    }
}

impl Files {
    /// The files that were named, and beside the program those that were not.
    pub(crate) fn of(program: &Program, options: &Options) -> Self {
        let folder = program.path.parent().unwrap_or_else(|| Path::new("/"));
        let beside = |ending: &str| folder.join(format!("{}.{ending}", program.name));
        // From wherever a command is typed, it finds the same files.
        let or_beside = |path: &Option<PathBuf>, ending| match path {
            Some(path) => folder.join(path),
            None => beside(ending),
        };
        let pid = or_beside(&options.pid_file, "pid");
        let control = pid.with_extension("sock");
        let log = or_beside(&options.log_file, "log");
        let stdout = options.stdout_file.as_deref().unwrap_or_else(|| Path::new("/dev/null"));
        let stdout = folder.join(stdout);
        Self { pid, log, stdout, control }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_lie_beside_the_program_unless_they_are_put_elsewhere() {
        let path = PathBuf::from("/srv/chat/bin/chat");
        let program = Program { path, arguments: Vec::new(), name: "chat".to_owned() };
        let files = Files::of(&program, &Options::default());
        let beside = ["/srv/chat/bin/chat.pid", "/srv/chat/bin/chat.log", "/dev/null"];
        assert_eq!([&files.pid, &files.log, &files.stdout], beside.map(Path::new));
        assert_eq!(files.control, Path::new("/srv/chat/bin/chat.sock"));
        let options = Options {
            pid_file: Some("/run/chat/chat.pid".into()),
            log_file: Some("log/chat.log".into()),
            stdout_file: Some("chat.out".into()),
            ..Options::default()
        };
        let files = Files::of(&program, &options);
        let elsewhere =
            ["/run/chat/chat.pid", "/srv/chat/bin/log/chat.log", "/srv/chat/bin/chat.out"];
        assert_eq!([&files.pid, &files.log, &files.stdout], elsewhere.map(Path::new));
        assert_eq!(files.control, Path::new("/run/chat/chat.sock"));
    }
}
