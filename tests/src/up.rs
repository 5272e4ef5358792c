//! Both daemons by `workyard up`, on ports that the system chooses, and the command to talk to them.

use crate::{Exit, Program, Running};
use std::ffi::OsStr;

/// `workyard up`, which runs.
#[derive(Debug)]
pub struct Up {
    running: Running,
    channel: String,
    globaldata: String,
}

impl Up {
    /// Starts it without its own check and waits until it serves.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        Self::start_with(&["--no-check"])
    }

    /// Starts it with further flags and waits until it serves.
    #[must_use]
    #[track_caller]
    pub fn start_with(flags: &[&str]) -> Self {
        let ports = ["up", "--channel-listen", "127.0.0.1:0", "--globaldata-listen", "127.0.0.1:0"];
        let running = Program::built("workyard").arguments(ports).arguments(flags).start();
        let address = |server| {
            let line = running.stdout().expect(&format!("{server:<18} listening on "));
            line.rsplit(' ').next().expect("the address comes last").to_owned()
        };
        let (channel, globaldata) = (address("channel-server"), address("globaldata-server"));
        running.stdout().expect("Ctrl-C stops both.");
        Self { running, channel, globaldata }
    }

    /// Where channel-server listens.
    #[must_use]
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// Where globaldata-server listens.
    #[must_use]
    pub fn globaldata(&self) -> &str {
        &self.globaldata
    }

    /// The process.
    pub fn running(&mut self) -> &mut Running {
        &mut self.running
    }

    /// A program that finds both daemons in its environment.
    #[must_use]
    pub fn environment(&self, program: Program) -> Program {
        let program = program.variable("WORKYARD_CHANNEL", &self.channel);
        program.variable("WORKYARD_GLOBALDATA", &self.globaldata)
    }

    /// The `workyard` command, which finds both daemons in its environment.
    #[must_use]
    pub fn workyard(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Program {
        self.environment(Program::built("workyard")).arguments(arguments)
    }

    /// Runs the `workyard` command with the words of a line as its arguments.
    #[track_caller]
    pub fn run(&self, line: &str) -> Exit {
        self.workyard(line.split_whitespace()).run()
    }

    /// Runs the command of a line and returns what it printed.
    ///
    /// # Panics
    /// When it fails, or complains.
    #[track_caller]
    pub fn ask(&self, line: &str) -> String {
        let exit = self.run(line);
        assert_eq!((exit.code, exit.stderr.as_str()), (Some(0), ""), "{line}: {exit:?}");
        exit.stdout
    }

    /// Runs the command of a line until it prints what is wanted: a subscriber in another process
    /// takes a moment.
    #[track_caller]
    pub fn ask_until(&self, line: &str, wanted: &str) {
        crate::eventually(&format!("{line} says {wanted:?}"), || self.ask(line) == wanted);
    }
}
