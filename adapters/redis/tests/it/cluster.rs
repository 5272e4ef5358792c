//! Servers that share the keys.

use crate::support::{ask, cmd, impatient};
use std::time::Duration;
use workyard_redis::queue::{Queue, QueueOptions};
use workyard_redis::redis::{self, Cmd, Value};
use workyard_redis::{ErrorKind, Event, Redis, Script};
use workyard_testbed::{Authority, PATIENCE, Redis as Server, RedisSetup, Relay, eventually};

struct Cluster {
    nodes: Vec<Server>,
    last_id: String,
}

impl Cluster {
    async fn start() -> Self {
        Self::of(Server::setup()).await
    }

    async fn of(setup: RedisSetup) -> Self {
        let setup = setup.line("enable-debug-command yes").line("cluster-node-timeout 15000");
        let nodes = setup.cluster(3).await.nodes;
        let last_id = nodes[2].command(["CLUSTER", "MYID"]);
        Self { nodes, last_id }
    }

    fn url(&self) -> String {
        let hosts: Vec<_> = self.nodes.iter().map(|node| node.address().to_string()).collect();
        format!("redis+cluster://{}", hosts.join(","))
    }

    /// Has the others take the slot of foo from the last node, which is not asked.
    fn take_foo_from_the_last(&self) {
        let (from, to) = (self.last_id.as_str(), self.id(0));
        let _ = self.nodes[0].command(["CLUSTER", "SETSLOT", "12182", "IMPORTING", from]);
        for node in &self.nodes[..2] {
            let _ = node.command(["CLUSTER", "SETSLOT", "12182", "NODE", &to]);
        }
    }

    fn id(&self, node: usize) -> String {
        self.nodes[node].command(["CLUSTER", "MYID"])
    }
}

#[tokio::test]
async fn commands_find_the_node_of_their_key() {
    let cluster = Cluster::start().await;
    let redis = Redis::with(impatient(&cluster.url())).unwrap();
    redis.ready().await.unwrap();
    for number in 0..100 {
        redis.query::<()>(&Cmd::set(format!("key-{number}"), number)).await.unwrap();
    }
    let sizes = cluster.nodes.iter().map(|node| node.command(["DBSIZE"]).parse::<u32>().unwrap());
    let sizes: Vec<_> = sizes.collect();
    assert!(sizes.iter().all(|size| *size > 10) && sizes.iter().sum::<u32>() == 100, "{sizes:?}");
    let keys: Vec<_> = (0..100).map(|number| format!("key-{number}")).collect();
    let values: Vec<u32> = redis.query(&Cmd::mget(&keys)).await.unwrap();
    assert_eq!(values, (0..100).collect::<Vec<_>>());
    let mut pipeline = redis::pipe();
    pipeline.atomic().set("{a}1", 1).ignore().incr("{a}1", 1);
    assert_eq!(redis.pipeline::<(u32,)>(&pipeline).await.unwrap(), (2,));
    let script = Script::new("return redis.call('INCR', KEYS[1])");
    for number in 1..=3 {
        assert_eq!(redis.run::<u32>(&script, &["counter"], None::<&str>).await.unwrap(), number);
    }
    assert_eq!(redis.connection().await.unwrap_err().kind(), ErrorKind::InvalidRequest);
    assert!(redis.close().await);
}

