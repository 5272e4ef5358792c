//! Many callers, those that give up among them.

use crate::server::{Server, Step, ok};
use futures_util::future::join_all;
use std::time::{Duration, Instant};
use workyard_http::{ErrorKind, Http, Options};
use workyard_testbed::eventually;

/// Answers with the path, after as long as it says.
async fn echo() -> Server {
    Server::start(|asked| {
        let (wait, _) = asked.target[1..].split_once('/').unwrap();
        let pause = Step::Pause(Duration::from_millis(wait.parse().unwrap()));
        [vec![pause], ok(&asked.target)].concat()
    })
    .await
}

fn with_calls(calls_max: usize, waiting_max: usize) -> Http {
    let mut options = Options::default();
    options.calls.calls_max = calls_max;
    options.calls.waiting_max = waiting_max;
    Http::with(options).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_share_a_few_connections_and_each_gets_its_own_answer() {
    let server = echo().await;
    let http = with_calls(32, 1024);
    let calls = (0..1000).map(|number| {
        let (http, path) = (http.clone(), format!("/1/{number}"));
        let url = server.url(&path);
        tokio::spawn(async move {
            let response = http.get(url).send().await.unwrap();
            assert_eq!(response.text().unwrap(), path);
        })
    });
    for call in join_all(calls).await {
        call.unwrap();
    }
    assert_eq!((server.count(), http.stats().succeeded), (1000, 1000));
    // One that was being made while another became free is used by a later call.
    assert!(server.open_max() <= 2 * 32, "{}", server.open_max());
}

#[tokio::test]
async fn more_than_may_wait_are_turned_away_at_once() {
    let server = echo().await;
    let http = with_calls(2, 3);
    let calls = (0..10).map(|_| http.get(server.url("/300/x")).send());
    let started = Instant::now();
    let results = join_all(calls).await;
    let busy = results.iter().filter_map(|result| result.as_ref().err());
    assert_eq!(busy.clone().count(), 5);
    assert!(busy.into_iter().all(|error| error.kind() == ErrorKind::Busy));
    assert!(started.elapsed() >= Duration::from_millis(900), "two at a time");
    assert_eq!((server.count(), http.stats().waiting), (5, 0));
}

#[tokio::test]
async fn a_slow_host_is_no_trouble_for_others() {
    let (slow, quick) = (echo().await, echo().await);
    let http = with_calls(2, 0);
    let held = (0..2).map(|_| http.get(slow.url("/2000/x")).send());
    let held = async {
        tokio::time::timeout(Duration::from_secs(1), join_all(held)).await.unwrap_err();
    };
    let others = async {
        eventually("the slow host is busy", async || slow.count() == 2).await;
        let error = http.get(slow.url("/0/x")).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy);
        for _ in 0..50 {
            http.get(quick.url("/0/x")).send().await.unwrap();
        }
    };
    tokio::join!(held, others);
    let stats = http.stats_by_host();
    assert_eq!(stats[&quick.url("")].succeeded, 50);
    assert_eq!((stats[&slow.url("")].cancelled, stats[&slow.url("")].calls), (2, 0));
}

#[tokio::test]
async fn more_hosts_than_may_be_told_apart_give_way() {
    let servers = join_all((0..5).map(|_| echo())).await;
    let mut options = Options::default();
    options.hosts_max = 2;
    let http = Http::with(options).unwrap();
    for server in servers.iter().chain(&servers) {
        http.get(server.url("/0/x")).send().await.unwrap();
    }
    assert_eq!((http.stats().succeeded, http.stats_by_host().len()), (10, 2));
    let calls = servers.iter().take(3).map(|server| http.get(server.url("/300/x")).send());
    let results = join_all(calls).await;
    let errors: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].kind(), ErrorKind::Busy);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_given_up_poison_nothing() {
    let server = echo().await;
    let http = with_calls(8, 1024);
    let calls = (0..600_u64).map(|number| {
        let (http, path) = (http.clone(), format!("/{}/{number}", number % 5));
        let (url, patience) = (server.url(&path), Duration::from_micros(number * 3571 % 400_000));
        tokio::spawn(async move {
            let get = http.get(url);
            let answered = async {
                if number % 3 == 0 {
                    return get.stream().await.unwrap().chunk().await.unwrap().unwrap();
                }
                get.send().await.unwrap().into_bytes()
            };
            match tokio::time::timeout(patience, answered).await {
                Ok(body) => assert_eq!(body, path),
                Err(_) => return 0,
            }
            1
        })
    });
    let answered: usize = join_all(calls).await.into_iter().map(Result::unwrap).sum();
    assert!((1..600).contains(&answered), "{answered}");
    eventually("no place is taken", async || http.stats().calls == 0).await;
    for number in 0..100 {
        let path = format!("/0/after-{number}");
        let response = http.get(server.url(&path)).send().await.unwrap();
        assert_eq!(response.text().unwrap(), path);
    }
}
