//! Statements as they are built, and the text and the values that become of them.

use super::*;
use crate::statement::{IntoStatement, Statement};
use mysql_async::Value;
use workyard_adapter_kit::Result;

/// What a builder makes, and what is expected of it.
type Case = (Result<Statement<'static>>, &'static str, Vec<(&'static str, Value)>);

fn case(
    built: impl IntoStatement<'static>,
    sql: &'static str,
    values: impl IntoIterator<Item = (&'static str, Value)>,
) -> Case {
    (built.into_statement(), sql, values.into_iter().collect())
}

fn check(cases: impl IntoIterator<Item = Case>) {
    for (statement, sql, values) in cases {
        let statement = statement.unwrap();
        assert_eq!(statement.sql(), sql);
        for (name, value) in &values {
            assert_eq!(statement.value(name), Some(value), "{name} of {sql}");
        }
        let bound = statement.sql().matches(" :").count() + sql.matches("(:").count();
        assert!(bound >= values.len(), "{sql}");
    }
}

fn all() -> Select {
    select::<&str>([])
}

#[test]
fn what_is_selected() {
    check([
        case(all().from("t"), "SELECT * FROM `t`", []),
        case(select(["id", "t.*"]).from("t"), "SELECT `id`, `t`.* FROM `t`", []),
        case(select([raw("COUNT(*) AS n")]).from("t"), "SELECT COUNT(*) AS n FROM `t`", []),
        case(
            select(["id"]).columns([raw("1 + 1")]).distinct().from("shop.t AS x"),
            "SELECT DISTINCT `id`, 1 + 1 FROM `shop`.`t` AS `x`",
            [],
        ),
        case(all().from("a").from("b"), "SELECT * FROM `a`, `b`", []),
        case(select([raw("1")]), "SELECT 1", []),
    ]);
}

#[test]
fn conditions() {
    let one = ("_1", Value::Int(1));
    check([
        case(all().from("t").is("id", 1), "SELECT * FROM `t` WHERE (`id` <=> :_1)", [one.clone()]),
        case(
            all().from("t").where_("a = 1 OR b = 2").where_("c = 3").or_where("d = 4"),
            "SELECT * FROM `t` WHERE (a = 1 OR b = 2) AND (c = 3) OR (d = 4)",
            [],
        ),
        case(all().from("t").or_where("a = 1"), "SELECT * FROM `t` WHERE (a = 1)", []),
        case(
            all().from("t").where_("age > :age AND name LIKE :n1").bind("age", 18).bind("n1", "A%"),
            "SELECT * FROM `t` WHERE (age > :age AND name LIKE :n1)",
            [("age", 18.into()), ("n1", "A%".into())],
        ),
        case(
            all().from("t").is_in("u.id", [1, 2, 3]).is("x", None::<i32>),
            "SELECT * FROM `t` WHERE (`u`.`id` IN (:_1, :_2, :_3)) AND (`x` <=> :_4)",
            [one, ("_3", Value::Int(3)), ("_4", Value::NULL)],
        ),
        case(all().from("t").is_in::<i32>("id", []), "SELECT * FROM `t` WHERE (FALSE)", []),
        case(
            all().from("t").is("name", "'; DROP TABLE t; --"),
            "SELECT * FROM `t` WHERE (`name` <=> :_1)",
            [("_1", "'; DROP TABLE t; --".into())],
        ),
    ]);
}

#[test]
fn joins_and_groups() {
    check([
        case(
            all()
                .from("a")
                .join("b", "b.a = a.id")
                .inner_join("c AS d", "d.a = a.id")
                .left_join("e", "e.a = a.id")
                .right_join("f", "f.a = a.id"),
            "SELECT * FROM `a` JOIN `b` ON (b.a = a.id) INNER JOIN `c` AS `d` ON (d.a = a.id) \
             LEFT JOIN `e` ON (e.a = a.id) RIGHT JOIN `f` ON (f.a = a.id)",
            [],
        ),
        case(
            select([raw("COUNT(*) AS n")])
                .from("t")
                .is("a", 1)
                .group_by(["b", "t.c"])
                .having("n > :least")
                .having("n < 9")
                .or_having("n = 0")
                .bind("least", 3),
            "SELECT COUNT(*) AS n FROM `t` WHERE (`a` <=> :_1) GROUP BY `b`, `t`.`c` \
             HAVING (n > :least) AND (n < 9) OR (n = 0)",
            [("_1", 1.into()), ("least", 3.into())],
        ),
    ]);
}

#[test]
fn order_and_bounds() {
    let from = || all().from("t");
    check([
        case(
            from().order_by(["a"]).order_by_asc(["b"]).order_by_desc([raw("RAND()"), "c".into()]),
            "SELECT * FROM `t` ORDER BY `a`, `b` ASC, RAND() DESC, `c` DESC",
            [],
        ),
        case(from().limit(5), "SELECT * FROM `t` LIMIT 5", []),
        case(from().limit(5).offset(7), "SELECT * FROM `t` LIMIT 5 OFFSET 7", []),
        case(from().offset(7), "SELECT * FROM `t` LIMIT 18446744073709551615 OFFSET 7", []),
        case(from().page(1), "SELECT * FROM `t` LIMIT 10 OFFSET 0", []),
        case(from().page(3).set_paging(25), "SELECT * FROM `t` LIMIT 25 OFFSET 50", []),
        case(from().set_paging(25), "SELECT * FROM `t`", []),
        case(
            from().is("a", 1).for_update(),
            "SELECT * FROM `t` WHERE (`a` <=> :_1) FOR UPDATE",
            [],
        ),
    ]);
}

#[test]
fn selects_within_selects() {
    check([
        case(
            select(["id"])
                .from("a")
                .is("x", 1)
                .union(select(["id"]).from("b").is("y", 2).limit(3))
                .union_all(select(["id"]).from("c"))
                .order_by_desc(["id"])
                .limit(9),
            "(SELECT `id` FROM `a` WHERE (`x` <=> :_1)) UNION (SELECT `id` FROM `b` WHERE (`y` <=> :_2) LIMIT 3) \
             UNION ALL (SELECT `id` FROM `c`) ORDER BY `id` DESC LIMIT 9",
            [("_1", 1.into()), ("_2", 2.into())],
        ),
        case(
            all().from_select(all().from("t").where_("a = :a").bind("a", 1), "x").is("b", 2),
            "SELECT * FROM (SELECT * FROM `t` WHERE (a = :a)) AS `x` WHERE (`b` <=> :_1)",
            [("a", 1.into()), ("_1", 2.into())],
        ),
    ]);
}

#[test]
fn changes() {
    check([
        case(
            insert("t").set("name", "Ann").columns([("age", 30), ("size", 2)]),
            "INSERT INTO `t` (`name`, `age`, `size`) VALUES (:_1, :_2, :_3)",
            [("_1", "Ann".into()), ("_2", 30.into()), ("_3", 2.into())],
        ),
        case(replace("t").set("id", 1), "REPLACE INTO `t` (`id`) VALUES (:_1)", [("_1", 1.into())]),
        case(
            update("t")
                .set("a", 1)
                .set_raw("b", "b - :n")
                .columns([("c", "x")])
                .is("id", 7)
                .bind("n", 2),
            "UPDATE `t` SET `a` = :_1, `b` = b - :n, `c` = :_2 WHERE (`id` <=> :_3)",
            [("_1", 1.into()), ("_2", "x".into()), ("_3", 7.into()), ("n", 2.into())],
        ),
        case(
            update("t").set("a", 1).where_("b = 2").order_by(["c"]).limit(3),
            "UPDATE `t` SET `a` = :_1 WHERE (b = 2) ORDER BY `c` LIMIT 3",
            [],
        ),
        case(update("t").set("a", 1).everywhere(), "UPDATE `t` SET `a` = :_1", []),
        case(
            delete("t").is("a", 1).or_where("b = 2").order_by(["c"]).limit(3),
            "DELETE FROM `t` WHERE (`a` <=> :_1) OR (b = 2) ORDER BY `c` LIMIT 3",
            [("_1", 1.into())],
        ),
        case(delete("t").everywhere(), "DELETE FROM `t`", []),
    ]);
}

#[test]
fn what_is_not_meant_is_refused() {
    let many = (0..70_000).collect::<Vec<i32>>();
    let cases: [(Result<Statement<'static>>, &str); 15] = [
        (delete("t").into_statement(), "say `everywhere`"),
        (update("t").set("a", 1).into_statement(), "say `everywhere`"),
        (delete("t").is("a", 1).everywhere().into_statement(), "`everywhere` as well"),
        (update("t").everywhere().into_statement(), "there is no `set`"),
        (insert("t").into_statement(), "there is no value for the row of `t`"),
        (all().from("a\0b").into_statement(), "is no name; for SQL there is `raw`"),
        (insert("t").set("", 1).into_statement(), "is no name"),
        (update("t").set("x.", 1).is("a", 1).into_statement(), "is no name"),
        (all().from("t").order_by([""]).into_statement(), "is no name"),
        (all().from("t").page(0).into_statement(), "there is no page 0; the first is 1"),
        (all().from("t").page(2).limit(1).into_statement(), "and also a limit or an offset"),
        (all().bind("A", 1).into_statement(), "cannot be the name of a value"),
        (all().bind("_1", 1).into_statement(), "cannot be the name of a value"),
        (all().bind("a", 1).bind("a", 2).into_statement(), ":a is given two values"),
        (
            all().is_in("a", many).into_statement(),
            "has 70000 values, and the protocol allows 65535",
        ),
    ];
    for (made, expected) in cases {
        let error = made.unwrap_err();
        assert_eq!(error.kind(), workyard_adapter_kit::ErrorKind::InvalidRequest);
        assert!(error.to_string().contains(expected), "{error}");
    }
}