#[tokio::test]
async fn every_node_is_spoken_to_with_tls() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let cluster = Cluster::of(Server::setup().tls(&authority).password("secret")).await;
    let hosts: Vec<_> = cluster.nodes.iter().map(|node| node.address().to_string()).collect();
    let with = |password: &str, authority: &Authority| {
        let (hosts, ca) = (hosts.join(","), authority.certificate());
        let url = format!("rediss+cluster://{password}{hosts}?tls_ca={}", ca.display());
        Redis::with(impatient(&url)).unwrap()
    };
    let redis = with(":secret@", &authority);
    redis.ready().await.unwrap();
    for number in 0..30 {
        redis.query::<()>(&Cmd::set(format!("key-{number}"), number)).await.unwrap();
    }
    let sizes = cluster.nodes.iter().map(|node| node.command(["DBSIZE"]).parse::<u32>().unwrap());
    assert!(sizes.clone().all(|size| size > 0) && sizes.sum::<u32>() == 30);
    let popped: (String, u32) = {
        ask::<u32>(&redis, "RPUSH queue 7").await;
        redis.query(&cmd("BLPOP queue 5")).await.unwrap()
    };
    assert_eq!(popped, ("queue".to_owned(), 7));
    let subscription = redis.subscribe(&["c"]).await.unwrap();
    subscription.ready().await.unwrap();
    for (password, authority) in
        [(":secret@", &stranger), (":wrong@", &authority), ("", &authority)]
    {
        let error = with(password, authority).ready().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    }
}

#[tokio::test]
async fn what_needs_a_connection_of_its_own_finds_the_node_too() {
    let cluster = Cluster::start().await;
    let redis = Redis::with(impatient(&cluster.url())).unwrap();
    for number in 0..20 {
        let queue = format!("queue-{number}");
        let pop = cmd(&format!("BLPOP {queue} 5"));
        let push = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            ask::<u32>(&redis, &format!("RPUSH {queue} {number}")).await
        };
        let (popped, _) = tokio::join!(redis.query::<(String, u32)>(&pop), push);
        assert_eq!(popped.unwrap(), (queue.clone(), number));
        let key = format!("sum-{number}");
        let sum: (u32,) = redis
            .transaction(&[&key], async |watched| {
                let sum: Option<u32> = watched.query(&Cmd::get(&key)).await?;
                Ok(redis::pipe().incr(&key, sum.unwrap_or(number)).clone())
            })
            .await
            .unwrap();
        assert_eq!(sum, (number,));
    }
    let mut subscription = redis.subscribe(&["news"]).await.unwrap();
    // A message reaches all nodes.
    for node in &cluster.nodes {
        let _ = node.command(["PUBLISH", "news", "1"]);
        let event = tokio::time::timeout(PATIENCE, subscription.next()).await.unwrap();
        assert!(matches!(event, Some(Event::Message(_))), "{event:?}");
    }
    let mut options = QueueOptions::default();
    // Braces, so that it is this that says which node has the queue.
    options.prefix = "{app}".to_owned();
    let queue = Queue::with(&redis, options).unwrap();
    queue.send("mail", 1, Duration::ZERO).await.unwrap();
    queue.send("mail", 2, Duration::from_secs(1)).await.unwrap();
    let consumer = queue.consumer("mail").start(|_| async { Ok(()) });
    eventually("both are done", async || consumer.stats().succeeded == 2).await;
    assert!(consumer.stop(PATIENCE).await);
}

#[tokio::test]
async fn a_slot_that_moves_is_followed() {
    let cluster = Cluster::start().await;
    let redis = Redis::with(impatient(&cluster.url())).unwrap();
    // Slot 12182, on the last node.
    ask::<()>(&redis, "SET foo 1").await;
    let (from, to) = (cluster.id(2), cluster.id(0));
    let _ = cluster.nodes[0].command(["CLUSTER", "SETSLOT", "12182", "IMPORTING", &from]);
    let _ = cluster.nodes[2].command(["CLUSTER", "SETSLOT", "12182", "MIGRATING", &to]);
    let port = cluster.nodes[0].address().port().to_string();
    let _ = cluster.nodes[2].command(["MIGRATE", "127.0.0.1", &port, "foo", "0", "5000"]);
    // The old node says ASK.
    assert_eq!(ask::<u32>(&redis, "INCR foo").await, 2);
    assert_eq!(redis.stats().repeated, 0);
    for node in [0, 2, 1] {
        let _ = cluster.nodes[node].command(["CLUSTER", "SETSLOT", "12182", "NODE", &to]);
    }
    // And now MOVED.
    assert_eq!(ask::<u32>(&redis, "INCR foo").await, 3);
    ask::<u32>(&redis, "RPUSH {foo}list a").await;
    assert_eq!(ask::<(String, String)>(&redis, "BLPOP {foo}list 1").await.1, "a");
    assert_eq!(cluster.nodes[0].command(["GET", "foo"]), "3");
}

