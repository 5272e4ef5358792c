//! Everything that is asked for, and answered.

use crate::support::{Bed, fill};
use workyard_mysql::mysql_async;
use workyard_mysql::{FromRow, Mysql, Row, Value, params, server_error};

#[tokio::test]
async fn parameters_have_a_place_or_a_name() {
    let mysql = Bed::new().await.open();
    mysql.ready().await.unwrap();
    let done = mysql.exec("INSERT INTO items (name, size) VALUES (?, ?)", ("a", 1)).await.unwrap();
    assert_eq!((done.affected_rows, done.last_insert_id), (1, Some(1)));
    let insert = "INSERT INTO items (name, size) VALUES (:name, :size)";
    let done = mysql.exec(insert, params! { "name" => "b", "size" => Value::NULL }).await.unwrap();
    assert_eq!(done.last_insert_id, Some(2));
    let rows: Vec<(u32, String, Option<i32>)> =
        mysql.rows("SELECT id, name, size FROM items ORDER BY id", ()).await.unwrap();
    let expected = [(1, "a".to_owned(), Some(1)), (2, "b".to_owned(), None)];
    assert_eq!(rows, expected);
    let done = mysql.exec("UPDATE items SET size = :n WHERE id > :n - 1", params! { "n" => 1 });
    assert_eq!(done.await.unwrap().affected_rows, 1);
    let name: Option<String> =
        mysql.first("SELECT name FROM items WHERE id = ?", (2,)).await.unwrap();
    assert_eq!(name.as_deref(), Some("b"));
    let none: Option<Row> = mysql.first("SELECT * FROM items WHERE id = ?", (3,)).await.unwrap();
    assert!(none.is_none());
}

#[derive(Debug, PartialEq, FromRow)]
#[mysql(crate_name = "mysql_async")]
struct Item {
    id: u32,
    name: String,
    size: Option<i64>,
}

#[tokio::test]
async fn a_row_becomes_a_struct() {
    let mysql = Bed::new().await.open();
    fill(&mysql, 3).await;
    let items: Vec<Item> = mysql.rows("SELECT * FROM items WHERE id >= ?", (2,)).await.unwrap();
    let item = |id: u32| Item { id, name: format!("item-{id}"), size: Some(id.into()) };
    assert_eq!(items, [item(2), item(3)]);
}

#[tokio::test]
async fn a_row_that_does_not_fit_is_described_and_not_shown() {
    let mysql = Bed::new().await.open();
    fill(&mysql, 1).await;
    let error = mysql.rows::<(u32, u32)>("SELECT id, name FROM items", ()).await.unwrap_err();
    let text = error.to_string();
    let columns = "rows: a row with the columns id MYSQL_TYPE_LONG, name MYSQL_TYPE_VAR_STRING does not fit (u32, u32)";
    assert!(text.ends_with(columns), "{text}");
    assert!(!error.outcome_unknown());
    assert!(!mysql.stats().circuit_open);
}

#[tokio::test]
async fn a_text_is_carried_out_as_it_is() {
    let mysql = Bed::new().await.open();
    let created =
        mysql.query("CREATE TABLE t (a INT); INSERT INTO t VALUES (1), (2)").await.unwrap();
    assert_eq!(created.done.affected_rows, 0);
    let answer = mysql.query("SELECT a FROM t ORDER BY a").await.unwrap();
    assert_eq!(answer.into_rows::<i32>().unwrap(), [1, 2]);
    let done = mysql.query("DELETE FROM t").await.unwrap().done;
    assert_eq!((done.affected_rows, done.last_insert_id), (2, None));
    let error =
        mysql.query("INSERT INTO t VALUES (3); SELECT nonsense; SELECT 1").await.unwrap_err();
    assert_eq!(error.code(), Some("1054"));
    assert_eq!(mysql.first::<i32>("SELECT a FROM t", ()).await.unwrap(), Some(3));
}

#[tokio::test]
async fn a_statement_may_change_and_have_rows() {
    let mysql = Bed::new().await.open();
    let insert = "INSERT INTO items (name) VALUES (?), (?) RETURNING id, name";
    let rows: Vec<(u32, String)> = mysql.exec_rows(insert, ("a", "b")).await.unwrap();
    assert_eq!(rows, [(1, "a".to_owned()), (2, "b".to_owned())]);
    mysql.query("CREATE PROCEDURE pair() BEGIN SELECT 1; SELECT 2, 3; END").await.unwrap();
    assert_eq!(mysql.exec_rows::<i32>("CALL pair()", ()).await.unwrap(), [1]);
    assert_eq!(mysql.first::<i32>("SELECT 4", ()).await.unwrap(), Some(4));
}

