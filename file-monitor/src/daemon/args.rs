//! The command line of file-monitor, and what it asks for.

use super::config::{
    self, Action, Check, FILE, Options, Port, RestartAction, RunAction, SignalAction,
};
use super::line::Line;
use super::signal_name::SignalName;
use anyhow::{Context, bail};
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::num::NonZeroI32;
use std::path::{Path, PathBuf};
use workyard_daemon::Span;

const ABOUT: &str = "Reloads or restarts a program when its files change: once for each real change, never for none";

/// What file-monitor takes, as a command of its own or of another.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Read settings from this TOML file; ./file-monitor.toml if it is there
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check flags, environment and file, start nothing
    #[arg(long)]
    check_config: bool,
    /// Print the settings that would be used, start nothing
    #[arg(long)]
    print_config: bool,
    #[command(flatten)]
    modes: Modes,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    quick: Quick,
}

/// How it runs.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct Modes {
    /// End after the first change: with 0 if all went well, with 1 if not
    #[arg(long)]
    pub(crate) once: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Events as JSON on standard output, one a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Flags for what a file says in `[check]` and `[[actions]]`, which then do not count.
#[derive(Clone, Debug, Default, Args)]
struct Quick {
    /// A command that must succeed first, as in 'php -l {changed}'
    #[arg(long, value_name = "COMMAND")]
    check: Option<Line>,
    /// Check each file by a command of its own
    #[arg(long, requires = "check")]
    check_each: bool,
    /// Send a signal to the process whose number is in this file
    #[arg(long, value_name = "FILE", conflicts_with = "pid")]
    pid_file: Option<PathBuf>,
    /// Send a signal to this process
    #[arg(long, value_name = "NUMBER")]
    pid: Option<NonZeroI32>,
    /// Run a command to its end, as in 'make assets'
    #[arg(long, value_name = "COMMAND")]
    run: Option<Line>,
    #[command(flatten)]
    details: Details,
    /// A program to run, and to restart when files change
    #[arg(last = true, value_name = "PROGRAM")]
    program: Vec<String>,
}

/// How actions are done, those of the file, too.
#[derive(Clone, Copy, Debug, Default, Args)]
struct Details {
    /// The signal: SIGUSR1 if not given
    #[arg(long, value_name = "SIGNAL")]
    signal: Option<SignalName>,
    /// The port that PROGRAM listens on: free before it is started, taken when it is up
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// The signal that asks PROGRAM to stop: SIGTERM if not given
    #[arg(long, value_name = "SIGNAL")]
    stop_signal: Option<SignalName>,
    /// How long it may take to stop before it is killed
    #[arg(long, value_name = "TIME")]
    stop_timeout: Option<Span>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a commented file-monitor.toml for the project in this directory
    Init {
        /// The directory
        #[arg(value_name = "DIRECTORY", default_value = ".")]
        directory: PathBuf,
    },
}

#[derive(Debug, Parser)]
#[command(name = "file-monitor", version, about = ABOUT)]
struct Whole {
    #[command(flatten)]
    arguments: Arguments,
}

/// What to do, as the command line has it.
#[derive(Debug)]
pub(crate) enum Task {
    /// Write a file of settings into this directory.
    Init(PathBuf),
    CheckConfig(Box<Options>),
    PrintConfig(String),
    Follow(Box<Sources>),
}

/// Resolved settings, and how to resolve them again.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) options: Options,
    pub(crate) modes: Modes,
    file: Option<PathBuf>,
    flags: Options,
    details: Details,
}

impl Arguments {
    /// Reads a command line, the first word of which is the program; prints help and usage errors
    /// itself and exits then.
    pub(crate) fn read(line: impl IntoIterator<Item = OsString>) -> Self {
        let matches = command().get_matches_from(line);
        Self::from_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    fn from_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Whole::from_arg_matches(matches)?.arguments)
    }

    /// What is wanted.
    ///
    /// # Errors
    /// When flags, environment or file are wrong.
    pub(crate) fn task(self) -> anyhow::Result<Task> {
        if let Some(Command::Init { directory }) = self.command {
            return Ok(Task::Init(directory));
        }
        let file = self.config.or_else(|| Path::new(FILE).is_file().then(|| PathBuf::from(FILE)));
        let mut flags = self.options;
        flags.check = self.quick.check();
        flags.actions = self.quick.actions()?;
        let details = self.quick.details;
        let options = layered(flags.clone(), details, file.as_deref())?;
        if self.modes.once && options.has_program() {
            bail!(
                "--once ends after the first change, and a program that is restarted would end with it"
            );
        }
        if self.print_config {
            return Ok(Task::PrintConfig(toml::to_string(&options.absolute()?)?));
        }
        if self.check_config {
            return Ok(Task::CheckConfig(Box::new(options)));
        }
        Ok(Task::Follow(Box::new(Sources { options, modes: self.modes, file, flags, details })))
    }
}

