//! What is too much, and what takes too long.

use crate::support::{Bed, MOMENT, fill};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use workyard_mysql::{ErrorKind, Mysql, Row};
use workyard_testbed::eventually;

#[tokio::test]
async fn a_thousand_callers_share_a_few_connections() {
    const CALLERS: u32 = 1000;
    let bed = Bed::new().await;
    let mut options = bed.options();
    (options.calls.calls_max, options.calls.call_timeout) = (8, Duration::from_secs(60));
    let mysql = Mysql::with(options).unwrap();
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let mysql = mysql.clone();
        callers.spawn(async move {
            let text = format!("caller {caller}");
            mysql
                .exec("INSERT INTO items (name, size) VALUES (?, ?)", (&text, caller))
                .await
                .unwrap();
            let find = "SELECT name FROM items WHERE size = ?";
            assert_eq!(mysql.first::<String>(find, (caller,)).await.unwrap(), Some(text));
        });
    }
    let mut most = 0;
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
        most = most.max(mysql.stats().connected);
    }
    assert_eq!(bed.count(), CALLERS as usize);
    assert!(most <= 8 && bed.connections() <= 8, "{most}");
    assert_eq!((mysql.stats().succeeded, mysql.stats().calls), (2000, 0));
}

#[tokio::test]
async fn whoever_finds_no_place_is_told_so() {
    let mut options = Bed::new().await.options();
    (options.calls.calls_max, options.calls.waiting_max) = (2, 3);
    options.calls.call_timeout = MOMENT * 5;
    let mysql = Mysql::with(options).unwrap();
    let mut callers = JoinSet::new();
    let started = Instant::now();
    for _ in 0..10 {
        let mysql = mysql.clone();
        callers.spawn(async move {
            let ended = mysql.first::<i32>("SELECT SLEEP(0.8)", ()).await;
            (ended.map_err(|error| error.kind()), Instant::now())
        });
    }
    let ends = callers.join_all().await;
    let count = |kind| ends.iter().filter(|(end, _)| *end == kind).count();
    assert_eq!(count(Ok(Some(0))), 2, "{ends:?}");
    let at_once = MOMENT * 3;
    let turned_away = ends.iter().filter(|(_, at)| *at - started < at_once).count();
    assert_eq!(turned_away, 5, "{ends:?}");
    assert_eq!(count(Err(ErrorKind::Busy)) + count(Err(ErrorKind::TimedOut)), 8, "{ends:?}");
    assert_eq!(mysql.stats().waiting, 0);
}

