//! Several servers that share the keys.

use crate::support::{all, client};
use std::collections::BTreeSet;
use workyard_globaldata::{ErrorKind, Event, GlobalDataClient, Placement};
use workyard_tests::clients::{BACKOFF, address, event, within};
use workyard_tests::{Daemon, GlobalDataWire, Setup};

type Servers = [Daemon<GlobalDataWire>; 3];

fn servers() -> Servers {
    [(); 3].map(|()| Setup::new().start())
}

async fn sharded(servers: &Servers, placement: Placement) -> GlobalDataClient {
    let builder = GlobalDataClient::sharded(servers.each_ref().map(address));
    within(builder.placement(placement).backoff(BACKOFF).connect()).await.unwrap()
}

async fn keys(client: &GlobalDataClient, prefix: &str) -> BTreeSet<String> {
    let mut keys = client.keys(prefix);
    let mut names = BTreeSet::new();
    while let Some(info) = within(keys.next()).await.transpose().unwrap() {
        assert!(names.insert(info.key_str().into_owned()), "listed twice");
    }
    names
}

/// Two keys that lie on different servers.
fn apart(client: &GlobalDataClient) -> [String; 2] {
    let first = "user:0".to_owned();
    let other = (1..).map(|number| format!("user:{number}"));
    let other = other.into_iter().find(|key| client.shard_of(key) != client.shard_of(&first));
    [first, other.unwrap()]
}

async fn keys_are_spread_and_found(placement: Placement) {
    const KEYS: usize = 3000;
    let servers = servers();
    let client = sharded(&servers, placement).await;
    let names: Vec<String> = (0..KEYS).map(|number| format!("user:{number}")).collect();
    let writing =
        names.iter().enumerate().map(async |(number, name)| client.set(name, &number).await);
    assert!(all(writing).await.into_iter().all(|outcome| outcome.is_ok()));
    client.set("other", &1).await.unwrap();

    let listed = keys(&client, "user:").await;
    assert!(listed.iter().eq(names.iter().cloned().collect::<BTreeSet<_>>().iter()));
    assert_eq!(keys(&client, "").await.len(), KEYS + 1);
    for (shard, server) in servers.iter().enumerate() {
        let own = keys(&crate::support::client(server).await, "user:").await;
        assert!(own.iter().all(|key| client.shard_of(key) == shard));
        let share = KEYS / 3 * 8 / 10..KEYS / 3 * 12 / 10;
        assert!(share.contains(&own.len()), "server {shard} has {} of {KEYS}", own.len());
    }

    let values = client.get_many::<usize, _>(names.iter().rev()).await.unwrap();
    assert!(values.into_iter().eq((0..KEYS).rev().map(Some)), "in the order asked for");
    let again = sharded(&servers, placement).await;
    assert_eq!(again.get("user:77").await.unwrap(), Some(77));
    assert!(again.delete("user:77").await.unwrap());
    assert!(!client.exists("user:77").await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_rendezvous_keys_are_spread_and_found() {
    keys_are_spread_and_found(Placement::Rendezvous).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_crc_keys_are_spread_and_found() {
    keys_are_spread_and_found(Placement::Crc32).await;
}

#[tokio::test]
async fn the_order_of_servers_does_not_matter_to_rendezvous() {
    let servers = servers();
    let forwards = sharded(&servers, Placement::Rendezvous).await;
    let backwards = servers.iter().rev().map(address);
    let backwards = GlobalDataClient::sharded(backwards).connect().await.unwrap();
    for number in 0..100 {
        forwards.set(format!("key {number}"), &number).await.unwrap();
        assert_eq!(backwards.get(format!("key {number}")).await.unwrap(), Some(number));
    }
}

#[tokio::test]
async fn a_batch_takes_place_on_one_server() {
    let servers = servers();
    for placement in [Placement::Rendezvous, Placement::Crc32] {
        let client = sharded(&servers, placement).await;
        let [one, other] = apart(&client);
        let batch = client.batch().set(&one, &1).set(&other, &1);
        let error = batch.commit().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CrossShard, "{error}");
        assert!(keys(&client, "").await.is_empty(), "nothing happened");
        let together: Vec<_> = (0..100).map(|number| format!("user:{number}")).collect();
        let together = together.iter().filter(|key| client.shard_of(key) == 1);
        let batch = together.clone().fold(client.batch(), |batch, key| batch.set(key, &1));
        let _ = batch.commit().await.unwrap();
        assert_eq!(keys(&client, "").await.len(), together.clone().count());
        all(together.map(|key| client.delete(key))).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_costs_its_own_keys_alone() {
    let mut servers = servers();
    let client = sharded(&servers, Placement::Rendezvous).await;
    let mut events = client.events();
    let [here, there] = apart(&client);
    client.set(&here, "here").await.unwrap();
    client.set(&there, "there").await.unwrap();
    let away = client.shard_of(&there);
    servers[away].kill();
    let lost = |event| matches!(event, Event::Disconnected { .. }).then_some(());
    event(&mut events, lost).await;
    assert_eq!(client.get(&here).await.unwrap(), Some("here".to_owned()));
    let hasty = client.with_call_timeout(std::time::Duration::from_millis(100));
    let error = hasty.get::<String>(&there).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    let error = hasty.get_many::<String, _>([&here, &there]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    assert!(client.servers()[away].is_none());

    servers[away].start_again();
    assert_eq!(client.get::<String>(&there).await.unwrap(), None, "its values are gone");
    let values = client.get_many::<String, _>([&here, &there]).await.unwrap();
    assert_eq!(values, [Some("here".to_owned()), None]);
}

#[tokio::test]
async fn a_list_of_servers_is_checked() {
    let servers = servers();
    let twice = [address(&servers[0]), address(&servers[0])];
    let error = GlobalDataClient::sharded(twice).connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    let one = client(&servers[0]).await;
    assert!((0..100).all(|number| one.shard_of(format!("{number}")) == 0));
}
