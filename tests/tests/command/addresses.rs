//! Where the command looks for the servers: flag, environment, file, in this order.

use crate::support::{UNREACHABLE, USAGE};
use std::fs;
use tempfile::TempDir;
use workyard_tests::{Exit, Program, Up};

/// A folder with a file of this text, and the path of that.
fn file(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("workyard/workyard.toml");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

/// A file that names both servers.
fn right(up: &Up) -> String {
    format!("channel = \"{}\"\nglobaldata = [\"{}\"]\n", up.channel(), up.globaldata())
}

/// The command without addresses in its environment.
fn workyard(line: &str) -> Program {
    Program::built("workyard").arguments(line.split_whitespace())
}

#[track_caller]
fn pings(program: Program) {
    let exit = program.run();
    assert_eq!((exit.code, exit.stdout.lines().count()), (Some(0), 2), "{exit:?}");
}

#[track_caller]
fn is_refused(exit: &Exit, text: &str) {
    assert_eq!((exit.code, exit.stdout.as_str()), (Some(USAGE), ""), "{exit:?}");
    assert!(exit.stderr.contains(text), "{exit:?}");
}

#[test]
fn a_file_names_the_servers() {
    let up = Up::start();
    let (folder, path) = file(&right(&up));
    pings(workyard(&format!("ping --config {path}")));
    pings(workyard("ping").variable("WORKYARD_CONFIG", &path));
    pings(workyard("ping").variable("XDG_CONFIG_HOME", folder.path()));
    fs::create_dir(folder.path().join(".config")).unwrap();
    fs::rename(folder.path().join("workyard"), folder.path().join(".config/workyard")).unwrap();
    pings(workyard("ping").variable("HOME", folder.path()));
}

#[test]
fn the_flag_wins_over_the_environment_and_that_over_the_file() {
    let up = Up::start();
    let (_folder, path) = file("channel = \"127.0.0.1:1\"\nglobaldata = [\"127.0.0.1:1\"]\n");
    let config = |line: &str| workyard(&format!("{line} --config {path}"));
    assert_eq!(config("ping channel").run().code, Some(UNREACHABLE));
    pings(up.environment(config("ping")));
    let flag = format!("ping channel --server {}", up.channel());
    let program = config(&flag).variable("WORKYARD_CHANNEL", "127.0.0.1:2");
    assert_eq!(program.run().code, Some(0));
    let exit = up.run("ping channel --server 127.0.0.1:1");
    assert_eq!(exit.code, Some(UNREACHABLE), "{exit:?}");
}

#[test]
fn a_file_that_is_wrong_is_refused_even_when_it_is_not_needed() {
    let up = Up::start();
    for (text, why) in [
        ("chanel = \"127.0.0.1:1\"\n", "unknown field `chanel`"),
        ("channel = 5\n", "channel = 5"),
        ("globaldata = \"127.0.0.1:1\"\n", "globaldata"),
        ("channel\n", "workyard.toml is wrong"),
    ] {
        let (folder, path) = file(text);
        for command in ["ping channel", "get key"] {
            is_refused(&workyard(&format!("{command} --config {path}")).run(), why);
            let own = workyard(command).variable("XDG_CONFIG_HOME", folder.path());
            is_refused(&up.environment(own).run(), why);
        }
    }
    let missing = workyard("ping --config /nowhere/workyard.toml");
    is_refused(&up.environment(missing).run(), "cannot read /nowhere/workyard.toml");
}

#[test]
fn several_globaldata_servers_share_the_keys() {
    let ups = [Up::start(), Up::start()];
    let addresses = ups.each_ref().map(Up::globaldata).join(",");
    let sharded = |line: &str| workyard(line).variable("WORKYARD_GLOBALDATA", &addresses).run();
    for number in 0..20 {
        assert_eq!(sharded(&format!("set key-{number} {number}")).code, Some(0));
    }
    let exit = sharded("get key-3 key-17 key-9");
    assert_eq!((exit.code, exit.stdout.as_str()), (Some(0), "3\n17\n9\n"));
    assert_eq!(sharded("keys").stdout.lines().count(), 20);
    let shares = ups.each_ref().map(|up| up.ask("keys").lines().count());
    assert_eq!(shares.iter().sum::<usize>(), 20);
    assert!(shares.iter().all(|share| *share > 0), "{shares:?}");
    let flag = workyard(&format!("keys --server {addresses}")).run();
    assert_eq!(flag.stdout.lines().count(), 20, "{flag:?}");
}
