//! The work queue.

use crate::support::{MOMENT, ask, impatient, open, server};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;
use workyard_redis::queue::{Consumer, Failure, Job, Queue, QueueOptions};
use workyard_redis::redis::Cmd;
use workyard_redis::{ErrorKind, Redis};
use workyard_testbed::{PATIENCE, Redis as Server, Relay, eventually};

const NO_DELAY: Duration = Duration::ZERO;

/// How often each job was begun, by what it is about.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<BTreeMap<String, u32>>>);

impl Seen {
    fn add(&self, job: &Job) -> u32 {
        let mut seen = self.0.lock().expect("nobody panics with it");
        let count = seen.entry(job.data().to_string()).or_default();
        *count += 1;
        *count
    }

    fn all(&self) -> BTreeMap<String, u32> {
        self.0.lock().expect("nobody panics with it").clone()
    }

    async fn reaches(&self, count: usize) {
        eventually("the jobs are seen", async || self.all().len() >= count).await;
    }
}

fn queue(redis: &Redis) -> Queue {
    let mut options = QueueOptions::default();
    options.retry_seconds = 1;
    options.lease_seconds = 2;
    Queue::with(redis, options).expect("the options are sound")
}

fn seeing(queue: &Queue, name: &str, seen: &Seen) -> Consumer {
    let seen = seen.clone();
    queue.consumer(name).jobs_max(4).start(move |job| {
        seen.add(&job);
        async { Ok(()) }
    })
}

#[tokio::test]
async fn jobs_are_done_in_order_and_once() {
    let (server, redis) = server().await;
    let queue = queue(&redis);
    for number in 0..100 {
        queue.send("mail", number, NO_DELAY).await.unwrap();
    }
    assert_eq!(queue.counts("mail").await.unwrap().waiting, 100);
    let order = Arc::new(Mutex::new(Vec::new()));
    let done = Arc::clone(&order);
    let consumer = queue.consumer("mail").start(move |job| {
        done.lock().unwrap().push(job.read::<u32>().unwrap());
        async { Ok(()) }
    });
    eventually("all are done", async || consumer.stats().succeeded == 100).await;
    assert_eq!(*order.lock().unwrap(), (0..100).collect::<Vec<_>>());
    assert!(consumer.stop(PATIENCE).await);
    assert_eq!(server.command(["KEYS", "*"]), "");
}

#[tokio::test]
async fn a_job_is_done_once_by_a_user_who_may_touch_nothing_but_its_prefix() {
    let (server, _) = server().await;
    let _ = server.command(["ACL", "SETUSER", "app", "on", ">secret", "~app:*", "&*", "+@all"]);
    let redis = open(&server.url().replace("redis://", "redis://app:secret@"));
    let mut options = QueueOptions::default();
    options.prefix = "app:".to_owned();
    let queue = Queue::with(&redis, options).unwrap();
    let consumer = queue.consumer("q").start(|_| async { Ok(()) });
    queue.send("q", 1, NO_DELAY).await.unwrap();
    eventually("it is done", async || consumer.stats().succeeded == 1).await;
    assert!(consumer.stop(PATIENCE).await);
    assert_eq!(server.command(["KEYS", "*"]), "");
}

