//! `workyard list|members|map`, and how `get` prints what they make.

use crate::support::{NO, REFUSED, USAGE, document, documents, fails};
use serde_json::json;
use workyard_tests::Up;

#[test]
fn a_list_is_pushed_popped_and_shown() {
    let up = Up::start();
    assert_eq!(up.ask("list push l a 5"), "2\n");
    assert_eq!(up.ask("list push l x y --front"), "4\n");
    assert_eq!(up.ask("get l"), "[\"y\",\"x\",\"a\",5]\n");
    assert_eq!(document(&up, "get l")["kind"], json!("list"));
    assert_eq!(up.ask("list range l"), "y\nx\na\n5\n");
    assert_eq!(up.ask("list range l -2 1"), "a\n");
    assert_eq!(up.ask("list len l"), "4\n");
    assert_eq!(document(&up, "list push l z --keep 2"), json!({ "key": "l", "items": 2 }));
    assert_eq!(up.ask("list pop l"), "5\n");
    assert_eq!(document(&up, "list pop l --back"), json!({ "value": "z", "kind": "raw" }));
    let exit = up.run("list pop l -n 3");
    assert_eq!((exit.code, exit.stdout.as_str()), (Some(NO), ""));
    up.ask("list push brief 1 --ttl 1h");
    assert!(document(&up, "get brief")["ttl_ms"].is_u64());
    assert_eq!(up.run("list push l").code, Some(USAGE), "no item");
    up.ask("set text x");
    fails(&up, "list push text 1", REFUSED, &["WrongKind", "raw of 1 bytes"]);
}

#[test]
fn a_set_is_added_to_and_asked() {
    let up = Up::start();
    assert_eq!(up.ask("members add online tom ann tom"), "2\n");
    assert_eq!(up.run("members add online tom").code, Some(NO), "it is there");
    assert_eq!(up.ask("get online"), "[\"ann\",\"tom\"]\n");
    let exit = up.run("members has online tom 5");
    assert_eq!((exit.code, exit.stdout.as_str()), (Some(NO), "yes tom\nno 5\n"));
    assert_eq!(up.ask("members has online tom"), "yes tom\n");
    assert_eq!(up.ask("members len online"), "2\n");
    let removed = json!({ "key": "online", "removed": 1 });
    assert_eq!(document(&up, "members remove online tom none"), removed);
    assert_eq!(up.ask("get online"), "[\"ann\"]\n");
}

#[test]
fn a_map_is_set_and_counted_by_field() {
    let up = Up::start();
    assert_eq!(up.ask("map set user name tom"), "");
    assert_eq!(document(&up, "map set user name ann")["new"], json!(false));
    assert_eq!(up.ask("map incr user visits"), "1\n");
    assert_eq!(up.ask("map incr user visits -0.5"), "0.5\n");
    assert_eq!(up.ask("get user"), "{\"name\":\"ann\",\"visits\":0.5}\n");
    assert_eq!(up.ask("map get user visits name"), "0.5\nann\n");
    let exit = up.run("map get user none name --json");
    assert_eq!((exit.code, exit.stderr.as_str()), (Some(NO), ""));
    let none = json!({ "field": "none", "value": null, "kind": null });
    let name = json!({ "field": "name", "value": "ann", "kind": "raw" });
    assert_eq!(documents(&exit.stdout), [none, name]);
    assert_eq!(up.ask("map len user"), "2\n");
    assert_eq!(up.ask("map del user name visits"), "2\n");
    assert_eq!(up.run("map del user name").code, Some(NO));
    assert_eq!(up.run("get user").code, Some(NO), "what is empty is gone");
}
