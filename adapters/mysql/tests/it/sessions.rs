//! What a connection begins with, keeps and forgets.

use crate::support::{Bed, MOMENT, fill};
use mysql_async::prelude::Queryable;
use workyard_mysql::{ErrorKind, Mysql, Options, mysql_async};
use workyard_testbed::eventually;

fn one_connection(mut options: Options) -> Mysql {
    options.calls.calls_max = 1;
    Mysql::with(options).unwrap()
}

#[tokio::test]
async fn settings_and_statements_are_those_of_every_connection() {
    let bed = Bed::new().await;
    for reset in [false, true] {
        let mut options = bed.options();
        options.reset = reset;
        options.charset = "latin1".to_owned();
        options.time_zone = Some("+03:30".to_owned());
        options.session = vec!["SET @a = 1".to_owned(), "SET @b = @a + 1".to_owned()];
        let mysql = one_connection(options);
        for _ in 0..3 {
            let ask = "SELECT @@character_set_client, @@time_zone, @b";
            let found: (String, String, i32) = mysql.first(ask, ()).await.unwrap().unwrap();
            assert_eq!(found, ("latin1".to_owned(), "+03:30".to_owned(), 2));
        }
        assert_eq!(mysql.stats().connected, 1);
    }
}

#[tokio::test]
async fn what_the_server_does_not_take_is_its_answer() {
    let bed = Bed::new().await;
    let mysql = Mysql::open(&format!("{}?time_zone=No/Where", bed.server.url(&bed.database)));
    let error = mysql.unwrap().ready().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("1298")));
}

#[tokio::test]
async fn a_connection_forgets_only_where_it_is_told_to() {
    let bed = Bed::new().await;
    for (reset, expected) in [(false, Some(7)), (true, None)] {
        let mut options = bed.options();
        options.reset = reset;
        let mysql = one_connection(options);
        mysql.query("SET @kept = 7").await.unwrap();
        let kept = mysql.first::<Option<i32>>("SELECT @kept", ()).await.unwrap();
        assert_eq!(kept.flatten(), expected);
        let text = "Grüße 🦀";
        assert_eq!(mysql.first::<String>("SELECT ?", (text,)).await.unwrap().unwrap(), text);
        assert_eq!(mysql.stats().connected, 1);
    }
}

#[tokio::test]
async fn statements_are_prepared_once() {
    let bed = Bed::new().await;
    let mysql = one_connection(bed.options());
    let status = "SHOW STATUS LIKE 'Com_stmt_prepare'";
    for round in 0..10 {
        assert_eq!(mysql.first::<i32>("SELECT ?", (round,)).await.unwrap(), Some(round));
    }
    let rows = mysql.query(status).await.unwrap().into_rows::<(String, u32)>().unwrap();
    assert_eq!(rows[0].1, 1);
}

#[tokio::test]
async fn a_connection_of_ones_own_leaves_nothing_behind() {
    let bed = Bed::new().await;
    let mysql = one_connection(bed.options());
    fill(&mysql, 3).await;
    let mut connection = mysql.connection().await.unwrap();
    connection.query_drop("SET @own = 1; CREATE TEMPORARY TABLE own (a INT)").await.unwrap();
    connection.query_drop("START TRANSACTION; DELETE FROM items").await.unwrap();
    let result = connection.query_iter("SELECT * FROM seq_1_to_10").await.unwrap();
    drop(result);
    drop(connection);
    assert_eq!(mysql.first::<Option<i32>>("SELECT @own", ()).await.unwrap(), Some(None));
    let gone = mysql.query("SELECT * FROM own").await.unwrap_err();
    assert_eq!(gone.code(), Some("1146"));
    assert_eq!(bed.count(), 3);
    assert_eq!(mysql.stats().connected, 1);
}

#[tokio::test]
async fn a_connection_of_ones_own_that_stalls_is_thrown_away() {
    let bed = Bed::new().await;
    let (relay, mut options) = bed.relayed().await;
    options.calls.request_timeout = MOMENT;
    let mysql = one_connection(options);
    let connection = mysql.connection().await.unwrap();
    relay.stall();
    drop(connection);
    assert_eq!(mysql.stats().calls, 1);
    eventually("its place is free", async || mysql.stats().calls == 0).await;
    relay.pass();
    assert_eq!(mysql.first::<i32>("SELECT 1", ()).await.unwrap(), Some(1));
}

#[tokio::test]
async fn idle_connections_are_closed_after_a_while() {
    let bed = Bed::new().await;
    let mut options = bed.options();
    options.calls.idle_timeout = MOMENT;
    let mysql = Mysql::with(options).unwrap();
    let one = mysql.first::<i32>("SELECT SLEEP(0.05)", ());
    let other = mysql.first::<i32>("SELECT SLEEP(0.05)", ());
    let _ = tokio::join!(one, other);
    assert_eq!(mysql.stats().connected, 2);
    eventually("they are gone", async || bed.connections() == 0).await;
    mysql.ready().await.unwrap();
}

#[tokio::test]
async fn a_unix_socket_does_as_well() {
    let bed = Bed::new().await;
    let socket = bed.server.socket();
    let url =
        format!("mysql://worker:secret@localhost/{}?socket={}", bed.database, socket.display());
    let mysql = Mysql::open(&url).unwrap();
    let host = mysql.first::<String>("SELECT SUBSTRING_INDEX(USER(), '@', -1)", ()).await;
    assert_eq!(host.unwrap().unwrap(), "localhost");
}