impl Sources {
    /// Reads the file again.
    ///
    /// # Errors
    /// When it is wrong; what was read before stays in force.
    pub(crate) fn reload(&self) -> anyhow::Result<Options> {
        let options = layered(self.flags.clone(), self.details, self.file.as_deref())?;
        options.check_surroundings()?;
        Ok(options)
    }
}

impl Quick {
    fn check(&self) -> Option<Check> {
        let command = self.check.clone()?;
        let (each, timeout) = (self.check_each, config::check_timeout());
        Some(Check { command, directory: None, each, timeout })
    }

    fn actions(&self) -> anyhow::Result<Vec<Action>> {
        let mut actions = Vec::new();
        if let Some(command) = self.run.clone() {
            let timeout = config::run_timeout();
            actions.push(Action::Run(RunAction { command, directory: None, each: false, timeout }));
        }
        if self.pid.is_some() || self.pid_file.is_some() {
            let signal = SignalName::USR1;
            let (pid, pid_file, alive) = (self.pid, self.pid_file.clone(), config::alive());
            actions.push(Action::Signal(SignalAction { pid, pid_file, signal, alive }));
        }
        if !self.program.is_empty() {
            actions.push(Action::Restart(RestartAction {
                command: Line::words(self.program.clone()).context("no program can be started")?,
                directory: None,
                stop_signal: SignalName::TERM,
                stop_timeout: config::stop_timeout(),
                port: None,
                start_timeout: config::start_timeout(),
                alive: config::alive(),
            }));
        }
        Ok(actions)
    }
}

impl Details {
    fn apply(self, actions: &mut [Action]) -> anyhow::Result<()> {
        let (mut signals, mut programs) = (0, 0);
        for action in actions {
            match action {
                Action::Signal(action) => {
                    signals += 1;
                    action.signal = self.signal.unwrap_or(action.signal);
                }
                Action::Restart(action) => {
                    programs += 1;
                    action.port = self.port.map(Port::Number).or(action.port.take());
                    action.stop_signal = self.stop_signal.unwrap_or(action.stop_signal);
                    action.stop_timeout = self.stop_timeout.unwrap_or(action.stop_timeout);
                }
                _ => {}
            }
        }
        if self.signal.is_some() && signals == 0 {
            bail!("--signal needs a process: --pid-file, --pid or an action `signal`");
        }
        if self.port.is_some() && programs != 1 {
            bail!("--port needs one program: after `--`, or as an action `restart`");
        }
        if (self.stop_signal.is_some() || self.stop_timeout.is_some()) && programs == 0 {
            bail!("--stop-signal and --stop-timeout need a program to stop");
        }
        Ok(())
    }
}

/// The command with an environment variable for each setting: `FILE_MONITOR_SETTLE` and so on.
fn command() -> clap::Command {
    const NO_SETTINGS: [&str; 8] = [
        "CHECK_CONFIG",
        "PRINT_CONFIG",
        "HELP",
        "VERSION",
        "PATHS",
        "PROGRAM",
        "ONCE",
        "CHECK_EACH",
    ];
    Whole::command().mut_args(|arg| {
        let id = arg.get_id().as_str().to_uppercase();
        match NO_SETTINGS.contains(&id.as_str()) {
            true => arg,
            false => arg.env(format!("FILE_MONITOR_{id}")),
        }
    })
}

