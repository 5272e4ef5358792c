//! What the suites beside this file share.

use serde_json::Value as Json;
use workyard_tests::{Exit, Up};

/// Exit codes, as `workyard --help` lists them.
pub(crate) const NO: i32 = 1;
pub(crate) const USAGE: i32 = 2;
pub(crate) const UNREACHABLE: i32 = 3;
pub(crate) const TIMED_OUT: i32 = 4;
pub(crate) const REFUSED: i32 = 5;
pub(crate) const FAILED: i32 = 6;

/// Documents, one a line.
#[track_caller]
pub(crate) fn documents(text: &str) -> Vec<Json> {
    let document = |line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
    text.lines().map(document).collect()
}

/// What a command prints with `--json`, one document.
#[track_caller]
pub(crate) fn document(up: &Up, line: &str) -> Json {
    let text = up.ask(&format!("{line} --json"));
    let [document] = documents(&text).try_into().expect("one document");
    document
}

/// Runs a command that fails, with this code, nothing on standard output and a text that has all of
/// these; then with `--json`, where the error is a document.
#[track_caller]
pub(crate) fn fails(up: &Up, line: &str, code: i32, texts: &[&str]) {
    let exit = up.run(line);
    assert_eq!((exit.code, exit.stdout.as_str()), (Some(code), ""), "{line}: {exit:?}");
    has_all(&exit, &exit.stderr, texts);
    let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
    let exit = up.run(&format!("{first} --json {rest}"));
    assert_eq!((exit.code, exit.stdout.as_str()), (Some(code), ""), "{line}: {exit:?}");
    let [error] = documents(&exit.stderr).try_into().expect("one document");
    assert!(error["kind"].is_string(), "{error}");
    let text = format!("{} {}", error["error"].as_str().unwrap(), error["hint"]);
    has_all(&exit, &text, texts);
}

#[track_caller]
fn has_all(exit: &Exit, text: &str, parts: &[&str]) {
    let missing = parts.iter().find(|part| !text.contains(**part));
    assert!(missing.is_none(), "{missing:?} is not said: {exit:?}");
}
