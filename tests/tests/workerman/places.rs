//! Which of several servers has a key: the one that the original client would ask.

use serde::Deserialize;
use std::collections::BTreeMap;
use workyard_globaldata::{GlobalDataClient, Placement};
use workyard_tests::clients::{address, within};
use workyard_tests::workerman::{Connection, Hex, TRUE, integer, key, records};
use workyard_tests::{GlobalDataWire, Setup};

#[derive(Deserialize)]
struct Place {
    key_hex: Hex,
    index: BTreeMap<String, usize>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rust_client_looks_where_a_client_of_the_original_has_written() {
    let places: Vec<Place> = records("clients/globaldata/tests/data/shard.jsonl");
    let servers = [(); 3].map(|()| Setup::<GlobalDataWire>::new().patient().start());
    let mut connections =
        servers.each_ref().map(|server| Connection::open(server.endpoint()).unwrap());
    for (number, place) in (0..).zip(&places) {
        let connection = &mut connections[place.index["3"]];
        connection.send(&key("set", &place.key_hex.0, Some(("value", &integer(number)))));
        connection.expect(TRUE).unwrap();
    }
    let builder = GlobalDataClient::sharded(servers.each_ref().map(address));
    let client = within(builder.placement(Placement::Crc32).connect()).await.unwrap();
    for (number, place) in (0..).zip(&places) {
        let read: Option<i64> = within(client.get(&place.key_hex.0)).await.unwrap();
        assert_eq!(read, Some(number), "{:?}", place.key_hex);
    }
    assert_eq!(places.len(), 126);
}
