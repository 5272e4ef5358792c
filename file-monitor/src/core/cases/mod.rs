//! Cases as data: what editors and tools do, with times, and what must come of it.
//!
//! `== name` begins a case. `has` says what is there before; `with` sets something; `TIME operation`
//! happens to the file system or the monitor at that millisecond; `TIME: changes` is a set that must
//! come out then. Nothing else may come out. All paths are below the root, unless they are absolute.

mod random;
mod script;

use script::Script;

fn play(text: &str) -> usize {
    let cases = Script::parse(text);
    for case in &cases {
        assert_eq!(case.run(), case.expected, "{}", case.name);
    }
    cases.len()
}

#[test]
fn editors_save() {
    assert_eq!(play(include_str!("editors.txt")), 13);
}

#[test]
fn tools_write() {
    assert_eq!(play(include_str!("tools.txt")), 27);
}

#[test]
fn trees_move() {
    assert_eq!(play(include_str!("trees.txt")), 14);
}

#[test]
fn time_passes() {
    assert_eq!(play(include_str!("timing.txt")), 18);
}

#[test]
fn hints_are_lost_or_lie() {
    assert_eq!(play(include_str!("troubles.txt")), 25);
}

#[test]
fn rules_change() {
    assert_eq!(play(include_str!("rules.txt")), 17);
}

#[test]
fn paths_lie_within_others_and_links_lead_elsewhere() {
    assert_eq!(play(include_str!("links.txt")), 21);
}
