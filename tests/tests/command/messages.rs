//! `workyard pub` and `workyard sub`.

use crate::support::{NO, USAGE, document, documents, fails};
use rustix::process::Signal;
use serde_json::json;
use workyard_tests::{Program, Up, built, eventually};

#[test]
fn a_subscriber_prints_messages_and_stops_after_as_many_as_wanted() {
    let up = Up::start();
    assert_eq!(up.ask("pub news nobody"), "0\n");
    let mut subscriber = up.workyard(["sub", "news", "-n", "3"]).start();
    up.ask_until("pub news hello", "1\n");
    assert_eq!(up.ask("pub news 1.50"), "1\n");
    assert_eq!(document(&up, "pub news last"), json!({ "receivers": 1 }));
    assert_eq!(subscriber.wait(), 0);
    subscriber.stdout().expect("last");
    assert_eq!(subscriber.stdout().lines(), ["hello", "1.5", "last"]);
    assert_eq!(subscriber.stderr().lines(), [""; 0]);
}

#[test]
fn a_subscriber_speaks_json() {
    let up = Up::start();
    let arguments = ["sub", "--pattern", "orders.*", "-n", "2", "--json"];
    let mut subscriber = up.workyard(arguments).start();
    up.ask_until("pub orders.7 {\"paid\":true} --as json", "1\n");
    up.ask("pub orders.8 hello");
    assert_eq!(subscriber.wait(), 0);
    subscriber.stdout().expect("hello");
    let order = |channel, value, kind| {
        json!({
            "channel": channel, "sequence": 1, "value": value, "kind": kind, "missed_before": 0,
            "interrupted_before": false,
        })
    };
    let expected = [
        order("orders.7", json!({ "paid": true }), "json"),
        order("orders.8", json!("hello"), "raw"),
    ];
    assert_eq!(documents(&subscriber.stdout().lines().join("\n")), expected);
}

#[test]
fn who_subscribes_to_several_is_told_which() {
    let up = Up::start();
    let arguments = ["sub", "news", "sport", "-p", "orders.>", "-n", "3"];
    let mut subscriber = up.workyard(arguments).start();
    up.ask_until("pub orders.7.paid yes", "1\n");
    assert_eq!(up.ask("pub news hello --also sport --also other"), "2\n");
    assert_eq!(subscriber.wait(), 0);
    subscriber.stdout().expect("sport");
    let lines = subscriber.stdout().lines();
    assert_eq!(lines[0], "orders.7.paid: yes");
    let mut rest = lines[1..].to_vec();
    rest.sort_unstable();
    assert_eq!(rest, ["news: hello", "sport: hello"]);
}

#[test]
fn a_subscriber_may_say_what_is_lost_when_it_is_slow() {
    let up = Up::start();
    for policy in ["drop-newest", "drop-oldest", "latest", "disconnect"] {
        let arguments = ["sub", "news", "-n", "1", "--when-slow", policy];
        let mut subscriber = up.workyard(arguments).start();
        up.ask_until(&format!("pub news {policy}"), "1\n");
        assert_eq!(subscriber.wait(), 0);
        subscriber.stdout().expect(policy);
    }
    for line in ["sub news --when-slow latest --history", "sub news --when-slow never"] {
        assert_eq!(up.run(line).code, Some(USAGE), "{line}");
    }
}

#[test]
fn a_group_shares_and_one_is_one() {
    let up = Up::start();
    let members = [(); 2].map(|()| up.workyard(["sub", "tasks", "-g", "workers"]).start());
    eventually("both take part", || {
        up.ask("pub tasks probe");
        members.iter().all(|member| member.stdout().has("probe"))
    });
    for number in 0..10 {
        assert_eq!(up.ask(&format!("pub tasks task-{number}")), "1\n");
    }
    let count = |member: &workyard_tests::Running| {
        member.stdout().lines().iter().filter(|line| line.starts_with("task-")).count()
    };
    eventually("all ten are there", || members.iter().map(count).sum::<usize>() == 10);
    assert!(members.iter().all(|member| count(member) == 5), "they take turns");

    assert_eq!(up.ask("pub tasks one --one"), "0\n", "groups are apart");
    let subscribers = [(); 2].map(|()| up.workyard(["sub", "tasks"]).start());
    up.ask_until("pub tasks all", "3\n");
    assert_eq!(up.ask("pub tasks one --one"), "1\n");
    eventually("one has it", || {
        subscribers.iter().filter(|subscriber| subscriber.stdout().has("one")).count() == 1
    });
}

