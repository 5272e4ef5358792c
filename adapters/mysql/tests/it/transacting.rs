//! Transactions: all or nothing.

use crate::support::{Bed, MOMENT, fill};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;
use tokio::sync::Barrier;
use tokio::time::timeout;
use workyard_mysql::{
    Error, ErrorKind, IsolationLevel, Mysql, Options, Result, TransactionOptions, params,
};
use workyard_testbed::eventually;

const INSERT: &str = "INSERT INTO items (name) VALUES (?)";

#[tokio::test]
async fn what_succeeds_is_committed() {
    let bed = Bed::new().await;
    let mysql = bed.open();
    let work = async move {
        mysql
            .transaction(async |tx| {
                let done = tx.exec(INSERT, ("a",)).await?;
                tx.exec(INSERT, ("b",)).await?;
                let names: Vec<String> = tx.rows("SELECT name FROM items", ()).await?;
                assert_eq!(names, ["a", "b"]);
                let first = tx.first::<u64>("SELECT id FROM items ORDER BY id", ()).await?;
                assert_eq!(first, done.last_insert_id);
                Ok(tx.query("SELECT COUNT(*) FROM items").await?.into_rows::<u32>()?[0])
            })
            .await
    };
    // It can be sent to another thread.
    assert_eq!(tokio::spawn(work).await.unwrap().unwrap(), 2);
    assert_eq!(bed.count(), 2);
}