#[tokio::test]
async fn a_slow_statement_ends_in_time() {
    let mut options = Bed::new().await.options();
    options.calls.request_timeout = MOMENT;
    options.calls.retry.attempts_max = 1;
    options.calls.calls_max = 1;
    let mysql = Mysql::with(options).unwrap();
    let started = Instant::now();
    let error = mysql.first::<i32>("SELECT SLEEP(30)", ()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TimedOut, true));
    assert!(started.elapsed() < MOMENT * 10);
    // Its connection is not used again.
    assert_eq!(mysql.first::<i32>("SELECT 3", ()).await.unwrap(), Some(3));
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_left_in_time() {
    let bed = Bed::new().await;
    let (relay, mut options) = bed.relayed().await;
    options.calls.connect_timeout = MOMENT;
    options.calls.request_timeout = MOMENT * 2;
    options.calls.retry.attempts_max = 2;
    let mysql = Mysql::with(options).unwrap();
    relay.stall();
    let started = Instant::now();
    let error = mysql.exec("INSERT INTO items (size) VALUES (1)", ()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Unreachable, false));
    assert!(error.to_string().contains("no connection within 200ms"), "{error}");
    let ready = mysql.ready().await.unwrap_err();
    assert_eq!(ready.kind(), ErrorKind::Unreachable);
    assert!(started.elapsed() < MOMENT * 10);
    relay.pass();
    // A login may take longer than that where much else goes on.
    eventually("it is ready", async || mysql.ready().await.is_ok()).await;
    // Now with a connection that there is already.
    relay.stall();
    let error = mysql.exec("INSERT INTO items (size) VALUES (1)", ()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[tokio::test]
async fn an_answer_that_is_too_large_names_the_way_out() {
    let mut options = Bed::new().await.options();
    (options.rows_max, options.answer_bytes_max) = (100, 100_000);
    options.calls.calls_max = 1;
    let mysql = Mysql::with(options).unwrap();
    fill(&mysql, 101).await;
    let error = mysql.rows::<Row>("SELECT * FROM items", ()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let text = error.to_string();
    assert!(text.contains("more than 100 rows, as many as rows_max allows"), "{text}");
    assert!(text.ends_with("read them one by one with `stream`"), "{text}");
    let error = mysql.query("SELECT REPEAT('x', 50000) FROM seq_1_to_3").await.unwrap_err();
    assert!(error.to_string().contains("100000 bytes, as many as answer_bytes_max"), "{error}");
    let rows = mysql.rows::<u32>("SELECT id FROM items LIMIT 100", ()).await.unwrap();
    assert_eq!(rows.len(), 100);
}

#[tokio::test]
async fn what_a_write_has_done_is_open_when_its_answer_is_too_large() {
    let bed = Bed::new().await;
    let mut options = bed.options();
    (options.rows_max, options.packet_bytes_max) = (2, 100_000);
    let mysql = Mysql::with(options).unwrap();
    let insert = "INSERT INTO items (size) VALUES (1), (2), (3) RETURNING id";
    let large = "INSERT INTO items (size) VALUES (4) RETURNING REPEAT('x', 200000)";
    let errors = [
        mysql.exec(insert, ()).await.unwrap_err(),
        mysql.exec_rows::<u32>(insert, ()).await.unwrap_err(),
        mysql.query(insert).await.unwrap_err(),
        mysql.exec(large, ()).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TooLarge, true), "{error}");
    }
    assert_eq!(mysql.stats().repeated, 0);
}

#[tokio::test]
async fn a_row_that_is_too_large_is_refused() {
    let mut options = Bed::new().await.options();
    options.packet_bytes_max = 100_000;
    let mysql = Mysql::with(options).unwrap();
    let error = mysql.first::<String>("SELECT REPEAT('x', 200000)", ()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("packet_bytes_max"), "{error}");
    let text = mysql.first::<String>("SELECT REPEAT('x', 90000)", ()).await.unwrap();
    assert_eq!(text.map(|text| text.len()), Some(90_000));
}

#[tokio::test]
async fn a_request_that_is_too_large_is_not_sent() {
    let bed = Bed::new().await;
    let (relay, mut options) = bed.relayed().await;
    options.packet_bytes_max = 100_000;
    let mysql = Mysql::with(options).unwrap();
    mysql.ready().await.unwrap();
    let sent = relay.bytes_of_clients();
    let large = "x".repeat(200_000);
    let insert = "INSERT INTO items (name) VALUES (?)";
    let texts =
        [mysql.exec(insert, (&large,)).await.unwrap_err(), mysql.query(&large).await.unwrap_err()];
    for error in texts {
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TooLarge, false));
        assert!(!error.to_string().contains("xxx"));
    }
    assert_eq!(relay.bytes_of_clients(), sent);
}

#[tokio::test]
async fn a_request_that_is_too_large_for_the_server_is_refused_by_it() {
    let mut options = Bed::new().await.options();
    options.packet_bytes_max = 64 << 20;
    options.calls.request_timeout = Duration::from_secs(20);
    let mysql = Mysql::with(options).unwrap();
    let large = "x".repeat(17 << 20);
    let error = mysql.first::<i32>("SELECT LENGTH(?)", (&large,)).await.unwrap_err();
    // What comes of it depends on how far it was sent when the server ended the connection.
    let kinds = [ErrorKind::TooLarge, ErrorKind::Disconnected, ErrorKind::Server];
    assert!(kinds.contains(&error.kind()), "{error}");
    assert_eq!(mysql.first::<i32>("SELECT 1", ()).await.unwrap(), Some(1));
}
