//! Connections that are lost, and what is made again.

use crate::support::{Bed, MOMENT};
use std::time::Duration;
use workyard_mysql::{ErrorKind, Mysql, Options};
use workyard_testbed::{MariaDb, Relay, eventually};

const INSERT: &str = "INSERT INTO items (name) VALUES (?)";

fn one_connection(mut options: Options) -> Mysql {
    options.calls.calls_max = 1;
    Mysql::with(options).unwrap()
}

#[tokio::test]
async fn a_write_without_an_answer_is_not_made_again() {
    let bed = Bed::new().await;
    let (relay, options) = bed.relayed().await;
    let mysql = one_connection(options);
    mysql.exec(INSERT, ("first",)).await.unwrap();
    relay.cut_answer();
    let error = mysql.exec(INSERT, ("second",)).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Disconnected, true));
    relay.cut_answer_to("third");
    let error = mysql.query("INSERT INTO items (name) VALUES ('third')").await.unwrap_err();
    assert!(error.outcome_unknown());
    mysql.exec(INSERT, ("fourth",)).await.unwrap();
    // Each was carried out once, whether its answer came or not.
    assert_eq!(bed.sql("SELECT name FROM items ORDER BY id"), "first\nsecond\nthird\nfourth");
    assert_eq!(mysql.stats().repeated, 0);
}

#[tokio::test]
async fn several_statements_are_not_made_again_for_a_lock_that_the_last_one_did_not_get() {
    let bed = Bed::new().await;
    let _ = bed.sql("INSERT INTO items VALUES (1, 'held', 0)");
    let mut options = bed.options();
    options.session = vec!["SET innodb_lock_wait_timeout = 1".to_owned()];
    let mysql = Mysql::with(options).unwrap();
    let update = "UPDATE items SET size = 1 WHERE id = 1";
    let holder = bed.open();
    let held = holder.transaction(async |tx| {
        tx.exec(update, ()).await?;
        let several = format!("INSERT INTO items (name) VALUES ('first'); {update}");
        let error = mysql.query(&several).await.unwrap_err();
        assert_eq!((error.code(), error.outcome_unknown()), (Some("1205"), true));
        Ok(())
    });
    held.await.unwrap();
    assert_eq!((bed.count(), mysql.stats().repeated), (2, 0));
}

#[tokio::test]
async fn a_write_that_was_not_sent_is_made_again() {
    let bed = Bed::new().await;
    let (relay, options) = bed.relayed().await;
    let mysql = one_connection(options);
    mysql.ready().await.unwrap();
    // It is lost while the statement is prepared.
    relay.cut_answer_to("INSERT INTO items");
    mysql.exec(INSERT, ("a",)).await.unwrap();
    assert_eq!((bed.count(), mysql.stats().repeated), (1, 1));
    // And while a connection is made. That the old one is gone has to have come to this side.
    relay.cut();
    tokio::time::sleep(Duration::from_millis(300)).await;
    relay.cut_after_bytes(10);
    mysql.exec(INSERT, ("b",)).await.unwrap();
    assert_eq!((bed.count(), mysql.stats().repeated), (2, 2));
}

#[tokio::test]
async fn a_read_is_made_again() {
    let bed = Bed::new().await;
    let (relay, options) = bed.relayed().await;
    let mysql = one_connection(options);
    let find = "SELECT 'found' FROM DUAL WHERE 1 = ?";
    for _ in 0..3 {
        assert_eq!(mysql.first::<String>(find, (1,)).await.unwrap().unwrap(), "found");
        relay.cut_answer();
        assert_eq!(mysql.rows::<String>(find, (1,)).await.unwrap(), ["found"]);
    }
    assert_eq!(mysql.stats().repeated, 3);
}

#[tokio::test]
async fn a_connection_that_the_server_dropped_while_it_was_idle_is_no_error() {
    let bed = Bed::new().await;
    let mysql = one_connection(bed.options());
    for round in 1..=3 {
        mysql.exec(INSERT, ("a",)).await.unwrap();
        let kill = "SELECT GROUP_CONCAT('KILL ', id SEPARATOR '; ') FROM information_schema.processlist WHERE db";
        let kills = bed.sql(&format!("{kill} = '{}'  AND user = 'worker'", bed.database));
        let _ = bed.sql(&kills);
        eventually("it is gone", async || bed.connections() == 0).await;
        mysql.exec(INSERT, ("b",)).await.unwrap();
        assert_eq!(bed.count(), 2 * round);
    }
    let stats = mysql.stats();
    assert_eq!((stats.failed.len(), stats.repeated), (0, 0));
}

