//! What builders make, carried out.

use crate::support::{Bed, fill};
use workyard_mysql::{delete, insert, params, raw, replace, select, update};

#[tokio::test]
async fn rows_are_added_changed_found_and_removed() {
    let bed = Bed::new().await;
    let mysql = bed.open();
    let id = mysql.exec(insert("items").set("name", "a").set("size", 1), ()).await.unwrap();
    assert_eq!(id.last_insert_id, Some(1));
    let hostile = "'; DROP TABLE items; -- :x ?";
    mysql.exec(insert("items").columns([("name", hostile)]), ()).await.unwrap();
    let find = select(["name"]).from("items").is("name", hostile);
    assert_eq!(mysql.rows::<String>(&find, ()).await.unwrap(), [hostile]);
    mysql.exec(replace("items").set("id", 1).set("name", "b"), ()).await.unwrap();
    let change = update("items").set("size", 5).set_raw("name", "UPPER(name)").is("id", 1);
    assert_eq!(mysql.exec(change, ()).await.unwrap().affected_rows, 1);
    let none = select(["id"]).from("items").is("size", None::<i32>);
    assert_eq!(mysql.rows::<u32>(none, ()).await.unwrap(), [2]);
    let removed = mysql.exec(delete("items").where_("name = :name"), params! { "name" => "B" });
    assert_eq!(removed.await.unwrap().affected_rows, 1);
    assert!(mysql.exec(delete("items"), ()).await.is_err());
    assert_eq!(bed.count(), 1);
    mysql.exec(delete("items").everywhere(), ()).await.unwrap();
    assert_eq!(bed.count(), 0);
}

#[tokio::test]
async fn every_verb_is_understood_by_the_server() {
    let mysql = Bed::new().await.open();
    fill(&mysql, 30).await;
    let page = select(["id"]).from("items").where_("id > :least").order_by_desc(["id"]).page(2);
    let ids = mysql.rows::<u32>(page.set_paging(3), params! { "least" => 5 }).await.unwrap();
    assert_eq!(ids, [27, 26, 25]);
    let counted = select([raw("i.size DIV 10 AS tens"), raw("COUNT(*) AS n")])
        .distinct()
        .from("items AS i")
        .left_join("items AS other", "other.id = i.id + 1")
        .inner_join("items AS same", "same.id = i.id")
        .right_join("items AS all_of_them", "all_of_them.id = i.id")
        .is_in("i.id", 1..=20)
        .or_where("i.id = :last")
        .bind("last", 30)
        .group_by([raw("tens")])
        .having("n > 0")
        .or_having("n IS NULL")
        .order_by(["tens"])
        .limit(10)
        .offset(0);
    let found = mysql.rows::<(u32, u32)>(counted, ()).await.unwrap();
    assert_eq!(found, [(0, 9), (1, 10), (2, 1), (3, 1)]);
    let low = select(["id"]).from("items").where_("id <= 2");
    let high = select(["id"]).from("items").is_in("id", [2, 30]);
    let both = low.clone().union(high.clone()).order_by_desc(["id"]);
    assert_eq!(mysql.rows::<u32>(both, ()).await.unwrap(), [30, 2, 1]);
    let all = select([raw("COUNT(*)")]).from_select(low.union_all(high), "all_of_them");
    assert_eq!(mysql.first::<u32>(all, ()).await.unwrap(), Some(4));
    let locked = mysql.transaction(async |tx| {
        let locking = select(["id"]).from("items").is("id", 3).for_update();
        tx.first::<u32>(locking, ()).await
    });
    assert_eq!(locked.await.unwrap(), Some(3));
    let few = update("items").set("size", 0).where_("id > 0").order_by(["id"]).limit(2);
    assert_eq!(mysql.exec(few, ()).await.unwrap().affected_rows, 2);
    let few = delete("items").where_("id > 0").order_by([raw("id DESC")]).limit(3);
    assert_eq!(mysql.exec(few, ()).await.unwrap().affected_rows, 3);
}

#[tokio::test]
async fn odd_names_are_names() {
    let mysql = Bed::new().await.open();
    mysql.query("CREATE TABLE `a``b? :c` (`x y` INT, `select` INT)").await.unwrap();
    mysql.exec(insert("a`b? :c").set("x y", 1).set("select", 2), ()).await.unwrap();
    let find = select(["x y", "select"]).from("a`b? :c").is("select", 2);
    assert_eq!(mysql.first::<(u32, u32)>(find, ()).await.unwrap(), Some((1, 2)));
}
