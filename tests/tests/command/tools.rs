//! `workyard ping|bench|watch|completions`.

use crate::support::{USAGE, document, documents};
use workyard_tests::{Program, Up};

#[test]
fn ping_says_how_long_an_answer_takes() {
    let up = Up::start();
    let both = up.ask("ping");
    let lines: Vec<_> = both.lines().collect();
    assert!(lines[0].starts_with("channel-server     answers in "), "{both}");
    assert!(lines[1].starts_with("globaldata-server  answers in "), "{both}");
    for (service, server) in [("channel", "channel-server"), ("globaldata", "globaldata-server")] {
        assert!(up.ask(&format!("ping {service}")).starts_with(server));
        let said = document(&up, &format!("ping {service}"));
        assert_eq!(said["server"], server);
        assert!(said["round_trip_us"].as_f64().is_some_and(|time| time > 0.0), "{said}");
    }
    assert_eq!(documents(&up.ask("ping --json")).len(), 2);
}

#[test]
fn bench_measures() {
    let up = Up::start();
    let text = up.ask("bench pub --subscribers 3 --messages 2000 --size 32");
    assert!(text.starts_with("6000 deliveries in "), "{text}");
    let said = document(&up, "bench pub --subscribers 2 --messages 500");
    assert_eq!((&said["what"], &said["count"]), (&"deliveries".into(), &1000.into()));
    for operation in ["get", "set", "incr", "cas"] {
        let line = format!("bench kv --operation {operation} --requests 2000 --connections 2");
        assert!(up.ask(&line).starts_with("2000 requests in "));
        let said = document(&up, &line);
        assert_eq!(said["count"], 2000);
        for figure in ["seconds", "per_second", "p50_us", "p99_us", "p999_us"] {
            assert!(said[figure].as_f64().is_some_and(|figure| figure > 0.0), "{said}");
        }
    }
    assert_eq!(up.ask("keys"), "", "it leaves nothing behind");
}

#[test]
fn shells_complete_the_command() {
    let script = |shell| {
        let exit = Program::built("workyard").arguments(["completions", shell]).run();
        assert_eq!((exit.code, exit.stderr.as_str()), (Some(0), ""), "{shell}");
        assert!(exit.stdout.contains("globaldata"), "{shell}: {}", exit.stdout);
        assert!(!exit.stdout.contains("check-worker"), "{shell} knows what is hidden");
        exit.stdout
    };
    for shell in ["zsh", "fish"] {
        script(shell);
    }
    let bash = script("bash");
    let checked = Program::at("bash").arguments(["-n"]).input(&bash).run();
    assert_eq!((checked.code, checked.stderr.as_str()), (Some(0), ""));
    let ask = "COMP_WORDS=(workyard que); COMP_CWORD=1; _workyard workyard que workyard; \
               echo \"completed: ${COMPREPLY[*]}\"";
    let completed = Program::at("bash").input(&format!("{bash}\n{ask}\n")).run();
    assert_eq!(completed.stdout, "completed: queue\n", "{completed:?}");
    assert_eq!(Program::built("workyard").arguments(["completions", "sh"]).run().code, Some(USAGE));
}

#[test]
fn watch_is_file_monitor() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("p")).unwrap();
    let path = folder.path().join("p").display().to_string();
    // Flags and variables that other commands have too mean what they mean to file-monitor.
    let printed = Program::built("workyard")
        .arguments(["watch", "--print-config", &path, "--settle", "70ms"])
        .variable("WORKYARD_CONFIG", "/no/such/file")
        .run();
    assert_eq!(printed.code, Some(0), "{printed:?}");
    assert!(printed.stdout.contains("settle = \"70ms\"") && printed.stdout.contains(&path));
    let arguments = ["watch", "--json", "--once", "--run", "true", &path];
    let mut watch = Program::built("workyard").arguments(arguments).start();
    watch.stdout().expect("\"ready\"");
    std::fs::write(folder.path().join("p/a"), "one").unwrap();
    assert_eq!(watch.wait(), 0);
    let misplaced = Program::built("workyard").arguments(["--json", "watch"]).run();
    assert_eq!(misplaced.code, Some(USAGE), "{misplaced:?}");
}