#[tokio::test]
async fn a_job_that_succeeded_is_not_done_again_while_the_server_refuses_to_hear_of_it() {
    let (server, redis) = server().await;
    let _ = server.command(["ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all"]);
    let mut options = impatient(&server.url().replace("redis://", "redis://app:secret@"));
    options.calls.request_timeout = MOMENT;
    let app = Redis::with(options).unwrap();
    let seen = Seen::default();
    let (begun, gate) = (seen.clone(), Arc::new(Semaphore::new(0)));
    let opened = Arc::clone(&gate);
    let consumer = queue(&app).consumer("q").jobs_max(4).start(move |job| {
        begun.add(&job);
        let opened = Arc::clone(&opened);
        async move {
            let _ = opened.acquire().await;
            Ok(())
        }
    });
    queue(&redis).send("q", 1, NO_DELAY).await.unwrap();
    seen.reaches(1).await;
    let _ = server.command(["ACL", "SETUSER", "app", "-lrem"]);
    gate.add_permits(100);
    // Longer than what did not arrive is waited for.
    tokio::time::sleep(MOMENT * 2 + Duration::from_secs(4)).await;
    assert_eq!(seen.all().into_values().collect::<Vec<_>>(), [1]);
    let stats = consumer.stats();
    assert_eq!((stats.under_way, stats.succeeded, stats.taken_over), (1, 0, 0));
    let _ = server.command(["ACL", "SETUSER", "app", "+lrem"]);
    eventually("it is settled", async || consumer.stats().succeeded == 1).await;
    assert!(consumer.stop(PATIENCE).await);
    assert_eq!(seen.all().into_values().collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn a_job_as_large_as_a_request_may_be_is_settled() {
    let server = Server::start().await;
    let mut options = impatient(&server.url());
    options.request_bytes_max = 1500;
    let redis = Redis::with(options).unwrap();
    let mut options = QueueOptions::default();
    options.max_attempts = 0;
    let queue = Queue::with(&redis, options).unwrap();
    let consumer = queue.consumer("q").start(|_| async { Err("no".into()) });
    queue.send("q", "x".repeat(1000), NO_DELAY).await.unwrap();
    eventually("it has failed", async || consumer.stats().failed == 1).await;
    let counts = queue.counts("q").await.unwrap();
    assert_eq!((counts.under_way, counts.failed), (0, 1));
    assert!(consumer.stop(PATIENCE).await);
}

#[tokio::test]
async fn a_server_without_memory_left_is_relieved_of_its_jobs() {
    let (server, redis) = server().await;
    let queue = queue(&redis);
    for number in 0..20 {
        queue.send("q", number, NO_DELAY).await.unwrap();
    }
    let _ = server.command(["CONFIG", "SET", "maxmemory", "1"]);
    let error = queue.send("q", 20, NO_DELAY).await.unwrap_err();
    assert_eq!(error.code(), Some("OOM"));
    let seen = Seen::default();
    let consumer = seeing(&queue, "q", &seen);
    eventually("all are done", async || consumer.stats().succeeded == 20).await;
    assert!(consumer.stop(PATIENCE).await);
    assert_eq!(server.command(["KEYS", "*"]), "");
    assert!(seen.all().into_values().all(|count| count == 1));
}

#[tokio::test]
async fn a_job_that_cannot_be_put_where_it_belongs_is_not_lost() {
    let (server, redis) = server().await;
    let queue = queue(&redis);
    let _ = server.command(["SET", "{redis-queue}-failed", "something else"]);
    let consumer = queue.consumer("q").start(|_| async { Err(Failure::give_up("no")) });
    queue.send("q", "kept", NO_DELAY).await.unwrap();
    eventually("it has failed", async || {
        server.command(["INFO", "errorstats"]).contains("errorstat_WRONGTYPE")
    })
    .await;
    let processing = server.command(["KEYS", "{redis-queue}-processing:*"]);
    assert!(server.command(["LRANGE", processing.trim(), "0", "-1"]).contains("kept"));
    let _ = server.command(["DEL", "{redis-queue}-failed"]);
    eventually("it is among the failed", async || {
        queue.counts("q").await.is_ok_and(|counts| counts.failed == 1)
    })
    .await;
    assert!(consumer.stop(PATIENCE).await);
}

#[tokio::test]
async fn a_delayed_job_whose_queue_is_no_queue_has_failed_and_holds_up_nobody() {
    let (server, redis) = server().await;
    let queue = queue(&redis);
    let _ = server.command(["SET", "{redis-queue}-waitingodd", "something else"]);
    let _ = server.command(["ZADD", "{redis-queue}-delayed", "1", r#"{"queue":"odd","data":1}"#]);
    let _ = server.command(["ZADD", "{redis-queue}-delayed", "2", r#"{"queue":"q","data":2}"#]);
    let seen = Seen::default();
    let consumer = seeing(&queue, "q", &seen);
    seen.reaches(1).await;
    assert!(seen.all().contains_key("2"), "{:?}", seen.all());
    let failed = server.command(["LRANGE", "{redis-queue}-failed", "0", "-1"]);
    assert!(failed.contains("odd"), "{failed}");
    assert!(consumer.stop(PATIENCE).await);

    let _ = server.command(["SET", "{redis-queue}-failed", "something else"]);
    let _ = server.command(["ZADD", "{redis-queue}-delayed", "1", r#"{"queue":"odd","data":3}"#]);
    let consumer = seeing(&queue, "q", &seen);
    eventually("it waits for a minute", async || {
        let score =
            server.command(["ZSCORE", "{redis-queue}-delayed", r#"{"queue":"odd","data":3}"#]);
        score.trim().parse::<f64>().is_ok_and(|due| due > 1_000_000.0)
    })
    .await;
    assert!(consumer.stop(PATIENCE).await);
}

#[tokio::test]
async fn a_job_of_php_is_done_and_php_finds_ours() {
    let (server, redis) = server().await;
    let queue = queue(&redis);
    // As the PHP client sends it: json_encode, then lPush.
    let package = r#"{"id":"1763830804.1234.1","time":1763830804,"delay":0,"attempts":0,"queue":"user-1","data":["some","d\u00e4ta\/1"]}"#;
    ask::<u32>(&redis, &format!("LPUSH {{redis-queue}}-waitinguser-1 {package}")).await;
    // With a delay: zAdd with the time when it is due.
    let late = package.replace("1234.1", "1234.2").replace("some", "late");
    ask::<u32>(&redis, &format!("ZADD {{redis-queue}}-delayed 1763830809 {late}")).await;
    ask::<u32>(&redis, "ZADD {redis-queue}-delayed 1763830809 nonsense").await;
    let seen = Seen::default();
    let consumer = seeing(&queue, "user-1", &seen);
    seen.reaches(2).await;
    let expected = [r#"["late","däta/1"]"#, r#"["some","däta/1"]"#];
    assert_eq!(seen.all().into_keys().collect::<Vec<_>>(), expected);
    assert!(consumer.stop(PATIENCE).await);
    assert_eq!(server.command(["LRANGE", "{redis-queue}-failed", "0", "-1"]), "nonsense");
    // As the PHP client fetches it: brPop, then json_decode.
    let id = queue.send("user-2", [666, 777], NO_DELAY).await.unwrap();
    let (key, stored): (String, String) =
        ask(&redis, "BRPOP {redis-queue}-waitinguser-1 {redis-queue}-waitinguser-2 1").await;
    assert_eq!(key, "{redis-queue}-waitinguser-2");
    let package: serde_json::Value = serde_json::from_str(&stored).unwrap();
    assert_eq!((&package["id"], &package["queue"]), (&id.into(), &"user-2".into()));
    assert_eq!(package["data"], serde_json::json!([666, 777]));
    assert_eq!((&package["attempts"], &package["delay"]), (&0.into(), &0.into()));
    // And its poll of what is due: zRevRangeByScore, then zRem.
    queue.send("user-2", "later", Duration::from_secs(60)).await.unwrap();
    let now: (u64, u64) = ask(&redis, "TIME").await;
    let poll = |now| format!("ZREVRANGEBYSCORE {{redis-queue}}-delayed {now} -inf LIMIT 0 128");
    assert_eq!(ask::<Vec<String>>(&redis, &poll(now.0 + 55)).await, [""; 0]);
    let due: Vec<String> = ask(&redis, &poll(now.0 + 61)).await;
    let package: serde_json::Value = serde_json::from_str(&due[0]).unwrap();
    assert_eq!((&package["queue"], &package["delay"]), (&"user-2".into(), &60.into()));
    assert_eq!(redis.query::<u32>(&Cmd::zrem("{redis-queue}-delayed", &due[0])).await.unwrap(), 1);
}

#[tokio::test]
async fn a_job_that_fails_is_tried_again_and_fails_for_good() {
    let (_server, redis) = server().await;
    let mut options = QueueOptions::default();
    options.retry_seconds = 0;
    options.max_attempts = 2;
    let queue = Queue::with(&redis, options).unwrap();
    let seen = Seen::default();
    let told = Arc::new(Mutex::new(Vec::new()));
    let (begun, tell) = (seen.clone(), Arc::clone(&told));
    let builder = queue.consumer("q").on_failure(move |attempt| {
        tell.lock().unwrap().push(format!("{}: {}", attempt.job.data(), attempt.error));
    });
    let consumer = builder.start(move |job| {
        let count = begun.add(&job);
        async move {
            match job.data().as_str() {
                Some("panics") if count == 1 => panic!("no {count}"),
                Some("fails") => Err("never".into()),
                Some("gives up") => Err(Failure::give_up("useless")),
                _ => Ok(()),
            }
        }
    });
    for data in ["panics", "fails", "gives up", "works"] {
        queue.send("q", data, NO_DELAY).await.unwrap();
    }
    eventually("all have ended", async || {
        let stats = consumer.stats();
        (stats.succeeded, stats.failed) == (2, 2)
    })
    .await;
    assert_eq!(seen.all().into_values().collect::<Vec<_>>(), [3, 1, 2, 1]);
    assert_eq!(consumer.stats().retried, 3);
    let mut told = told.lock().unwrap().clone();
    told.sort();
    assert_eq!(told[0], r#""fails": never"#);
    assert_eq!(told[3], r#""panics": the callback panicked: no 1"#);
    let failed = queue.failed(0, 10).await.unwrap();
    let texts: Vec<_> = failed.iter().map(|failed| failed.error().unwrap()).collect();
    assert_eq!(texts, ["never", "useless"]);
    assert_eq!(failed[0].job().unwrap().attempts(), 3);
    assert!(consumer.stop(PATIENCE).await);
    assert!(queue.redrive(&failed[0]).await.unwrap());
    assert!(!queue.redrive(&failed[0]).await.unwrap());
    assert!(queue.discard(&failed[1]).await.unwrap());
    let counts = queue.counts("q").await.unwrap();
    assert_eq!((counts.waiting, counts.failed), (1, 0));
    let again = Seen::default();
    let consumer = seeing(&queue, "q", &again);
    again.reaches(1).await;
    assert!(consumer.stop(PATIENCE).await);
}

#[tokio::test]
async fn all_that_failed_is_sent_again() {
    let (server, redis) = server().await;
    let queue = queue(&redis);
    for number in 0..300 {
        let name = if number % 3 == 0 { "other" } else { "mine" };
        queue.send(name, number, NO_DELAY).await.unwrap();
    }
    for name in ["mine", "other"] {
        let consumer =
            queue.consumer(name).jobs_max(8).start(|_| async { Err(Failure::give_up("no")) });
        let left = async || queue.counts(name).await.unwrap();
        eventually("all failed", async || left().await.waiting + left().await.under_way == 0).await;
        assert!(consumer.stop(PATIENCE).await);
    }
    assert_eq!(queue.counts("mine").await.unwrap().failed, 300);
    assert_eq!(queue.redrive_all("mine").await.unwrap(), 200);
    let counts = queue.counts("mine").await.unwrap();
    assert_eq!((counts.waiting, counts.failed), (200, 100));
    assert_eq!(server.command(["LLEN", "{redis-queue}-waitingother"]), "0");
}

#[tokio::test]
async fn several_consumers_share_delayed_jobs_without_doubling_them() {
    let server = Server::start().await;
    let seen = Seen::default();
    let consumers: Vec<_> = (0..4)
        .map(|_| {
            // Each as in a process of its own.
            let redis = Redis::with(impatient(&server.url())).unwrap();
            // With the usual lease: one that ends while the machine stands still is no fault.
            seeing(&Queue::new(&redis), "q", &seen)
        })
        .collect();
    let redis = Redis::with(impatient(&server.url())).unwrap();
    let sender = queue(&redis);
    for number in 0..500 {
        sender.send("q", number, Duration::from_secs(1 + number % 2)).await.unwrap();
    }
    assert!(sender.counts("q").await.unwrap().delayed > 0);
    seen.reaches(500).await;
    for consumer in consumers {
        assert!(consumer.stop(PATIENCE).await);
    }
    assert!(seen.all().into_values().all(|count| count == 1));
}

#[tokio::test]
async fn the_jobs_of_a_consumer_that_died_are_taken_over() {
    let (server, redis) = server().await;
    let queue = queue(&redis);
    let waiting = "{redis-queue}-waitingq";
    // What a process leaves that died with a job in its hands.
    let id = queue.send("q", "orphan", NO_DELAY).await.unwrap();
    let _ = server.command(["LMOVE", waiting, "{redis-queue}-processing:dead", "RIGHT", "LEFT"]);
    let _ = server.command(["HSET", "{redis-queue}-consumers", "dead", "q"]);
    assert_eq!(queue.counts("q").await.unwrap().under_way, 1);
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let done = Arc::clone(&attempts);
    let consumer = queue.consumer("q").start(move |job| {
        done.lock().unwrap().push((job.id(), job.attempts()));
        async { Ok(()) }
    });
    eventually("it is done", async || consumer.stats().succeeded == 1).await;
    assert_eq!(*attempts.lock().unwrap(), [(id, 1)]);
    assert_eq!(consumer.stats().recovered, 1);
    assert!(consumer.stop(PATIENCE).await);
    assert_eq!(server.command(["KEYS", "*"]), "");
}

#[tokio::test]
async fn an_orderly_end_finishes_what_was_begun_and_loses_nothing() {
    let (server, redis) = server().await;
    let queue = queue(&redis);
    for round in 0..10 {
        for number in 0..20 {
            queue.send("q", round * 100 + number, NO_DELAY).await.unwrap();
        }
        let consumer = queue.consumer("q").jobs_max(3).start(|_| async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Ok(())
        });
        tokio::time::sleep(Duration::from_millis(round * 3)).await;
        let before = queue.counts("q").await.unwrap();
        assert!(before.under_way <= 4, "{before:?}");
        assert!(consumer.stop(PATIENCE).await);
    }
    let counts = queue.counts("q").await.unwrap();
    assert_eq!(counts.under_way, 0);
    let keys = server.command(["KEYS", "*"]);
    assert!(!keys.contains("processing") && !keys.contains("consumers"), "{keys}");
    let seen = Seen::default();
    let consumer = seeing(&queue, "q", &seen);
    eventually("the rest is done", async || queue.counts("q").await.unwrap().waiting == 0).await;
    assert!(consumer.stop(PATIENCE).await);
    assert!(seen.all().into_values().all(|count| count == 1));
}

#[tokio::test]
async fn nothing_is_lost_on_a_connection_that_is_cut_again_and_again() {
    let server = Server::start().await;
    let relay = Relay::to(server.address()).await;
    let mut options = impatient(&server.url_at(relay.address()));
    options.calls.request_timeout = Duration::from_millis(300);
    options.calls.breaker.failures_max = 0;
    let unsteady = Redis::with(options).unwrap();
    let sender = queue(&Redis::with(impatient(&server.url())).unwrap());
    let seen = Seen::default();
    let consumer = seeing(&queue(&unsteady), "q", &seen);
    for number in 0..200 {
        sender.send("q", number, NO_DELAY).await.unwrap();
        if number % 5 == 0 {
            relay.cut_answer_to("BLMOVE");
        }
        if number % 20 == 0 {
            relay.cut();
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    relay.pass();
    seen.reaches(200).await;
    eventually("all is settled", async || {
        let counts = sender.counts("q").await.unwrap();
        counts.waiting + counts.under_way + counts.delayed == 0
    })
    .await;
    assert!(consumer.stats().returned > 0, "{:?}", consumer.stats());
    assert!(consumer.stop(PATIENCE).await);
}

#[tokio::test]
async fn a_server_that_comes_back_is_worked_for_again() {
    let mut server = Server::setup().durable().start().await;
    let mut options = impatient(&server.url());
    options.calls.breaker.failures_max = 0;
    let redis = Redis::with(options).unwrap();
    let queue = queue(&redis);
    let seen = Seen::default();
    let consumer = seeing(&queue, "q", &seen);
    for round in 1..=2 {
        queue.send("q", round, NO_DELAY).await.unwrap();
        seen.reaches(round).await;
        server.process.kill().await;
        assert!(queue.send("q", "lost", NO_DELAY).await.is_err());
        server.process.start_again().await;
        redis.ready().await.unwrap();
    }
    assert!(consumer.stop(PATIENCE).await);
}

#[tokio::test]
async fn what_cannot_be_a_queue_is_refused() {
    let (_server, redis) = server().await;
    let mut options = QueueOptions::default();
    options.lease_seconds = 1;
    assert_eq!(Queue::with(&redis, options).unwrap_err().kind(), ErrorKind::InvalidOptions);
    let broken = BTreeMap::from([([1, 2], 3)]);
    let error = Queue::new(&redis).send("q", broken, NO_DELAY).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}