#[derive(Debug)]
enum Failure {
    Own(&'static str),
    Mysql(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Mysql(error)
    }
}

#[tokio::test]
async fn what_fails_is_rolled_back() {
    let bed = Bed::new().await;
    let mysql = Mysql::with(single(bed.options())).unwrap();
    let own = mysql.transaction_with(TransactionOptions::new(), async |tx| {
        tx.exec(INSERT, ("a",)).await?;
        Err::<(), _>(Failure::Own("no"))
    });
    assert!(matches!(own.await.unwrap_err(), Failure::Own("no")));
    let server = mysql.transaction_with(TransactionOptions::new(), async |tx| {
        tx.exec(INSERT, ("a",)).await?;
        tx.exec("INSERT INTO nowhere VALUES (1)", ()).await?;
        Ok::<_, Failure>(())
    });
    let Failure::Mysql(error) = server.await.unwrap_err() else { panic!() };
    assert_eq!(error.code(), Some("1146"));
    assert_eq!(bed.count(), 0);
    // The connection is still the same one.
    assert_eq!(mysql.stats().connected, 1);
}

#[tokio::test]
async fn after_an_error_that_is_handled_it_goes_on() {
    let bed = Bed::new().await;
    let mysql = bed.open();
    let end = mysql.transaction(async |tx| {
        tx.exec(INSERT, ("a",)).await?;
        assert!(tx.exec("INSERT INTO nowhere VALUES (1)", ()).await.is_err());
        tx.exec(INSERT, ("b",)).await.map(drop)
    });
    end.await.unwrap();
    assert_eq!(bed.count(), 2);
}

#[tokio::test]
async fn a_panic_rolls_back() {
    let bed = Bed::new().await;
    let mysql = Mysql::with(single(bed.options())).unwrap();
    let panicking = mysql.clone();
    let task = tokio::spawn(async move {
        let work = panicking.transaction(async |tx| {
            tx.exec(INSERT, ("a",)).await?;
            if tx.first::<i32>("SELECT 1", ()).await?.is_some() {
                panic!("on purpose");
            }
            Ok(())
        });
        work.await
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(mysql.first::<u32>("SELECT COUNT(*) FROM items", ()).await.unwrap(), Some(0));
    eventually("it is rolled back", async || bed.count() == 0 && bed.connections() == 1).await;
}

#[tokio::test]
async fn a_cancelled_one_rolls_back() {
    let bed = Bed::new().await;
    let mysql = Mysql::with(single(bed.options())).unwrap();
    let work = mysql.transaction(async |tx| {
        tx.exec(INSERT, ("a",)).await?;
        tx.first::<i32>("SELECT SLEEP(60)", ()).await
    });
    assert!(timeout(MOMENT, work).await.is_err());
    let work = mysql.transaction(async |tx| {
        tx.exec(INSERT, ("a",)).await?;
        std::future::pending::<Result<()>>().await
    });
    assert!(timeout(MOMENT, work).await.is_err());
    assert_eq!(mysql.first::<u32>("SELECT COUNT(*) FROM items", ()).await.unwrap(), Some(0));
}

#[tokio::test]
async fn one_that_takes_too_long_is_rolled_back() {
    let bed = Bed::new().await;
    let mut options = bed.options();
    options.transaction_timeout = MOMENT;
    let mysql = Mysql::with(options).unwrap();
    let work = mysql.transaction(async |tx| {
        tx.exec(INSERT, ("a",)).await?;
        std::future::pending::<Result<()>>().await
    });
    let error = work.await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TimedOut, false));
    assert!(error.to_string().ends_with("transaction: not done within 200ms, and rolled back"));
    assert_eq!(bed.count(), 0);
}

/// Two that lock the same rows in different orders, until one is the victim.
async fn deadlock(mysql: &Mysql, options: TransactionOptions) -> (Vec<Result<()>>, u32) {
    let (barrier, attempts) = (Arc::new(Barrier::new(2)), AtomicU32::new(0));
    let work = |first: i32, second: i32| {
        let (barrier, attempts) = (&barrier, &attempts);
        mysql.transaction_with(options.clone(), async move |tx| {
            let attempt = attempts.fetch_add(1, SeqCst);
            let update = "UPDATE items SET size = size + 1 WHERE id = :id";
            tx.exec(update, params! { "id" => first }).await?;
            if attempt < 2 {
                barrier.wait().await;
            }
            tx.exec(update, params! { "id" => second }).await?;
            Ok::<_, Error>(())
        })
    };
    let (one, other) = tokio::join!(work(1, 2), work(2, 1));
    (vec![one, other], attempts.into_inner())
}

#[tokio::test]
async fn the_victim_of_a_deadlock_is_made_again_when_asked() {
    let bed = Bed::new().await;
    let mysql = bed.open();
    fill(&mysql, 2).await;
    let (results, attempts) = deadlock(&mysql, TransactionOptions::new()).await;
    let errors: Vec<&Error> = results.iter().filter_map(|it| it.as_ref().err()).collect();
    assert_eq!((errors.len(), attempts), (1, 2));
    assert_eq!(errors[0].code(), Some("1213"));
    assert_eq!(bed.sql("SELECT size FROM items ORDER BY id"), "2\n3");
    let asked = TransactionOptions::new().retrying_deadlocks(3);
    let (results, attempts) = deadlock(&mysql, asked).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(attempts, 3);
    assert_eq!(bed.sql("SELECT size FROM items ORDER BY id"), "4\n5");
}

#[tokio::test]
async fn a_victim_that_hides_its_deadlock_commits_nothing() {
    let bed = Bed::new().await;
    let mysql = bed.open();
    fill(&mysql, 2).await;
    let barrier = Barrier::new(2);
    let work = |first: i32, second: i32| {
        let (barrier, mysql) = (&barrier, &mysql);
        mysql.transaction(async move |tx| {
            let update = "UPDATE items SET size = 100 WHERE id = ?";
            tx.exec(update, (first,)).await?;
            barrier.wait().await;
            let hidden = tx.exec(update, (second,)).await;
            if hidden.is_err() {
                let error = tx.exec(INSERT, ("late",)).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidRequest);
                assert!(error.to_string().contains("the transaction is over: "), "{error}");
            }
            Ok(())
        })
    };
    let (one, other) = tokio::join!(work(1, 2), work(2, 1));
    let error = one.and(other).unwrap_err();
    assert!(error.to_string().contains("1213"), "{error}");
    assert_eq!(bed.count(), 2);
}

