//! `shared-counter`: what several processes count and list comes out exact.

use workyard_tests::{Program, Up};

#[test]
fn several_processes_count_exactly() {
    let up = Up::start();
    let run = |processes: &str, rounds: &str| {
        let program = Program::built("shared-counter");
        up.environment(program).arguments(["--processes", processes, "--rounds", rounds]).run()
    };
    for (processes, rounds, said) in [
        ("4", "500", "4 processes counted to 2000; 80 users are listed\n"),
        ("1", "10", "1 processes counted to 10; 20 users are listed\n"),
        ("8", "100", "8 processes counted to 800; 160 users are listed\n"),
    ] {
        let exit = run(processes, rounds);
        assert_eq!((exit.code, exit.stderr.as_str()), (Some(0), ""), "{exit:?}");
        assert_eq!(exit.stdout, said);
    }
    assert_eq!(up.ask("get example.counter"), "800\n");
}

#[test]
fn a_server_that_is_not_there_is_said() {
    let program = Program::built("shared-counter").arguments(["--globaldata", "127.0.0.1:1"]);
    let exit = program.run();
    assert_eq!((exit.code, exit.stdout.as_str()), (Some(1), ""), "{exit:?}");
    assert!(exit.stderr.contains("cannot reach tcp://127.0.0.1:1"), "{exit:?}");
}
