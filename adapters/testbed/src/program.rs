//! A program of the system with all that it is started with.

use crate::{Ready, folder};
use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where servers are that only root is expected to start.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/bin"];

/// A program that is not started yet. It inherits no environment but `PATH`.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    ready: Ready,
    talks: bool,
}

impl Program {
    /// The program at this path, or of this name in `PATH` or where the system keeps its servers.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let path = find(name).unwrap_or_else(|| {
            panic!("there is no {name}: `cargo xtask test` installs what tests need")
        });
        let (arguments, variables) = (Vec::new(), Vec::new());
        Self { path, arguments, variables, ready: Ready::Started, talks: false }
    }

    /// With a further argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// With further arguments.
    #[must_use]
    pub fn arguments(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// With an environment variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// With a sign by which one sees that it serves.
    #[must_use]
    pub fn ready(mut self, ready: Ready) -> Self {
        self.ready = ready;
        self
    }

    /// With its standard input and output for us to write and read, instead of nothing and the log.
    pub(crate) fn talking(mut self) -> Self {
        self.talks = true;
        self
    }

    /// Runs it to its end and returns what it printed to standard output.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn output(&self) -> String {
        let folder = folder::private();
        let output = self.command(folder.path()).output();
        let output = output.unwrap_or_else(|error| panic!("{}: {error}", self.name()));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (printed, complained) = (text(&output.stdout), text(&output.stderr));
        let success = output.status.success();
        assert!(success, "{} ended with {}: {printed}{complained}", self.name(), output.status);
        printed
    }

    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    pub(crate) fn talks(&self) -> bool {
        self.talks
    }

    pub(crate) fn sign(&self) -> &Ready {
        &self.ready
    }

    /// What starts it in this folder, and has it killed when the thread that starts it ends.
    pub(crate) fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(&self.path)
            .args(&self.arguments)
            .env_clear()
            .env("PATH", search())
            .env("HOME", folder)
            // MariaDB for one removes what looks like its own in it.
            .env("TMPDIR", folder)
            .env("LANG", "C.UTF-8")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .stdin(Stdio::null())
            // So that whatever it starts can be ended with it.
            .process_group(0);
        command
    }
}

/// Whether the tests are run by root, which some servers want to be told.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn find(name: &str) -> Option<PathBuf> {
    let path = Path::new(name);
    let named = path.is_absolute().then(|| path.to_owned());
    let search = search();
    let mut found = named.into_iter().chain(env::split_paths(&search).map(|it| it.join(name)));
    found.find(|path| path.is_file())
}

/// `PATH` with the folders of servers.
fn search() -> OsString {
    let inherited = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&inherited).chain(FOLDERS.map(PathBuf::from));
    env::join_paths(folders).unwrap_or_else(|_| OsStr::new("/usr/bin").to_owned())
}