#[tokio::test]
async fn a_node_that_dies_costs_its_keys_only_and_a_write_is_not_sent_twice() {
    let mut cluster = Cluster::start().await;
    let mut options = impatient(&cluster.url());
    options.calls.request_timeout = Duration::from_secs(1);
    options.calls.breaker.failures_max = 0;
    let redis = Redis::with(options).unwrap();
    ask::<()>(&redis, "SET foo 1").await;
    ask::<()>(&redis, "SET bar 1").await;
    // foo is on the last node, bar on the first.
    cluster.nodes[2].process.kill().await;
    assert!(redis.query::<u32>(&cmd("INCR foo")).await.is_err());
    assert_eq!(ask::<u32>(&redis, "INCR bar").await, 2);
    cluster.nodes[2].process.start_again().await;
    eventually("the node is back", async || redis.query::<u32>(&cmd("INCR foo")).await.is_ok())
        .await;
    assert_eq!(cluster.nodes[2].command(["GET", "foo"]), "1");
}

#[tokio::test]
async fn what_needs_a_connection_of_its_own_follows_when_another_node_has_the_keys_of_a_dead_one() {
    let mut cluster = Cluster::start().await;
    let mut options = impatient(&cluster.url());
    options.calls.breaker.failures_max = 0;
    let redis = Redis::with(options).unwrap();
    let increment = async || {
        let decided = async |_| Ok(redis::pipe().incr("foo", 1).clone());
        redis.transaction::<(u32,), _, _>(&["foo"], decided).await
    };
    assert_eq!(ask::<Option<(String, String)>>(&redis, "BLPOP {foo}list 0.01").await, None);
    assert_eq!(increment().await.unwrap(), (1,));
    cluster.nodes[2].process.kill().await;
    cluster.take_foo_from_the_last();
    ask_eventually(&redis, "RPUSH {foo}list a").await;
    eventually("it is popped", async || {
        redis.query::<Option<(String, String)>>(&cmd("BLPOP {foo}list 0.1")).await.is_ok()
    })
    .await;
    eventually("it is decided", async || increment().await.is_ok()).await;
}

#[tokio::test]
async fn a_silent_node_is_left_when_another_has_its_keys() {
    let cluster = Cluster::start().await;
    let mut options = impatient(&cluster.url());
    options.calls.request_timeout = Duration::from_millis(500);
    options.calls.breaker.failures_max = 0;
    let redis = Redis::with(options).unwrap();
    ask::<()>(&redis, "SET foo 1").await;
    cluster.nodes[2].process.pause().await;
    cluster.take_foo_from_the_last();
    ask_eventually(&redis, "SET foo 2").await;
    assert_eq!(cluster.nodes[0].command(["GET", "foo"]), "2");
}

#[tokio::test]
async fn a_host_that_swallows_everything_keeps_nobody_from_the_others() {
    let cluster = Cluster::start().await;
    let relay = Relay::to(cluster.nodes[0].address()).await;
    relay.stall();
    let hosts = format!("//{},", relay.address());
    let redis = Redis::with(impatient(&cluster.url().replace("//", &hosts))).unwrap();
    redis.ready().await.unwrap();
    redis.subscribe(&["news"]).await.unwrap();
}

/// Asks until that is answered.
async fn ask_eventually(redis: &Redis, words: &str) {
    eventually(words, async || redis.query::<Value>(&cmd(words)).await.is_ok()).await;
}
