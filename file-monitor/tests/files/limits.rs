//! Polling, limits, and readers that take their time.

use crate::support::Folder;
use futures_util::FutureExt;
use std::time::Duration;
use workyard_file_monitor::{Notice, StartError};

#[tokio::test]
async fn polling_finds_the_same() {
    let folder = Folder::new();
    for name in ["a.php", "b.php", "d/c.php"] {
        folder.write(name, "one");
    }
    let builder = folder.builder().poll(true).poll_interval(Duration::from_millis(20));
    let mut followed = folder.follow_by(builder).await;
    folder.write("a.php", "two");
    followed.exactly(&["modified a.php"]).await;
    folder.run("touch", &["a.php"]);
    followed.nothing().await;
    folder.remove("d");
    followed.exactly(&["removed d/c.php"]).await;
    folder.write("d/e/f.php", "one");
    followed.exactly(&["created d/e/f.php"]).await;
    folder.write(".gitignore", "b.php\n");
    followed.nothing().await;
    folder.write("b.php", "two");
    followed.nothing().await;
    let root = folder.root();
    assert_eq!(folder.notices(), [Notice::Polled { root, reason: "polling is set" }]);
}

#[tokio::test]
async fn what_happens_while_nobody_asks_is_one_set() {
    let folder = Folder::new();
    folder.write("a.php", "one");
    folder.write("b.php", "one");
    let mut followed = folder.follow().await;
    folder.write("a.php", "two");
    let set = followed.set().await;
    assert_eq!(followed.shown(&set), ["modified a.php"]);
    for text in ["three", "four", "five"] {
        folder.write("a.php", text);
        folder.write("b.php", text);
        tokio::time::sleep(Duration::from_millis(120)).await;
    }
    folder.write("b.php", "one");
    followed.exactly(&["modified a.php"]).await;
}

#[tokio::test]
async fn who_checks_is_told_of_more() {
    let folder = Folder::new();
    folder.write("a.php", "one");
    let mut followed = folder.follow().await;
    folder.write("a.php", "two");
    let mut set = followed.set().await;
    assert_eq!(followed.monitor.more().await, None);
    folder.write("b.php", "two");
    let more = followed.monitor.more().await.unwrap();
    assert_eq!(followed.shown(&more), ["created b.php"]);
    set.merge(more);
    assert_eq!(followed.shown(&set), ["modified a.php", "created b.php"]);
    assert_eq!(followed.monitor.more().await, None);
    followed.nothing().await;
}

/// Each wait is given up at once, and what it waited for comes all the same; once.
#[tokio::test]
async fn a_cancelled_wait_loses_nothing() {
    let folder = Folder::new();
    folder.write("a.php", "one");
    let mut followed = folder.follow().await;
    for text in ["two", "three", "four"] {
        for more in [false, true] {
            folder.write("a.php", &format!("{text} {more}"));
            let early = match more {
                true => followed.monitor.more().now_or_never(),
                false => followed.monitor.next().now_or_never(),
            };
            tokio::time::sleep(Duration::from_millis(200)).await;
            // On a busy machine it may have come before the wait was given up.
            let set = match early.flatten() {
                Some(set) => set,
                None => followed.set().await,
            };
            assert_eq!(followed.shown(&set), ["modified a.php"]);
            followed.nothing().await;
        }
    }
}

#[tokio::test]
async fn the_window_bounds_what_never_settles() {
    let folder = Folder::new();
    let builder = folder.builder().settle_max(Duration::from_millis(300));
    let mut followed = folder.follow_by(builder).await;
    let path = folder.at("log");
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let writer = std::thread::spawn(move || {
        let mut text = String::new();
        while stopped.recv_timeout(Duration::from_millis(5)).is_err() {
            text.push('x');
            std::fs::write(&path, &text).unwrap();
        }
    });
    let set = followed.set().await;
    assert_eq!(followed.shown(&set), ["created log"]);
    let set = followed.set().await;
    assert_eq!(followed.shown(&set), ["modified log"]);
    stop.send(()).unwrap();
    writer.join().unwrap();
}

#[tokio::test]
async fn more_files_than_may_be_are_refused_at_the_start_and_told_later() {
    let folder = Folder::new();
    folder.write("a.php", "one");
    folder.write("b.php", "one");
    let error = folder.builder().files_max(1).start().await.unwrap_err();
    assert!(matches!(error, StartError::TooManyFiles { files_max: 1 }), "{error}");
    let mut monitor = folder.builder().files_max(2).start().await.unwrap();
    folder.write("c.php", "one");
    folder.write("a.php", "two");
    assert_eq!(monitor.next().await.unwrap().len(), 1);
    assert_eq!(
        folder.notices(),
        [Notice::TooManyFiles { files_max: 1 }, Notice::TooManyFiles { files_max: 2 }]
    );
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused() {
    let folder = Folder::new();
    let day = Duration::from_secs(86_400);
    for (builder, text) in [
        (folder.builder().settle(day * 2).settle_max(day * 3), "a time is longer than a day"),
        (folder.builder().settle(day), "settle_max is shorter than settle"),
        (folder.builder().poll_interval(Duration::ZERO), "poll_interval is shorter than 10ms"),
        (folder.builder().exclude("{"), "the pattern \"{\" is wrong: "),
    ] {
        let error = builder.start().await.unwrap_err().to_string();
        assert!(error.starts_with(text), "{error}");
    }
}
