//! PHP and Rust programs share variables.

use crate::support::{finish, globaldata_client, place, run, start};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use workyard_globaldata::{Encoding, GlobalDataClient, Number, Value};
use workyard_tests::clients::{address, within};
use workyard_tests::{Daemon, GlobalDataWire, Program, Setup};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Profile {
    name: String,
    tags: Vec<String>,
    scores: BTreeMap<String, f64>,
}

fn profile() -> Profile {
    Profile {
        name: "Zoë".to_owned(),
        tags: vec!["a".to_owned(), "b".to_owned()],
        scores: [("x".to_owned(), 0.5)].into(),
    }
}

/// Runs some PHP with `$global`, and returns what it printed.
#[track_caller]
fn php(daemon: &Daemon<GlobalDataWire>, code: &str) -> String {
    let client = format!("{}/php/globaldata.php", env!("CARGO_MANIFEST_DIR"));
    let code = format!("require '{client}'; $global = new GlobalData($argv[1]); {code}");
    let exit = Program::at("php").arguments(["-n", "-r", &code, &place(daemon)]).run();
    assert_eq!((exit.code, exit.stderr.as_str()), (Some(0), ""), "{code}: {exit:?}");
    exit.stdout
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_php_stores_rust_reads() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let client = globaldata_client(&daemon).await;
    php(
        &daemon,
        "$global->profile = ['name' => 'Zoë', 'tags' => ['a', 'b'], 'scores' => ['x' => 0.5]];
         $global->int = -3; $global->float = 2.5; $global->text = 'text'; $global->yes = true;
         $global->nothing = null;",
    );
    assert_eq!(within(client.get("profile")).await.unwrap(), Some(profile()));
    let value = async |key: &str| within(client.entry(key)).await.unwrap().map(|it| it.value);
    assert_eq!(value("int").await, Some(Value::Int(-3)));
    assert_eq!(value("float").await, Some(Value::Float(2.5)));
    assert_eq!(value("text").await, Some(Value::raw("text")));
    assert_eq!(within(client.get("yes")).await.unwrap(), Some(true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_rust_stores_as_json_php_reads() {
    what_rust_stores_php_reads(Encoding::Json).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_sets_and_maps_are_arrays_to_php() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let client = globaldata_client(&daemon).await;
    within(client.list("list").push_back("b")).await.expect("the daemon does it");
    within(client.list("list").push_back(&5)).await.expect("the daemon does it");
    within(client.set_of("set").add("z")).await.expect("the daemon does it");
    within(client.map("map").set("name", "tom")).await.expect("the daemon does it");
    within(client.map("map").set("7", &0.5)).await.expect("the daemon does it");
    let seen = php(
        &daemon,
        "var_dump($global->list === ['b', 5], $global->set === ['z'],
                  $global->map === [7 => 0.5, 'name' => 'tom'],
                  $global->cas('list', ['b', 5], ['c']), $global->cas('set', ['a'], 1));",
    );
    assert_eq!(seen, "bool(true)\nbool(true)\nbool(true)\nbool(true)\nbool(false)\n");
    let error = within(client.list("list").push_back("d")).await.expect_err("it is PHP's by now");
    assert!(error.to_string().contains("key \"list\" is php of"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_rust_stores_as_php_does_php_reads() {
    what_rust_stores_php_reads(Encoding::Php).await;
}

async fn what_rust_stores_php_reads(encoding: Encoding) {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let builder = GlobalDataClient::builder(address(&daemon)).encoding(encoding);
    let client = within(builder.connect()).await.expect("the daemon does it");
    within(client.set("profile", &profile())).await.expect("the daemon does it");
    within(client.set("int", &-3)).await.expect("the daemon does it");
    within(client.set("float", &2.5)).await.expect("the daemon does it");
    within(client.set("text", "Zoë")).await.expect("the daemon does it");
    within(client.set("yes", &true)).await.expect("the daemon does it");
    let printed = php(
        &daemon,
        "foreach (['profile', 'int', 'float', 'text', 'yes', 'missing'] as $key) {
             echo serialize($global->$key), \"\\n\";
         }
         var_dump(isset($global->profile), $global->add('profile', 1));",
    );
    let profile = "a:3:{s:4:\"name\";s:4:\"Zoë\";s:4:\"tags\";a:2:{i:0;s:1:\"a\";i:1;s:1:\"b\";}\
        s:6:\"scores\";a:1:{s:1:\"x\";d:0.5;}}";
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(
        lines,
        [profile, "i:-3;", "d:2.5;", "s:4:\"Zoë\";", "b:1;", "N;", "bool(true)", "bool(false)"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_increment_one_counter() {
    const EACH: u32 = 300;
    let daemon = Setup::<GlobalDataWire>::new().start();
    let client = globaldata_client(&daemon).await;
    let each = EACH.to_string();
    let counting = [(); 2].map(|()| start("increment.php", &daemon, &["visits", &each]));
    let mut last = Number::Int(0);
    for _ in 0..2 * EACH {
        last = within(client.increment("visits", 1)).await.unwrap();
    }
    let php = counting.map(finish).concat();
    let mut last = vec![match last {
        Number::Int(int) => int,
        Number::Float(float) => panic!("{float} is no integer"),
    }];
    last.extend(php.iter().map(|line| line.parse::<i64>().unwrap()));
    assert_eq!(last.iter().max(), Some(&i64::from(4 * EACH)), "{last:?}");
    assert_eq!(within(client.get("visits")).await.unwrap(), Some(i64::from(4 * EACH)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_append_to_one_list_by_cas_in_json() {
    both_append_to_one_list(Encoding::Json).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_append_to_one_list_by_cas_in_php() {
    both_append_to_one_list(Encoding::Php).await;
}

async fn both_append_to_one_list(encoding: Encoding) {
    const EACH: usize = 40;
    let daemon = Setup::<GlobalDataWire>::new().start();
    let builder = GlobalDataClient::builder(address(&daemon)).encoding(encoding);
    let client = within(builder.connect()).await.expect("the daemon does it");
    let each = EACH.to_string();
    let names = ["a", "b"];
    let appending = names.map(|name| start("append.php", &daemon, &["list", name, &each]));
    for turn in 0..EACH {
        let append = |list: Option<Vec<String>>| {
            let mut list = list.unwrap_or_default();
            list.push(format!("rust {turn}"));
            list
        };
        within(client.update("list", append)).await.expect("the daemon does it");
    }
    appending.into_iter().for_each(|it| drop(finish(it)));
    let list: Vec<String> =
        within(client.get("list")).await.expect("the daemon does it").expect("the daemon does it");
    assert_eq!(list.len(), 3 * EACH);
    assert_eq!(list.iter().collect::<BTreeSet<_>>().len(), 3 * EACH, "none twice");
    for name in ["a", "b", "rust"] {
        let own = list.iter().filter_map(|it| it.strip_prefix(name)?.strip_prefix(' '));
        assert!(own.eq((0..EACH).map(|turn| turn.to_string())), "in their own order");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_write_conditionally_and_one_wins() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let client = globaldata_client(&daemon).await;
    assert!(within(client.add("leader", "rust")).await.unwrap());
    assert_eq!(php(&daemon, "var_dump($global->add('leader', 'php'));"), "bool(false)\n");
    let printed = php(&daemon, "var_dump($global->cas('leader', 'rust', ['php', 1]));");
    assert_eq!(printed, "bool(true)\n");
    let entry = within(client.entry("leader")).await.unwrap().unwrap();
    assert_eq!(entry.decode::<(String, i64)>().unwrap(), ("php".to_owned(), 1));
    let stale = within(client.cas("leader", entry.revision - 1, "late")).await.unwrap();
    assert_eq!(stale.unwrap_err().current, Some(entry.revision));
    assert_eq!(run("increment.php", &daemon, &["other", "1"]), "1\n");
}
