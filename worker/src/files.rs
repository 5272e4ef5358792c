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
        let path = replaced(path);
        let file = path.file_stem().map(|name| name.to_string_lossy().into_owned());
        let name = name.map(str::to_owned).or(file).unwrap_or_else(|| "service".to_owned());
        Ok(Self { path, arguments: std::env::args_os().skip(1).collect(), name })
    }

    /// What a command of this program begins its lines with.
    pub(crate) fn label(&self) -> String {
        format!("workyard[{}]", self.name)
    }
}

/// Where a program lay that has been replaced since it was started: the system adds to its name that it is gone.
fn replaced(path: PathBuf) -> PathBuf {
    let text = path.to_string_lossy();
    match text.strip_suffix(" (deleted)") {
        Some(before) if !path.exists() => PathBuf::from(before),
        _ => path,
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
        let control = with_ending(&pid, ".sock");
        let log = or_beside(&options.log_file, "log");
        let stdout = options.stdout_file.as_deref().unwrap_or_else(|| Path::new("/dev/null"));
        let stdout = folder.join(stdout);
        Self { pid, log, stdout, control }
    }

    /// Whether each of them, and of the sockets of workers, has a name of its own.
    ///
    /// # Errors
    /// Names the first that two share.
    pub(crate) fn check<'a>(
        &'a self,
        sockets: impl IntoIterator<Item = &'a Path>,
    ) -> anyhow::Result<()> {
        let mut known = vec![self.pid.as_path(), &self.control, &self.log];
        known.extend(sockets);
        known.sort_unstable();
        if let Some(pair) = known.windows(2).find(|pair| pair[0] == pair[1]) {
            anyhow::bail!("two files of the service are to be {}", pair[0].display());
        }
        Ok(())
    }
}

/// The path with this behind its name.
pub(crate) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
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
        assert_eq!(files.control, Path::new("/srv/chat/bin/chat.pid.sock"));
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
        assert_eq!(files.control, Path::new("/run/chat/chat.pid.sock"));
    }

    #[test]
    fn no_two_files_are_one() {
        let path = PathBuf::from("/run/app");
        let program = Program { path, arguments: Vec::new(), name: "app".to_owned() };
        let files = Files::of(&program, &Options::default());
        assert!(files.check([Path::new("/run/app.sock")]).is_ok());
        let error = files.check([Path::new("/run/app.pid.sock")]).unwrap_err();
        assert!(error.to_string().contains("/run/app.pid.sock"), "{error}");
        let one = Some(PathBuf::from("app"));
        let options = Options { pid_file: one.clone(), log_file: one, ..Options::default() };
        assert!(Files::of(&program, &options).check([]).is_err());
    }
}