fn layered(flags: Options, details: Details, file: Option<&Path>) -> anyhow::Result<Options> {
    flags.check()?;
    let from_file = file.map(Options::read).transpose()?.unwrap_or_default();
    let mut options = flags.or(from_file).or(Options::defaults());
    details.apply(&mut options.actions)?;
    options.check_whole()?;
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(line: &[&str]) -> anyhow::Result<Task> {
        let words = std::iter::once("file-monitor").chain(line.iter().copied());
        let matches = command().try_get_matches_from(words)?;
        Arguments::from_matches(&matches)?.task()
    }

    fn printed(line: &[&str]) -> String {
        let mut all = vec!["--print-config"];
        all.extend(line);
        match task(&all).unwrap() {
            Task::PrintConfig(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn what_is_printed_is_read_back_as_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        let flags = [
            "src",
            ".",
            "-e",
            "php,html",
            "--check",
            "php -l {changed}",
            "--pid-file",
            "x.pid",
            "--run",
            "make all",
            "--port",
            "8080",
            "--",
            "php",
            "server.php",
            "start",
        ];
        let first = printed(&flags);
        std::fs::write(&file, &first).unwrap();
        assert_eq!(printed(&["--config", file.to_str().unwrap()]), first);
        let here = std::env::current_dir().unwrap();
        let places = [
            format!("paths = [\"{0}/src\", \"{0}\"]", here.display()),
            format!("pid_file = \"{}/x.pid\"", here.display()),
            format!("directory = \"{}\"", here.display()),
        ];
        assert!(places.iter().all(|place| first.contains(place)), "{first}");
        for part in
            ["settle = \"50ms\"", "signal = \"SIGUSR1\"", "port = 8080", "[actions.restart]"]
        {
            assert!(first.contains(part), "{part}: {first}");
        }
    }

    #[test]
    fn a_file_gives_way_to_flags_and_begins_at_its_own_folder() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        let text = "paths = [\"src\"]\nsettle = \"80ms\"\ninterval = \"1s\"\n[[actions]]\nsignal = { pid_file = \"a.pid\" }\n";
        std::fs::write(&file, text).unwrap();
        let printed = printed(&["--config", file.to_str().unwrap(), "--settle", "90ms"]);
        let at = |name: &str| folder.path().join(name).display().to_string();
        for part in ["settle = \"90ms\"", "interval = \"1s\"", &at("src"), &at("a.pid")] {
            assert!(printed.contains(part), "{part}: {printed}");
        }
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        for (text, part) in [
            ("setle = \"1s\"\n", "unknown field `setle`"),
            ("settle = 5\n", "line 1, column 10"),
            ("[check]\ncommand = \"a 'b\"\n", "a quote that is not closed"),
            ("[[actions]]\nsignal = {}\n", "either `pid` or `pid_file`"),
            ("[[actions]]\nsignal = { pid = 1 }\n", "a `pid` above 1"),
            ("[[actions]]\nsignal = { pid = 7, signal = \"SIGNOPE\" }\n", "is no signal"),
            ("[[actions]]\nrestart = { command = \"a {changed}\" }\n", "cannot have {changed}"),
            ("[[actions]]\npost = { url = \"ftp://a\" }\n", "only http"),
            ("[[actions]]\npost = { url = \"http://a\", ca = \"b\" }\n", "`ca` is of no use"),
            ("[[actions]]\nfly = {}\n", "unknown variant `fly`"),
            ("settle = \"6s\"\n", "settle_max is shorter than settle"),
            ("poll_interval = \"1ms\"\n", "poll_interval is shorter than 10ms"),
            ("exclude = [\"a{\"]\n", "the pattern \"a{\" is wrong"),
            ("log = \"a=b=c\"\n", "is no level"),
            ("[check]\ncommand = \"a\"\ntimeout = \"0s\"\n", "check.timeout is 0"),
            ("[[actions]]\nrun = { command = \"a x={changed}\" }\n", "a word of its own"),
            ("[[actions]]\nrun = { command = \"a\", timeout = \"25h\" }\n", "longer than a day"),
            ("[[actions]]\nrestart = { command = \"a\", port = 0 }\n", "restart.port is 0"),
            ("[[actions]]\npublish = { channel = \"\" }\n", "publish.channel is empty"),
            ("[[actions]]\npublish = { channel = \"a\", server = \"::bad\" }\n", "\"::bad\""),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = task(&["--config", file.to_str().unwrap()]).unwrap_err();
            assert!(format!("{error:#}").contains(part), "{part}: {error:#}");
        }
        for line in [&["--signal", "SIGHUP"][..], &["--once", "--", "true"], &["--port", "1"]] {
            assert!(task(line).is_err(), "{line:?}");
        }
    }

    #[test]
    fn a_flag_says_how_an_action_of_the_file_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        let text = "[[actions]]\nrestart = { command = \"a\", port = 1 }\n[[actions]]\nsignal = { pid_file = \"b\" }\n";
        std::fs::write(&file, text).unwrap();
        let line = ["--config", file.to_str().unwrap(), "--port", "8080", "--stop-timeout", "3s"];
        let flags = [&line[..], &["--stop-signal", "SIGINT", "--signal", "SIGHUP"]].concat();
        let printed = printed(&flags);
        for part in [
            "port = 8080",
            "stop_timeout = \"3s\"",
            "stop_signal = \"SIGINT\"",
            "signal = \"SIGHUP\"",
        ] {
            assert!(printed.contains(part), "{part}: {printed}");
        }
        std::fs::write(&file, "[[actions]]\nrun = { command = \"a\" }\n").unwrap();
        assert!(task(&line).is_err());
    }
}