#[tokio::test]
async fn a_lock_that_is_not_given_in_time_can_be_a_reason_to_try_again() {
    let bed = Bed::new().await;
    let mut options = bed.options();
    options.session = vec!["SET innodb_lock_wait_timeout = 1".to_owned()];
    let mysql = Mysql::with(options).unwrap();
    fill(&mysql, 1).await;
    let attempts = AtomicU32::new(0);
    let update = "UPDATE items SET size = size + 1 WHERE id = 1";
    let holder = mysql.transaction(async |tx| {
        tx.exec(update, ()).await?;
        while attempts.load(SeqCst) < 2 {
            tokio::time::sleep(MOMENT / 10).await;
        }
        Ok(())
    });
    let options = TransactionOptions::new().retrying_deadlocks(5);
    let other = async {
        tokio::time::sleep(MOMENT).await;
        let work = mysql.transaction_with(options.clone(), async |tx| {
            attempts.fetch_add(1, SeqCst);
            tx.exec(update, ()).await
        });
        work.await
    };
    let (held, done) = tokio::join!(holder, other);
    held.unwrap();
    assert_eq!(done.unwrap().affected_rows, 1);
    assert_eq!(bed.sql("SELECT size FROM items"), "3");
}

#[tokio::test]
async fn a_statement_that_ends_the_transaction_is_found_out() {
    let bed = Bed::new().await;
    let mysql = bed.open();
    let work = mysql.transaction(async |tx| {
        tx.exec(INSERT, ("a",)).await?;
        let error = tx.query("CREATE TABLE other (a INT)").await.unwrap_err();
        assert!(error.to_string().contains("has ended the transaction"), "{error}");
        tx.exec(INSERT, ("b",)).await.map(drop)
    });
    assert!(work.await.unwrap_err().to_string().contains("the transaction is over"));
    assert_eq!(bed.count(), 1);
}

#[tokio::test]
async fn a_transaction_cannot_be_left_open_by_the_way() {
    let bed = Bed::new().await;
    let mysql = Mysql::with(single(bed.options())).unwrap();
    for begin in ["START TRANSACTION", "BEGIN; INSERT INTO items (name) VALUES ('a')"] {
        let error = mysql.query(begin).await.unwrap_err();
        assert!(error.to_string().contains("leaves a transaction open"), "{error}");
    }
    mysql.exec(INSERT, ("b",)).await.unwrap();
    eventually("only one was committed", async || bed.count() == 1).await;
}

#[tokio::test]
async fn a_transaction_cannot_be_left_open_by_a_failure() {
    let bed = Bed::new().await;
    let half = "CREATE PROCEDURE half() BEGIN START TRANSACTION; INSERT INTO items (name) VALUES ('half'); \
                SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'on purpose'; END";
    let mysql = Mysql::with(single(bed.options())).unwrap();
    mysql.query(half).await.unwrap();
    let begun = "START TRANSACTION; INSERT INTO items (name) VALUES ('begun'); INSERT INTO nowhere VALUES (1)";
    let after = format!("SELECT 1; {begun}");
    for (round, text) in ["CALL half()", begun, &after].into_iter().enumerate() {
        assert_eq!(mysql.query(text).await.unwrap_err().kind(), ErrorKind::Server);
        assert_eq!(mysql.first::<i32>("SELECT 1", ()).await.unwrap(), Some(1));
        assert_eq!(mysql.exec("CALL half()", ()).await.unwrap_err().code(), Some("1644"));
        mysql.transaction(async |tx| tx.exec(INSERT, ("whole",)).await).await.unwrap();
        assert_eq!(bed.count(), round + 1, "{text}");
    }
    assert_eq!(bed.sql("SELECT DISTINCT name FROM items"), "whole");
}

