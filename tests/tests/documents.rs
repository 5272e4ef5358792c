//! What the documents promise is what the programs have: every flag, every limit, every reason.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use workyard_protocol::Reason;
use workyard_tests::{ChannelWire, GlobalDataWire, Program, Service, Setup};

/// Flags that are no settings.
const NO_SETTINGS: [&str; 5] = ["config", "check_config", "print_config", "help", "version"];

fn document(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let path = root.join("docs").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The first cells of the rows of all tables that are a name in code style.
fn keys_of_tables(text: &str) -> BTreeSet<String> {
    let key = |line: &str| {
        let cell = line.strip_prefix("| `")?.split_once("` |")?.0;
        let is_key = cell.chars().all(|each| each.is_ascii_lowercase() || each == '_');
        is_key.then(|| cell.to_owned())
    };
    text.lines().filter_map(key).collect()
}

/// The part about the two servers, and the part about file-monitor.
fn parted(operations: &str) -> (String, String) {
    let (before, rest) =
        operations.split_once("\n## file-monitor\n").expect("there is such a part");
    let (about, after) = rest.split_once("\n## ").expect("it is not the last");
    (format!("{before}\n## {after}"), about.to_owned())
}

/// The flags in a server's help text, as the keys of a file.
fn keys_of_flags<W: Service>() -> BTreeSet<String> {
    keys_of_help(&Setup::<W>::new().switch("--help").run().stdout)
}

fn keys_of_help(help: &str) -> BTreeSet<String> {
    let flag = |line: &str| {
        let flag = line.trim_start();
        let flag =
            ["-h, ", "-V, ", "-e, "].iter().fold(flag, |it, short| it.trim_start_matches(short));
        let name = flag.strip_prefix("--")?.split([' ', '=', '[']).next()?;
        Some(name.replace('-', "_"))
    };
    let flags: BTreeSet<String> = help.lines().filter_map(flag).collect();
    assert!(flags.len() > 10, "{help}");
    flags
}

#[test]
fn every_flag_is_described_and_every_described_setting_is_a_flag() {
    let operations = document("operations.md");
    let mut flags = keys_of_flags::<ChannelWire>();
    flags.extend(keys_of_flags::<GlobalDataWire>());
    for flag in NO_SETTINGS {
        assert!(flags.remove(flag), "--{flag} is gone");
    }
    assert_eq!(keys_of_tables(&parted(&operations).0), flags);
    for flag in ["--config", "--check-config", "--print-config"] {
        assert!(operations.contains(flag), "{flag}");
    }
}

#[test]
fn every_setting_of_file_monitor_is_described_and_every_described_one_is_a_flag() {
    /// What a file says in `[check]` and `[[actions]]`, and how it is run.
    const OTHERS: [&str; 12] = [
        "once",
        "dry_run",
        "json",
        "check",
        "check_each",
        "pid_file",
        "pid",
        "signal",
        "run",
        "port",
        "stop_signal",
        "stop_timeout",
    ];
    let about = parted(&document("operations.md")).1;
    let help = Program::built("file-monitor").arguments(["--help"]).run().stdout;
    let mut flags = keys_of_help(&help);
    for flag in NO_SETTINGS.iter().chain(&OTHERS) {
        assert!(flags.remove(*flag), "--{flag} is gone");
    }
    // These are arguments.
    flags.insert("paths".to_owned());
    assert_eq!(keys_of_tables(&about), flags);
}

#[test]
fn every_flag_can_be_given_as_the_variable_that_is_described() {
    for (kind, help) in [
        ("CHANNEL_SERVER", Setup::<ChannelWire>::new().switch("--help").run().stdout),
        ("GLOBALDATA_SERVER", Setup::<GlobalDataWire>::new().switch("--help").run().stdout),
    ] {
        for key in ["LISTEN", "SESSIONS_MAX", "WRITE_BUFFER_BYTES_MAX", "LOG_FORMAT"] {
            assert!(help.contains(&format!("[env: {kind}_{key}=")), "{kind}_{key} in {help}");
        }
    }
}

#[test]
fn the_limits_of_each_daemon_stand_in_its_own_table() {
    let operations = document("operations.md");
    let common: BTreeSet<_> = keys_of_flags::<ChannelWire>()
        .intersection(&keys_of_flags::<GlobalDataWire>())
        .cloned()
        .collect();
    let section = |title: &str| {
        let (_, rest) = operations.split_once(title).expect("the section");
        keys_of_tables(rest.split("\n#").next().unwrap_or_default())
    };
    let own = |all: BTreeSet<String>| -> BTreeSet<_> { all.difference(&common).cloned().collect() };
    let channel = section("`[limits]` of channel-server");
    let globaldata = section("`[limits]` of globaldata-server");
    assert_eq!(channel, own(keys_of_flags::<ChannelWire>()));
    assert_eq!(globaldata, own(keys_of_flags::<GlobalDataWire>()));
}

#[test]
fn every_reason_stands_in_the_protocol_with_its_code() {
    let protocol = document("protocol.md");
    for reason in Reason::ALL {
        let (name, code) = (reason.name(), reason.code().to_string());
        let row = protocol.lines().find(|line| {
            let mut words = line.split(|each: char| !each.is_ascii_alphanumeric());
            words.clone().any(|word| word == name) && words.any(|word| word == code)
        });
        assert!(row.is_some(), "{name} = {code} is not in docs/protocol.md");
    }
}

#[test]
fn every_exit_code_is_described() {
    let operations = document("operations.md");
    let (_, table) = operations.split_once("## Exit codes").expect("the section");
    for code in 0..=4 {
        assert!(table.contains(&format!("| {code} |")), "exit code {code}");
    }
}