#[test]
fn each_line_of_standard_input_is_a_message() {
    let up = Up::start();
    for arguments in [vec!["pub", "news"], vec!["pub", "news", "-"]] {
        let mut subscriber = up.workyard(["sub", "news", "-n", "4", "--json"]).start();
        up.ask_until("pub news begin", "1\n");
        let exit = up.workyard(&arguments).input("hello workers\n\n42").run();
        assert_eq!((exit.code, exit.stdout.as_str()), (Some(0), "3\n"), "{exit:?}");
        assert_eq!(subscriber.wait(), 0);
        subscriber.stdout().expect("42");
        let documents = documents(&subscriber.stdout().lines().join("\n"));
        let values: Vec<_> = documents.iter().map(|message| &message["value"]).collect();
        assert_eq!(values, [&json!("begin"), &json!("hello workers"), &json!(""), &json!(42)]);
    }
}

#[test]
fn lines_are_published_as_they_come() {
    let up = Up::start();
    let subscriber = up.workyard(["sub", "news"]).start();
    up.ask_until("pub news begin", "1\n");
    let mut publisher = up.workyard(["pub", "news"]).start();
    for line in ["one", "two"] {
        publisher.write(&format!("{line}\n"));
        subscriber.stdout().expect(line);
    }
    publisher.end_input();
    assert_eq!(publisher.wait(), 0);
    publisher.stdout().expect("2");
}

#[test]
fn nobody_is_an_answer() {
    let up = Up::start();
    let exit = up.run("pub news hello --expect-receivers");
    assert_eq!((exit.code, exit.stdout.as_str()), (Some(NO), "0\n"));
    let _subscriber = up.workyard(["sub", "news"]).start();
    up.ask_until("pub news hello", "1\n");
    assert_eq!(up.ask("pub news hello --expect-receivers"), "1\n");
    fails(&up, "sub -p orders.>.x", USAGE, &["`>` must be the last token"]);
    assert_eq!(up.run("sub").code, Some(USAGE), "to what?");
}

#[test]
fn a_reader_who_has_had_enough_ends_it_quietly() {
    let up = Up::start();
    let script = "workyard sub news | head -n 1; echo \"ended with ${PIPESTATUS[0]}\"";
    let folder = built("workyard").parent().unwrap().to_owned();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let bash = Program::at("bash").arguments(["-c", script]).variable("PATH", path);
    let mut bash = up.environment(bash).start();
    up.ask_until("pub news hello", "1\n");
    bash.stdout().expect("hello");
    // It notices when it has something to say.
    eventually("it has left", || up.ask("pub news again") == "0\n");
    assert_eq!(bash.wait(), 0);
    bash.stdout().expect("ended with 0");
    assert_eq!(bash.stderr().lines(), [""; 0]);
}

#[test]
fn a_subscriber_outlives_the_server_and_says_so() {
    let mut up = Up::start();
    let channel = up.channel().to_owned();
    let subscriber = |flags: &[&str]| up.workyard(["sub", "news"]).arguments(flags).start();
    let (mut people, mut programs) = (subscriber(&[]), subscriber(&["--json"]));
    up.ask_until("pub news before", "2\n");
    up.running().kill();
    let again = ["up", "--no-check", "--channel-listen", &channel];
    let again = Program::built("workyard").arguments(again);
    let again = again.arguments(["--globaldata-listen", "127.0.0.1:0"]).start();
    again.stdout().expect("Ctrl-C stops both.");
    let publish = ["pub", "news", "after", "--server", &channel];
    eventually("both are back", || {
        let exit = Program::built("workyard").arguments(publish).run();
        exit.stdout == "2\n"
    });
    // Each may have had some of the messages before both were there.
    people.stdout().expect("after");
    let mut lines = people.stdout().lines();
    lines.dedup();
    assert_eq!(lines, ["before", "(the connection was lost for a while)", "after"]);
    programs.stdout().expect("after");
    let lines = documents(&programs.stdout().lines().join("\n"));
    let first = lines.iter().position(|line| line["value"] == "after").unwrap();
    for (index, line) in lines.iter().enumerate() {
        assert_eq!(line["interrupted_before"], index == first, "{line}");
    }
    for subscriber in [&mut people, &mut programs] {
        subscriber.signal(Signal::TERM);
        assert_eq!(subscriber.wait(), 0);
    }
}

#[test]
fn messages_that_are_kept_come_first() {
    let up = Up::start();
    up.ask("history keep log.* --messages-max 2 --age 1m");
    let rule = "log.*: 2 messages, 1048576 bytes, 1m\n";
    assert_eq!(up.ask("history list"), rule);
    for number in 1..=3 {
        up.ask(&format!("pub log.a {number}"));
    }
    assert_eq!(up.ask("sub log.a --last 10 -n 2"), "2\n3\n");
    assert_eq!(up.ask("sub -p log.* --last 1 -n 1"), "log.a: 3\n");
    up.ask("history drop log.*");
    assert_eq!(up.ask("history list"), "");
    assert_eq!(up.workyard(["history", "drop", "log.*"]).run().code, Some(1));
}
