//! Calls that are given up, hundreds of them at any moment, and right answers afterwards.

use crate::support::Bed;
use std::time::Duration;
use tokio::time::timeout;
use workyard_mysql::{Mysql, Result};
use workyard_testbed::eventually;

#[tokio::test]
async fn calls_that_are_given_up_poison_nothing() {
    const ROUNDS: u32 = 400;
    let bed = Bed::new().await;
    let (relay, mut options) = bed.relayed().await;
    options.calls.calls_max = 3;
    options.calls.call_timeout = Duration::from_secs(60);
    let mysql = Mysql::with(options).unwrap();
    mysql.ready().await.unwrap();
    let mut given_up = 0;
    for round in 0..ROUNDS {
        let patience = Duration::from_micros(fastrand::u64(0..3000));
        if round % 50 == 0 {
            relay.cut();
        }
        let calls = async {
            tokio::join!(call(&mysql, round), call(&mysql, round + 1), call(&mysql, round + 2))
        };
        match timeout(patience, calls).await {
            Ok((one, two, three)) => {
                // Whatever was cut may fail; what answers is right.
                let _ = (one, two, three);
            }
            Err(_) => given_up += 1,
        }
        let sent = i64::from(round) * 1_000_003;
        let answered = mysql.rows::<i64>("SELECT ? UNION ALL SELECT seq FROM seq_1_to_2", (sent,));
        assert_eq!(answered.await.unwrap(), [sent, 1, 2], "round {round}");
    }
    assert!(given_up > ROUNDS / 10, "only {given_up} were given up");
    eventually("nothing is left", async || mysql.stats().calls == 0 && bed.connections() <= 3)
        .await;
    // All places are there, and all connections can be made.
    let one = || mysql.first::<i32>("SELECT SLEEP(0.1)", ());
    let (a, b, c) = tokio::join!(one(), one(), one());
    assert_eq!([a, b, c].map(|it| it.unwrap()), [Some(0); 3]);
    assert_eq!(bed.sql("SELECT COUNT(*) FROM items WHERE name = 'half'"), "0");
}

/// A call of one kind or another, whose answer is checked if it comes.
async fn call(mysql: &Mysql, round: u32) -> Result<()> {
    let number = i64::from(fastrand::u32(..));
    match round % 6 {
        0 => {
            let found = mysql.first::<i64>("SELECT ?", (number,)).await?;
            assert_eq!(found, Some(number));
        }
        1 => {
            let find = "SELECT seq + ? FROM seq_1_to_500";
            let found = mysql.rows::<i64>(find, (number,)).await?;
            assert_eq!((found.len(), found[0], found[499]), (500, number + 1, number + 500));
        }
        2 => {
            let done = mysql.exec("INSERT INTO items (size) VALUES (?)", (round,)).await?;
            assert_eq!(done.affected_rows, 1);
        }
        3 => {
            let answer = mysql.query(&format!("SELECT {number}; SELECT 2; SELECT 3")).await?;
            assert_eq!(answer.into_rows::<i64>()?, [number]);
        }
        4 => {
            let mut rows = mysql.stream::<i64>("SELECT seq FROM seq_1_to_100000", ()).await?;
            for expected in 1..=100 {
                assert_eq!(rows.next().await.unwrap()?, expected);
            }
        }
        _ => {
            let both = mysql.transaction(async |tx| {
                tx.exec("INSERT INTO items (name) VALUES ('half')", ()).await?;
                tx.exec("UPDATE items SET name = 'whole' WHERE name = 'half'", ()).await
            });
            both.await?;
        }
    }
    Ok(())
}

#[test]
fn what_is_dropped_outside_the_runtime_poisons_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mysql, rows, connection) = runtime.block_on(async {
        let mut options = Bed::new().await.options();
        options.calls.calls_max = 2;
        let mysql = Mysql::with(options).unwrap();
        let rows = mysql.stream::<u32>("SELECT seq FROM seq_1_to_1000000", ()).await.unwrap();
        let connection = mysql.connection().await.unwrap();
        (mysql, rows, connection)
    });
    drop(rows);
    drop(connection);
    runtime.block_on(async {
        let one = || mysql.first::<i32>("SELECT SLEEP(0.1)", ());
        let (one, other) = tokio::join!(one(), one());
        assert_eq!([one.unwrap(), other.unwrap()], [Some(0); 2]);
        assert!(mysql.close().await);
    });
}