#[tokio::test]
async fn a_failure_of_one_step_costs_no_connection() {
    let bed = Bed::new().await;
    let mysql = Mysql::with(single(bed.options())).unwrap();
    for _ in 0..3 {
        let id = "INSERT INTO items (id) VALUES (1)";
        let _ = mysql.exec(id, ()).await;
        assert_eq!(mysql.exec(id, ()).await.unwrap_err().code(), Some("1062"));
        assert_eq!(mysql.query(id).await.unwrap_err().code(), Some("1062"));
        assert_eq!(mysql.exec("DROP nothing", ()).await.unwrap_err().code(), Some("1064"));
    }
    assert_eq!(mysql.stats().connected, 1);
}

#[tokio::test]
async fn levels_and_access_are_as_asked() {
    let bed = Bed::new().await;
    let mysql = Mysql::with(single(bed.options())).unwrap();
    let serializable = TransactionOptions::new().isolation(IsolationLevel::Serializable);
    let work = mysql.transaction_with(serializable, async |tx| {
        tx.first::<i32>("SELECT 1 FROM items", ()).await?;
        let level = "SELECT trx_isolation_level FROM information_schema.innodb_trx \
                     WHERE trx_mysql_thread_id = CONNECTION_ID()";
        tx.exec(INSERT, ("a",)).await?;
        tx.first::<String>(level, ()).await
    });
    assert_eq!(work.await.unwrap().as_deref(), Some("SERIALIZABLE"));
    let reading = TransactionOptions::new().read_only();
    let work = mysql.transaction_with(reading, async |tx| tx.exec(INSERT, ("b",)).await);
    assert_eq!(work.await.unwrap_err().code(), Some("1792"));
    assert_eq!(bed.count(), 1);
}

#[tokio::test]
async fn a_lost_connection_is_not_made_again_in_the_midst() {
    let bed = Bed::new().await;
    let (relay, options) = bed.relayed().await;
    let mysql = Mysql::with(options).unwrap();
    let runs = AtomicU32::new(0);
    let options = TransactionOptions::new().retrying_deadlocks(5);
    let work = mysql.transaction_with(options, async |tx| {
        runs.fetch_add(1, SeqCst);
        tx.exec(INSERT, ("a",)).await?;
        relay.cut();
        let error = tx.exec(INSERT, ("b",)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Disconnected);
        tx.exec(INSERT, ("c",)).await
    });
    let error = work.await.unwrap_err();
    assert!(error.to_string().contains("the transaction is over: "), "{error}");
    assert_eq!(runs.load(SeqCst), 1);
    eventually("it is rolled back", async || bed.count() == 0).await;
}

#[tokio::test]
async fn a_commit_without_an_answer_is_not_known_to_have_failed() {
    let bed = Bed::new().await;
    let (relay, options) = bed.relayed().await;
    let mysql = Mysql::with(options).unwrap();
    let runs = AtomicU32::new(0);
    let work = mysql.transaction(async |tx| {
        runs.fetch_add(1, SeqCst);
        tx.exec(INSERT, ("a",)).await?;
        relay.cut_answer_to("COMMIT");
        Ok(())
    });
    let error = work.await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Disconnected, true));
    assert_eq!((runs.load(SeqCst), error.operation()), (1, Some("commit")));
    eventually("it was committed", async || bed.count() == 1).await;
}

#[tokio::test]
async fn one_can_begin_on_a_connection_that_was_lost_meanwhile() {
    let bed = Bed::new().await;
    let (relay, options) = bed.relayed().await;
    let mysql = Mysql::with(options).unwrap();
    mysql.ready().await.unwrap();
    relay.cut_answer_to("START TRANSACTION");
    let work = mysql.transaction(async |tx| tx.exec(INSERT, ("a",)).await);
    timeout(Duration::from_secs(10), work).await.unwrap().unwrap();
    assert_eq!((bed.count(), relay.connections()), (1, 2));
}

/// With one connection, so that whatever is left on it is found by the next call.
fn single(mut options: Options) -> Options {
    options.calls.calls_max = 1;
    options
}
