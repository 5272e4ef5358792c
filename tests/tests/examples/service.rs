//! A program of workers that runs: its supervisor, and its commands.

use serde_json::Value as Json;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use tempfile::TempDir;
use workyard_tests::{Program, Running, built};

pub(crate) struct Service {
    folder: TempDir,
    name: String,
    environment: Vec<(String, String)>,
    _running: Running,
}

impl Service {
    /// Starts an example in a folder of its own, where its files lie too, and waits until it says that it has.
    #[track_caller]
    pub(crate) fn start(name: &str, environment: &[(&str, String)]) -> Self {
        let built = built(name);
        let folder = tempfile::tempdir_in(built.parent().unwrap()).unwrap();
        let path = folder.path().join(name);
        // The file itself would show the way back to the folder of all examples.
        fs::hard_link(&built, &path).unwrap();
        let own = |(name, value): &(&str, String)| ((*name).to_owned(), value.clone());
        let environment: Vec<_> = environment.iter().map(own).collect();
        let running = program(path, &environment, &["start"]).start();
        running.stdout().expect("Start success");
        Self { folder, name: name.to_owned(), environment, _running: running }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    /// Runs a command of it, which must succeed, and returns what it prints.
    #[track_caller]
    pub(crate) fn says(&self, arguments: &[&str]) -> String {
        let exit = program(self.path(), &self.environment, arguments).run();
        assert_eq!(exit.code, Some(0), "{arguments:?}: {}", exit.stderr);
        exit.stdout
    }

    /// The pids of a worker's processes, by their ids.
    #[track_caller]
    pub(crate) fn pids(&self, worker: &str) -> Vec<i32> {
        let status: Json = serde_json::from_str(&self.says(&["status", "--json"])).unwrap();
        let processes = status["processes"].as_array().unwrap().iter();
        let own = processes.filter(|process| process["name"] == worker);
        let mut pids: Vec<_> = own
            .map(|process| (process["id"].as_u64().unwrap(), process["pid"].as_i64().unwrap()))
            .collect();
        pids.sort_unstable();
        pids.into_iter().map(|(_, pid)| i32::try_from(pid).unwrap()).collect()
    }
}

fn program(path: PathBuf, environment: &[(String, String)], arguments: &[&str]) -> Program {
    let program = Program::at(path).arguments(arguments);
    environment.iter().fold(program, |program, (name, value)| program.variable(name, value))
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
