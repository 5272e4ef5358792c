//! Plays what was recorded with servers that run already, ours or the original ones:
//! `replay channel 127.0.0.1:2206`, with `--unmarked` to leave out what the original does wrong.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program for the terminal")]

use std::process::ExitCode;
use workyard_tests::Endpoint;
use workyard_tests::workerman::{
    Failure, Pace, Summary, Wire, play_all, play_data, play_increments, play_values,
};

const USAGE: &str =
    "usage: replay (channel | globaldata | data | values | increments) HOST:PORT [--unmarked]";
const EXIT_FAILED: u8 = 1;
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (what, address, marked) = match arguments.as_slice() {
        [what, address] => (*what, address.parse(), true),
        [what, address, "--unmarked"] => (*what, address.parse(), false),
        _ => return complain(USAGE, EXIT_USAGE),
    };
    let Ok(address) = address else {
        return complain(USAGE, EXIT_USAGE);
    };
    let endpoint = Endpoint::Tcp(address);
    let summary = match what {
        "channel" => Ok(dialogues(Wire::Channel, &endpoint, marked)),
        "globaldata" => Ok(dialogues(Wire::GlobalData, &endpoint, marked)),
        "data" => play_data(&endpoint, marked),
        "values" => play_values(&endpoint, marked),
        "increments" => play_increments(&endpoint, marked),
        _ => return complain(USAGE, EXIT_USAGE),
    };
    show(summary)
}

fn dialogues(wire: Wire, endpoint: &Endpoint, marked: bool) -> Summary {
    let mut cases = wire.cases();
    cases.retain(|case| marked || case.php.is_none());
    // The dialogues share names, so that one server can have only one at a time.
    play_all(wire, Pace::Whole, &cases, 1, || ((), endpoint.clone()))
}

fn show(summary: Result<Summary, Failure>) -> ExitCode {
    match summary {
        Ok(summary) => {
            println!("{summary}");
            if summary.is_good() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FAILED) }
        }
        Err(failure) => complain(&failure.to_string(), EXIT_FAILED),
    }
}

fn complain(what: &str, code: u8) -> ExitCode {
    eprintln!("{what}");
    ExitCode::from(code)
}
