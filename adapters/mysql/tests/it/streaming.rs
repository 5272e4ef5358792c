//! Answers that are larger than the memory that they get.

use crate::support::{Bed, MOMENT};
use futures_util::{StreamExt, TryStreamExt};
use std::time::Duration;
use tokio::time::timeout;
use workyard_mysql::{ErrorKind, Mysql, Options};
use workyard_testbed::eventually;

/// Rows of 1 KiB.
fn wide(rows: usize) -> String {
    format!("SELECT seq, REPEAT('x', 1024) FROM seq_1_to_{rows}")
}

fn one_connection(mut options: Options) -> Mysql {
    options.calls.calls_max = 1;
    Mysql::with(options).unwrap()
}

#[tokio::test]
async fn a_large_answer_needs_little_memory() {
    const ROWS: usize = 200_000;
    let mysql = one_connection(Bed::new().await.options());
    let mut rows = mysql.stream::<(usize, String)>(wide(ROWS), ()).await.unwrap();
    let before = resident();
    let (mut count, mut most) = (0, 0);
    while let Some(row) = rows.next().await {
        count += 1;
        let (seq, text) = row.unwrap();
        assert_eq!((seq, text.len()), (count, 1024));
        if count % 10_000 == 0 {
            most = most.max(resident());
        }
    }
    assert_eq!(count, ROWS);
    // 200 MB went through; other tests of this process take some, too.
    assert!(most.saturating_sub(before) < 100 << 20, "{before} -> {most}");
    assert_eq!(mysql.first::<i32>("SELECT 1", ()).await.unwrap(), Some(1));
    assert_eq!(mysql.stats().connected, 1);
}

#[tokio::test]
async fn a_stream_can_be_used_as_one() {
    let mysql = Bed::new().await.open();
    let rows = mysql.stream::<u32>("SELECT seq FROM seq_1_to_5 WHERE seq > ?", (2,)).await.unwrap();
    let found: Vec<u32> = rows.into_stream().try_collect().await.unwrap();
    assert_eq!(found, [3, 4, 5]);
    let none = mysql.stream::<u32>("SELECT 1 FROM items", ()).await.unwrap();
    assert_eq!(none.into_stream().count().await, 0);
}

#[tokio::test]
async fn a_stream_that_is_dropped_in_the_midst_poisons_nothing() {
    let bed = Bed::new().await;
    let mysql = one_connection(bed.options());
    for read in [0, 1, 7] {
        let mut rows = mysql.stream::<(usize, String)>(wide(1_000_000), ()).await.unwrap();
        for expected in 1..=read {
            assert_eq!(rows.next().await.unwrap().unwrap().0, expected);
        }
        drop(rows);
        // At once, and not after a gigabyte.
        let next = timeout(Duration::from_secs(3), mysql.first::<i32>("SELECT 7", ()));
        assert_eq!(next.await.unwrap().unwrap(), Some(7));
    }
    eventually("the others are closed", async || bed.connections() == 1).await;
    assert_eq!(mysql.stats().calls, 0);
}

#[tokio::test]
async fn a_stream_has_a_place() {
    let mut options = Bed::new().await.options();
    (options.calls.calls_max, options.calls.waiting_max) = (1, 0);
    let mysql = Mysql::with(options).unwrap();
    let mut rows = mysql.stream::<u32>("SELECT seq FROM seq_1_to_3", ()).await.unwrap();
    let busy = mysql.first::<i32>("SELECT 1", ()).await.unwrap_err();
    assert_eq!(busy.kind(), ErrorKind::Busy);
    while rows.next().await.is_some() {}
    // The end gives it back, though the stream is still there.
    assert_eq!(mysql.first::<i32>("SELECT 1", ()).await.unwrap(), Some(1));
    assert!(rows.next().await.is_none());
}

#[tokio::test]
async fn the_next_row_may_be_given_up_and_asked_for_again() {
    let mysql = one_connection(Bed::new().await.options());
    let slow = "SELECT seq FROM seq_1_to_20 WHERE SLEEP(0.02) = 0";
    let mut rows = mysql.stream::<u32>(slow, ()).await.unwrap();
    let mut found = Vec::new();
    loop {
        match timeout(Duration::from_millis(3), rows.next()).await {
            Ok(Some(row)) => found.push(row.unwrap()),
            Ok(None) => break,
            Err(_) => {}
        }
    }
    assert_eq!(found, (1..=20).collect::<Vec<u32>>());
}

#[tokio::test]
async fn an_error_among_the_rows_ends_them() {
    let bed = Bed::new().await;
    let (relay, options) = bed.relayed().await;
    let mysql = one_connection(options);
    let mut rows = mysql.stream::<(usize, String)>(wide(1_000_000), ()).await.unwrap();
    assert!(rows.next().await.unwrap().is_ok());
    relay.cut();
    let error = loop {
        if let Err(error) = rows.next().await.unwrap() {
            break error;
        }
    };
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Disconnected, Some("stream")));
    assert!(rows.next().await.is_none());
    assert_eq!(mysql.first::<i32>("SELECT 1", ()).await.unwrap(), Some(1));
}

#[tokio::test]
async fn a_row_that_does_not_come_in_time_ends_them() {
    let bed = Bed::new().await;
    let (relay, mut options) = bed.relayed().await;
    options.calls.request_timeout = MOMENT;
    let mysql = one_connection(options);
    let mut rows = mysql.stream::<(usize, String)>(wide(1_000_000), ()).await.unwrap();
    relay.stall();
    let error = loop {
        if let Err(error) = rows.next().await.unwrap() {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(rows.next().await.is_none());
    relay.pass();
    assert_eq!(mysql.first::<i32>("SELECT 1", ()).await.unwrap(), Some(1));
}

#[tokio::test]
async fn a_row_that_does_not_fit_ends_them() {
    let mysql = one_connection(Bed::new().await.options());
    let mut rows = mysql.stream::<u32>("SELECT 1 UNION ALL SELECT 'x'", ()).await.unwrap();
    let mut ends = Vec::new();
    while let Some(row) = rows.next().await {
        ends.push(row.map_err(|error| error.kind()));
    }
    assert_eq!(ends.last(), Some(&Err(ErrorKind::Protocol)));
    assert_eq!(mysql.first::<i32>("SELECT 1", ()).await.unwrap(), Some(1));
}

#[tokio::test]
async fn a_stream_begins_again_when_it_was_not_begun() {
    let bed = Bed::new().await;
    let (relay, options) = bed.relayed().await;
    let mysql = one_connection(options);
    relay.cut_answer_to("seq_1_to_3");
    let rows = mysql.stream::<u32>("SELECT seq FROM seq_1_to_3", ()).await.unwrap();
    assert_eq!(rows.into_stream().try_collect::<Vec<u32>>().await.unwrap(), [1, 2, 3]);
    assert_eq!((relay.connections(), mysql.stats().repeated), (2, 1));
}

/// Bytes that this process has in memory.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = status.split(' ').nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size()
}
