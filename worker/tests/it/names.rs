//! Sending by the names of connections, and cutting off those that have none.

use crate::peer::Peer;
use std::time::Duration;
use workyard_worker::protocols::Text;
use workyard_worker::{Worker, embedded::serve_while};

/// `user NAME`, `join GROUP`, `leave GROUP`, `to USER TEXT`, `all GROUP TEXT`.
fn switchboard() -> Worker<Text> {
    Worker::<Text>::bind("text://127.0.0.1:0").on_message(async |connection, line| {
        let words: Vec<_> = line.splitn(3, ' ').collect();
        let worker = connection.worker();
        let count = match words[..] {
            ["user", name] => {
                connection.set_user(name);
                usize::from(connection.user().as_deref() == Some(name))
            }
            ["join", group] => usize::from(connection.join(group)),
            ["leave", group] => usize::from(connection.leave(group)),
            ["to", user, text] => worker.send_to_user(user, text),
            ["all", group, text] => worker.send_to_group(group, text),
            _ => return connection.send("what?"),
        };
        connection.send(count.to_string())
    })
}

#[test]
fn users_and_groups_are_reached_as_long_as_they_are_there() {
    let served = serve_while(switchboard(), async |address| {
        let mut ann = Peer::connect(&address).await;
        let mut tom = Peer::connect(&address).await;
        for (peer, name) in [(&mut ann, "ann"), (&mut tom, "tom")] {
            peer.send(format!("user {name}\njoin all\njoin all\n")).await;
            peer.sees("1\n1\n0\n").await;
        }
        ann.send("to tom hello there\nto nobody hello\n").await;
        ann.sees("1\n0\n").await;
        tom.sees("hello there\n").await;
        tom.send("user tim\n").await;
        tom.sees("1\n").await;
        ann.send("to tom gone\nto tim again\nall all everybody\n").await;
        tom.sees("again\neverybody\n").await;
        ann.sees("0\n1\neverybody\n2\n").await;
        ann.send("leave all\nleave all\nall all rest\n").await;
        ann.sees("1\n0\n1\n").await;
        tom.sees("rest\n").await;
        tom.shuts_down().await;
        tom.ends().await;
        ann.send("to tim gone\nall all gone\n").await;
        ann.sees("0\n0\n").await;
    });
    served.unwrap();
}

#[test]
fn who_does_not_authenticate_is_cut_off() {
    let worker = switchboard().authenticate_within(Duration::from_millis(200));
    let served = serve_while(worker, async |address| {
        let (mut known, mut unknown) =
            (Peer::connect(&address).await, Peer::connect(&address).await);
        known.send("user ann\n").await;
        known.sees("1\n").await;
        unknown.send("join all\n").await;
        unknown.sees("1\n").await;
        unknown.ends().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        known.send("join all\n").await;
        known.sees("1\n").await;
    });
    served.unwrap();
}

#[test]
fn work_that_blocks_holds_up_nobody() {
    let worker = Worker::<Text>::bind("text://127.0.0.1:0").on_message(async |connection, line| {
        if line == "block" {
            let sum = workyard_worker::blocking(|| {
                std::thread::sleep(Duration::from_millis(300));
                40 + 2
            });
            return connection.send(sum.await.unwrap().to_string());
        }
        if line == "panic" {
            let failed = workyard_worker::blocking(|| panic!("as it was told")).await;
            return connection.send(failed.unwrap_err().to_string());
        }
        if line == "later" {
            let later = connection.clone();
            workyard_worker::spawn(async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                later.send("it is later")
            });
        }
        connection.send(line)
    });
    let served = serve_while(worker, async |address| {
        let (mut slow, mut quick) = (Peer::connect(&address).await, Peer::connect(&address).await);
        let begun = std::time::Instant::now();
        slow.send("block\n").await;
        quick.send("quick\n").await;
        quick.sees("quick\n").await;
        assert!(begun.elapsed() < Duration::from_millis(250));
        slow.sees("42\n").await;
        slow.send("panic\nlater\n").await;
        slow.sees("the work on another thread has panicked").await;
        quick.send("later\n").await;
        quick.sees("later\nit is later\n").await;
    });
    served.unwrap();
}