#[tokio::test]
async fn a_connection_that_died_in_silence_is_found_out() {
    let bed = Bed::new().await;
    let (relay, mut options) = bed.relayed().await;
    options.check_after = Duration::ZERO;
    options.calls.connect_timeout = MOMENT;
    let mysql = one_connection(options);
    mysql.exec(INSERT, ("a",)).await.unwrap();
    relay.stall();
    let error = mysql.exec(INSERT, ("b",)).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Unreachable, false));
    relay.pass();
    mysql.exec(INSERT, ("c",)).await.unwrap();
    assert_eq!(bed.sql("SELECT name FROM items ORDER BY id"), "a\nc");
}

#[tokio::test]
async fn a_server_that_is_killed_with_calls_under_way_comes_back() {
    let mut server = MariaDb::start().await;
    let database = server.database();
    let table =
        "CREATE TABLE counted (id INT AUTO_INCREMENT PRIMARY KEY, n INT UNIQUE) ENGINE=InnoDB";
    let _ = server.sql(&format!("USE {database}; {table}"));
    let mut options = Options::new(server.url(&database));
    options.calls.calls_max = 4;
    options.calls.breaker.open_for = MOMENT;
    let mysql = Mysql::with(options).unwrap();
    let inserting = tokio::spawn(insert_until_enough(mysql.clone()));
    eventually("some are there", async || mysql.stats().succeeded > 50).await;
    server.process.kill().await;
    eventually("it is seen", async || !mysql.stats().failed.is_empty()).await;
    server.process.start_again().await;
    let (acknowledged, unknown) = inserting.await.unwrap();
    let find = "SELECT n FROM counted";
    let found = mysql.rows::<u32>(find, ()).await.unwrap();
    // Every one that was acknowledged is there, and none of those that certainly were not carried out: the column
    // takes none twice, and a repeated one would have failed.
    assert!(acknowledged.iter().all(|n| found.contains(n)));
    assert!(found.iter().all(|n| acknowledged.contains(n) || unknown.contains(n)));
    assert!(unknown.len() <= 4, "{unknown:?}");
}

/// Inserts one number after the other until some were inserted after a failure. Which were acknowledged, and of which it
/// is not known.
async fn insert_until_enough(mysql: Mysql) -> (Vec<u32>, Vec<u32>) {
    let (mut acknowledged, mut unknown, mut since_failure) = (Vec::new(), Vec::new(), None);
    for n in 0.. {
        match mysql.exec("INSERT INTO counted (n) VALUES (?)", (n,)).await {
            Ok(done) => {
                assert_eq!(done.affected_rows, 1);
                acknowledged.push(n);
                since_failure = since_failure.map(|count| count + 1);
            }
            Err(error) => {
                assert_ne!(error.code(), Some("1062"), "it was sent twice: {error}");
                if error.outcome_unknown() {
                    unknown.push(n);
                }
                since_failure = Some(0);
                tokio::time::sleep(MOMENT / 10).await;
            }
        }
        if since_failure == Some(50) {
            break;
        }
    }
    (acknowledged, unknown)
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable_and_then_left_alone() {
    let port = workyard_testbed::Port::free();
    let url = format!("mysql://u:secret@127.0.0.1:{}/d", port.number());
    let mut options = Options::new(url);
    options.calls.retry.attempts_max = 1;
    options.calls.breaker.failures_max = 3;
    let mysql = Mysql::with(options).unwrap();
    for expected in [ErrorKind::Unreachable; 3].into_iter().chain([ErrorKind::CircuitOpen; 2]) {
        let error = mysql.exec("DO 1", ()).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (expected, false));
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
    assert_eq!(mysql.stats().lost, 3);
}

#[tokio::test]
async fn a_server_that_is_full_is_tried_again() {
    let server = MariaDb::setup().argument("--max-connections=10").start().await;
    let database = server.database();
    let relay = Relay::to(server.address()).await;
    let open = |calls_max: usize| {
        let mut options = Options::new(server.url_at(relay.address(), &database));
        options.calls.calls_max = calls_max;
        Mysql::with(options).unwrap()
    };
    // One place is kept for administrators; the user of the tests is none of them with a password.
    let others = open(16);
    let mut held = Vec::new();
    let full = loop {
        match others.connection().await {
            Ok(connection) => held.push(connection),
            Err(error) => break error,
        }
    };
    assert_eq!((full.kind(), full.code()), (ErrorKind::Unreachable, Some("1040")));
    assert!(full.is_transient() && !full.outcome_unknown());
    let waiting = open(1);
    let call = waiting.exec("DO 1", ());
    let release = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(held);
        others.close().await
    };
    let (done, _) = tokio::join!(call, release);
    done.unwrap();
}
