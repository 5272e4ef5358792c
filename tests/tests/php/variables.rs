//! Variables as PHP programs use them: properties of an object, counters, and the loop around cas.

use crate::support::{finish, place, run, script, start};
use std::collections::BTreeSet;
use workyard_globaldata::{GlobalDataClient, Placement};
use workyard_tests::clients::{address, within};
use workyard_tests::{GlobalDataWire, Setup};

#[test]
fn variables_do_all_that_the_manual_says() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let printed = run("variables.php", &daemon, &[]);
    assert!(printed.ends_with("\ndone\n"), "{printed}");
}

#[test]
fn variables_are_reached_over_a_unix_socket() {
    let daemon = Setup::<GlobalDataWire>::new().unix_socket("globaldata.sock").start();
    assert!(run("variables.php", &daemon, &[]).ends_with("\ndone\n"));
}

#[test]
fn increments_of_four_processes_come_out_exact() {
    const EACH: u32 = 500;
    let daemon = Setup::<GlobalDataWire>::new().start();
    let each = EACH.to_string();
    let counting = [(); 4].map(|()| start("increment.php", &daemon, &["visits", &each]));
    let last = counting.map(finish).concat();
    let last: BTreeSet<u32> = last.iter().map(|line| line.parse().unwrap()).collect();
    assert_eq!((last.len(), last.last().copied()), (4, Some(4 * EACH)), "{last:?}");
}

#[test]
fn lists_that_four_processes_append_to_by_cas_lose_nothing() {
    const EACH: u32 = 50;
    let daemon = Setup::<GlobalDataWire>::new().start();
    let each = EACH.to_string();
    let names = ["a", "b", "c", "d"];
    let appending = names.map(|name| start("append.php", &daemon, &["list", name, &each]));
    appending.into_iter().for_each(|it| drop(finish(it)));
    let read = "echo implode(\"\\n\", (new GlobalData($argv[1]))->list);";
    let client = format!("{}/php/globaldata.php", env!("CARGO_MANIFEST_DIR"));
    let exit = workyard_tests::Program::at("php")
        .arguments(["-n", "-r", &format!("require '{client}'; {read}"), &place(&daemon)])
        .run();
    let list: Vec<&str> = exit.stdout.lines().collect();
    assert_eq!(list.len(), 4 * EACH as usize, "{exit:?}");
    for name in names {
        let own: Vec<&str> = list.iter().filter(|line| line.starts_with(name)).copied().collect();
        let expected: Vec<String> = (0..EACH).map(|turn| format!("{name} {turn}")).collect();
        assert_eq!(own, expected, "in their own order");
    }
}

#[tokio::test]
async fn variables_are_spread_over_three_servers_as_rust_clients_expect_them() {
    const COUNT: i64 = 300;
    let servers = [(); 3].map(|()| Setup::<GlobalDataWire>::new().start());
    let places = servers.each_ref().map(place).join(",");
    let exit = script("shards.php").arguments([places, COUNT.to_string()]).run();
    assert_eq!((exit.code, exit.stdout.as_str()), (Some(0), "done\n"), "{exit:?}");
    let builder = GlobalDataClient::sharded(servers.each_ref().map(address));
    let client = within(builder.placement(Placement::Crc32).connect()).await.unwrap();
    let mut used = BTreeSet::new();
    for number in 0..COUNT {
        let key = format!("user:{number}");
        assert_eq!(within(client.get::<i64>(&key)).await.unwrap(), Some(number));
        used.insert(client.shard_of(&key));
    }
    assert_eq!(used.len(), 3);
}