#[tokio::test]
async fn a_text_of_four_bytes_per_letter_comes_back() {
    let bed = Bed::new().await;
    let (mysql, text) = (bed.open(), "Grüße 🦀🧵 \u{10ffff}");
    mysql.exec("INSERT INTO items (name) VALUES (?)", (text,)).await.unwrap();
    assert_eq!(mysql.first::<String>("SELECT name FROM items", ()).await.unwrap().unwrap(), text);
    let bytes: String = text.bytes().map(|byte| format!("{byte:02X}")).collect();
    assert_eq!(bed.sql("SELECT HEX(name) FROM items"), bytes);
    let letters = mysql.first::<usize>("SELECT CHAR_LENGTH(name) FROM items", ()).await;
    assert_eq!(letters.unwrap(), Some(text.chars().count()));
    let plain = mysql.query(&format!("SELECT '{text}'")).await.unwrap();
    assert_eq!(plain.into_rows::<String>().unwrap(), [text]);
}

#[tokio::test]
async fn what_the_server_refuses_is_said_with_its_code_and_the_statement() {
    let mysql = Bed::new().await.open();
    fill(&mysql, 1).await;
    let insert = "INSERT INTO items (id, name) VALUES (:id, 'a secret')";
    let error = mysql.exec(insert, params! { "id" => 1 }).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains(": exec: ERROR 1062 (23000): Duplicate entry '…' for key 'PRIMARY';"),
        "{text}"
    );
    assert!(text.ends_with("; SQL: INSERT INTO items (id, name) VALUES (:id, '')"), "{text}");
    assert_eq!((error.code(), error.is_transient()), (Some("1062"), false));
    assert_eq!(server_error(&error).unwrap().state, "23000");
    assert_eq!(mysql.stats().failed["server"], 1);
}

#[tokio::test]
async fn values_that_do_not_match_their_places_are_the_callers_fault() {
    let mysql = Bed::new().await.open();
    let wrong = async |sql: &'static str, params: workyard_mysql::Params| {
        mysql.rows::<Row>(sql, params).await.unwrap_err().kind().name()
    };
    assert_eq!(wrong("SELECT ?, ?", (1,).into()).await, "invalid_request");
    assert_eq!(wrong("SELECT :a", params! { "b" => 1 }).await, "invalid_request");
    assert_eq!(wrong("SELECT :a, ?", (1,).into()).await, "invalid_request");
    assert_eq!(wrong("SELECT :a", (1,).into()).await, "invalid_request");
    assert_eq!(mysql.first::<i32>("SELECT 1", ()).await.unwrap(), Some(1));
}

#[test]
fn it_works_on_every_kind_of_runtime() {
    let work = async |mysql: Mysql| {
        assert_eq!(mysql.first::<i32>("SELECT 1", ()).await.unwrap(), Some(1));
        assert!(mysql.close().await);
    };
    let mut multi = tokio::runtime::Builder::new_multi_thread();
    let bed = multi.enable_all().build().unwrap().block_on(Bed::new());
    multi.build().unwrap().block_on(async {
        tokio::spawn(work(bed.open())).await.unwrap();
    });
    let mut single = tokio::runtime::Builder::new_current_thread();
    single.enable_all().build().unwrap().block_on(work(bed.open()));
    let local = single.build_local(tokio::runtime::LocalOptions::default()).unwrap();
    local.block_on(async {
        tokio::task::spawn_local(work(bed.open())).await.unwrap();
    });
}

#[tokio::test]
async fn a_value_that_the_server_repeats_is_not_in_the_message() {
    let bed = Bed::new().await;
    let mysql = bed.open();
    mysql.query("ALTER TABLE items ADD UNIQUE (name)").await.unwrap();
    let insert = "INSERT INTO items (name) VALUES (?)";
    mysql.exec(insert, ("ann@secret.example",)).await.unwrap();
    let error = mysql.exec(insert, ("ann@secret.example",)).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    assert!(server_error(&error).unwrap().message.contains("ann@secret.example"));
}
