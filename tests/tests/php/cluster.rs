//! The manual's cluster: workers that subscribe to their number, and short-lived scripts that push.

use crate::support::{finish, place, ready, run, script, start};
use workyard_tests::{ChannelWire, Setup};

#[test]
fn a_script_that_ends_at_once_reaches_a_worker_by_its_number_and_all_by_name() {
    let daemon = Setup::<ChannelWire>::new().start();
    let workers = [3, 4].map(|id: u32| ready("worker.php", &daemon, &[&id.to_string(), "3"]));
    assert_eq!(run("push.php", &daemon, &["all", "3", r#"{"to":3,"text":"héllo"}"#]), "");
    assert_eq!(run("push.php", &daemon, &["all", "广播", r#"[1,2.5,null,{"x":{"y":[]}}]"#]), "");
    assert_eq!(run("push.php", &daemon, &["all", "4", "\"only 4\""]), "");
    assert_eq!(run("push.php", &daemon, &["all", "广播", "true"]), "");
    // The name comes back as the publisher wrote it: as a string.
    let lines = workers.map(finish);
    assert_eq!(
        lines[0],
        [
            "ready",
            r#"string 3 {"to":3,"text":"héllo"}"#,
            r#"string 广播 [1,2.5,null,{"x":{"y":[]}}]"#,
            "string 广播 true",
            "done"
        ]
    );
    assert_eq!(
        lines[1],
        [
            "ready",
            r#"string 广播 [1,2.5,null,{"x":{"y":[]}}]"#,
            "string 4 \"only 4\"",
            "string 广播 true",
            "done"
        ]
    );
}

#[test]
fn what_is_published_in_turn_reaches_the_second_subscriber_first() {
    let daemon = Setup::<ChannelWire>::new().start();
    let workers = [1, 2, 3].map(|id: u32| ready("worker.php", &daemon, &[&id.to_string(), "3"]));
    for number in 0..6 {
        run("push.php", &daemon, &["loop", "广播", &number.to_string()]);
    }
    // Who leaves changes whose turn it is: all stay until the end.
    run("push.php", &daemon, &["all", "广播", "\"end\""]);
    let lines = workers.map(finish);
    let line = |number: u32| format!("string 广播 {number}");
    assert_eq!(lines[1][1..3], [line(0), line(3)]);
    assert_eq!(lines[2][1..3], [line(1), line(4)]);
    assert_eq!(lines[0][1..3], [line(2), line(5)]);
}

#[test]
fn jobs_of_a_script_that_ends_at_once_wait_for_consumers_and_come_in_order() {
    const JOBS: u32 = 300;
    let daemon = Setup::<ChannelWire>::new().start();
    run("producer.php", &daemon, &["jobs", "0", &JOBS.to_string()]);
    let lines = finish(start("consumer.php", &daemon, &["jobs", &JOBS.to_string()]));
    let jobs: Vec<&String> = lines.iter().filter(|line| line.starts_with("job ")).collect();
    let expected = (0..JOBS).map(|number| format!("job {{\"number\":{number},\"by\":\"php\"}}"));
    assert!(jobs.into_iter().cloned().eq(expected), "{lines:?}");
}

#[test]
fn consumers_share_a_queue_and_do_every_job_once() {
    const EACH: u32 = 50;
    let daemon = Setup::<ChannelWire>::new().start();
    let each = EACH.to_string();
    let consumers = [(); 3].map(|()| ready("consumer.php", &daemon, &["jobs", &each]));
    run("producer.php", &daemon, &["jobs", "0", &(3 * EACH).to_string()]);
    let lines = consumers.map(finish).concat();
    let mut jobs: Vec<String> = lines.into_iter().filter(|line| line.starts_with("job ")).collect();
    jobs.sort_unstable();
    let mut expected: Vec<String> =
        (0..3 * EACH).map(|number| format!("job {{\"number\":{number},\"by\":\"php\"}}")).collect();
    expected.sort_unstable();
    assert_eq!(jobs, expected);
}

#[test]
fn the_job_of_a_consumer_that_is_killed_goes_to_the_next() {
    let daemon = Setup::<ChannelWire>::new().start();
    let mut holder = ready("consumer.php", &daemon, &["jobs", "2", "hold"]);
    run("producer.php", &daemon, &["jobs", "0", "2"]);
    holder.stdout().expect("job {\"number\":0");
    let next = ready("consumer.php", &daemon, &["jobs", "2"]);
    next.stdout().expect("job {\"number\":1");
    holder.kill();
    let lines = finish(next);
    let jobs: Vec<&String> = lines.iter().filter(|line| line.starts_with("job ")).collect();
    // What was lost goes to the head of the queue, and the second consumer has had the second job.
    assert_eq!(jobs, [r#"job {"number":1,"by":"php"}"#, r#"job {"number":0,"by":"php"}"#]);
}

#[test]
fn a_job_that_was_done_is_not_given_again() {
    let daemon = Setup::<ChannelWire>::new().start();
    run("producer.php", &daemon, &["jobs", "0", "1"]);
    let first = finish(start("consumer.php", &daemon, &["jobs", "1"]));
    assert!(first.contains(&"done".to_owned()), "{first:?}");
    run("producer.php", &daemon, &["jobs", "1", "1"]);
    let lines = finish(start("consumer.php", &daemon, &["jobs", "1"]));
    assert!(lines.contains(&r#"job {"number":1,"by":"php"}"#.to_owned()), "{lines:?}");
}

#[test]
fn scripts_connect_to_a_unix_socket() {
    let daemon = Setup::<ChannelWire>::new().unix_socket("channel.sock").start();
    assert!(place(&daemon).starts_with("unix:///"));
    let worker = ready("worker.php", &daemon, &["9", "1"]);
    run("push.php", &daemon, &["all", "9", "9"]);
    assert_eq!(finish(worker), ["ready", "string 9 9", "done"]);
}

#[test]
fn a_script_that_cannot_connect_says_so() {
    let exit = script("push.php").arguments(["127.0.0.1:1", "all", "x", "1"]).run();
    assert_eq!(exit.code, Some(255));
    assert!(exit.stderr.contains("cannot connect to 127.0.0.1:1"), "{exit:?}");
}
