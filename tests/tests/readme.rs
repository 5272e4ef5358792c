//! What README.md says a user can type, and what it says will be printed.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use workyard_tests::{Program, Running, Up, built, eventually};

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    fs::read_to_string(path).unwrap()
}

/// The first block of this language after a text.
fn block(readme: &str, after: &str, language: &str) -> String {
    let (_, rest) = readme.split_once(after).unwrap_or_else(|| panic!("{after:?} is gone"));
    let (_, rest) = rest.split_once(&format!("```{language}\n")).unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    block.to_owned()
}

/// A command of a block, and the comment behind it.
struct Line {
    command: String,
    comment: Option<String>,
    background: bool,
}

impl Line {
    fn parse(text: &str) -> Self {
        let (command, comment) = match text.split_once(" # ") {
            Some((command, comment)) => (command.trim(), Some(comment.trim().to_owned())),
            None => (text.trim(), None),
        };
        let background = command.ends_with('&');
        let command = command.trim_end_matches('&').trim().to_owned();
        Self { command, comment, background }
    }

    /// For a shell that has the command in its path and the servers in its environment.
    fn program(&self, up: &Up) -> Program {
        let folder = built("workyard").parent().unwrap().to_owned();
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
        up.environment(Program::at("sh").variable("PATH", path)).arguments(["-c", &self.command])
    }

    /// Runs it, and checks what the comment says it prints.
    #[track_caller]
    fn run(&self, up: &Up) -> String {
        let mut exit = self.program(up).run();
        if self.command.starts_with("workyard pub ") {
            // Nobody waits a second before typing on, and to publish to nobody changes nothing.
            eventually("somebody subscribes", || {
                exit.stdout != "0\n" || {
                    exit = self.program(up).run();
                    false
                }
            });
        }
        if self.command.starts_with("workyard request ") {
            eventually("somebody serves", || {
                exit.code != Some(1) || {
                    exit = self.program(up).run();
                    false
                }
            });
        }
        assert_eq!((exit.code, exit.stderr.as_str()), (Some(0), ""), "{}", self.command);
        if let Some(comment) = &self.comment {
            assert_eq!(exit.stdout.trim_end(), comment, "{}", self.command);
        }
        exit.stdout
    }
}

#[test]
fn the_quick_start_works_as_it_is_shown() {
    let block = block(&readme(), "From a second terminal", "sh");
    let up = Up::start();
    let mut printed = Vec::new();
    let mut subscribers: Vec<Running> = Vec::new();
    for line in block.lines().filter(|line| !line.is_empty()).map(Line::parse) {
        if line.background {
            subscribers.push(line.program(&up).start());
        } else {
            printed.push((line.run(&up), line.command));
        }
    }
    let commented = block.lines().filter(|line| line.contains(" # ")).count();
    assert!(commented >= 4, "the comments are not found");

    let [news, orders, ..] = subscribers.as_slice() else { panic!("two are in the background") };
    news.stdout().expect("hello, workers");
    orders.stdout().expect("orders.7: {\"paid\":true}");
    let printed_by = |start: &str| {
        let found = printed.iter().find(|(_, command)| command.starts_with(start));
        found.map(|(text, _)| text.as_str()).unwrap_or_else(|| panic!("{start} is gone"))
    };
    assert_eq!(printed_by("workyard get visits config.colour"), "42\nblue\n");
    let sent = "sending to a@example.org\nsending to b@example.org\n";
    assert_eq!(printed_by("workyard queue work"), sent);
    assert!(printed_by("workyard queue stats").contains("queue"));
}

#[test]
fn up_prints_what_is_shown() {
    let shown = block(&readme(), "prints what arrived", "text");
    let mut up = Up::start_with(&[]);
    let ports = [up.channel(), up.globaldata()]
        .map(|address| address.rsplit(':').next().unwrap().to_owned());
    let printed = up.running().stdout().lines().join("\n");
    let printed = printed.replace(&ports[0], "2206").replace(&ports[1], "2207");
    let (proof, hints) = printed.split_once("\n\n").unwrap();
    assert_eq!(proof, shown.trim_end());
    // What it suggests to try is what can be typed.
    for line in hints.lines().filter(|line| line.starts_with("  ")) {
        for command in line.split(" and ").map(str::trim) {
            let help = format!("{} --help", command.strip_prefix("workyard ").unwrap());
            assert_eq!(up.run(&help).code, Some(0), "{command}");
        }
    }
    let help = up.ask("up --help");
    for default in ["127.0.0.1:2206", "127.0.0.1:2207"] {
        assert!(help.contains(default), "{default} is no default");
    }
}

#[test]
fn the_snippets_are_those_of_programs_that_compile() {
    let readme = readme();
    for (first, program) in [
        ("use workyard_channel::ChannelClient;", "channels"),
        ("use workyard_globaldata::{Bounds,", "variables"),
    ] {
        let path = format!("../examples/readme/{program}.rs");
        let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        let mut source = source.lines().map(str::trim);
        let snippet = readme.split("```rust\n").find(|block| block.contains(first)).unwrap();
        let (snippet, _) = snippet.split_once("```").unwrap();
        for line in snippet.lines().map(str::trim).filter(|line| !line.is_empty()) {
            assert!(source.any(|given| given == line), "{program}.rs has no {line:?} there");
        }
    }
}
