//! `cluster-push`: whoever holds a client, any process reaches it.

use crate::browser::{Browser, get};
use crate::cluster::{Cluster, PUSHERS};
use rustix::process::Signal;
use serde_json::{Value as Json, json};
use workyard_tests::clients::until;
use workyard_tests::{Program, Up};

/// How a publication that went well is answered.
fn pushed(pushers: usize) -> (u16, Json) {
    (200, json!({ "pushers": pushers }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_content_reaches_every_client_of_every_process() {
    let cluster = Cluster::start();
    let mut browsers = cluster.browsers(5).await;
    assert_eq!(cluster.get("/?content=hello%2C+clients+%E2%98%83"), pushed(PUSHERS));
    assert_eq!(cluster.get("/?content="), pushed(PUSHERS));
    for browser in &mut browsers {
        assert_eq!(browser.next().await, "hello, clients ☃");
        assert_eq!(browser.next().await, "");
        browser.say("clients may talk").await;
    }
    for number in 0..100 {
        assert_eq!(cluster.get(&format!("/?content={number}")), pushed(PUSHERS));
    }
    for browser in &mut browsers {
        for number in 0..100 {
            assert_eq!(browser.next().await, number.to_string());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_content_for_one_client_reaches_just_that() {
    let cluster = Cluster::start();
    let mut browsers = cluster.browsers(3).await;
    for browser in &browsers {
        let (worker, connection) = (browser.worker_id, browser.connection_id);
        let target = format!("to_worker_id={worker}&to_connection_id={connection}");
        let content = format!("content=for+{worker}.{connection}");
        assert_eq!(cluster.get(&format!("/?{target}&{content}")), pushed(1));
    }
    // Who is not there receives nothing, and nobody else in his place.
    assert_eq!(cluster.get("/?to_worker_id=1&to_connection_id=99&content=lost"), pushed(1));
    assert_eq!(cluster.get("/?to_worker_id=99&to_connection_id=1&content=lost"), pushed(0));
    assert_eq!(cluster.get("/?content=all"), pushed(PUSHERS));
    for browser in &mut browsers {
        let own = format!("for {}.{}", browser.worker_id, browser.connection_id);
        // Two channels carry them, which keep no order between each other.
        let mut received = [browser.next().await, browser.next().await];
        received.sort_unstable();
        assert_eq!(received, ["all".to_owned(), own]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_come_and_go() {
    let mut cluster = Cluster::start();
    let mut browsers = cluster.browsers(2).await;
    let polite = browsers.remove(0);
    let target = format!("to_worker_id=1&to_connection_id={}", polite.connection_id);
    polite.leave().await;
    drop(browsers.pop().unwrap());
    assert_eq!(cluster.get(&format!("/?{target}&content=too+late")), pushed(1));
    browsers.extend(cluster.browsers(1).await);
    assert_eq!(cluster.get("/?content=still+here"), pushed(PUSHERS));
    for browser in &mut browsers {
        assert_eq!(browser.next().await, "still here");
    }

    // A process that is killed takes its own clients with it.
    cluster.pushers[0].kill();
    let two_left = || async { cluster.get("/?content=after") == pushed(PUSHERS - 1) };
    until("the server knows", two_left).await;
    for browser in browsers.iter_mut().filter(|browser| browser.worker_id != 1) {
        assert_eq!(browser.next().await, "after");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cluster_outlives_a_restart_of_the_server() {
    let mut cluster = Cluster::start();
    let mut browsers = cluster.browsers(2).await;
    cluster.daemon.restart();
    let all_back = || async { cluster.get("/?content=back") == pushed(PUSHERS) };
    until("all pushers are back", all_back).await;
    for browser in &mut browsers {
        assert_eq!(browser.next().await, "back");
    }
}

#[tokio::test]
async fn a_query_that_is_wrong_is_explained() {
    let cluster = Cluster::start();
    for (target, text) in [
        ("/", "content"),
        ("/?contents=x", "content"),
        ("/?content=x&to_worker_id=1", "to_connection_id"),
        ("/?content=x&to_connection_id=1", "to_worker_id"),
        ("/?content=x&to_worker_id=one&to_connection_id=1", "to_worker_id"),
        ("/?content=x&to_worker_id=1&to_connection_id=one", "to_connection_id"),
        ("/?content=x&to_worker_id=1&to_connection_id=-1", "to_connection_id"),
    ] {
        let (status, answer) = cluster.get(target);
        assert_eq!(status, 400, "{target}: {answer}");
        let said = answer["error"].as_str().unwrap();
        assert!(said.contains(text), "{target}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_is_not_the_fault_of_who_asks() {
    let mut cluster = Cluster::start();
    cluster.daemon.kill();
    let (status, answer) = cluster.get("/?content=x");
    assert_eq!(status, 503, "{answer}");
    cluster.daemon.start_again();
    let all_back = || async { cluster.get("/?content=back") == pushed(PUSHERS) };
    until("it goes on", all_back).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_command_starts_and_stops_all_of_it() {
    let up = Up::start();
    let ports = ["all", "--pushers", "2", "--first-port", "0", "--http-port", "0"];
    let mut all = up.environment(Program::built("cluster-push")).arguments(ports).start();
    let address = |who: &str| {
        let line = all.stdout().expect(&format!("{who} listening on "));
        line.rsplit(' ').next().unwrap().to_owned()
    };
    let mut browsers = Vec::new();
    for who in ["pusher 1", "pusher 2"] {
        browsers.push(Browser::connect(&address(who)).await);
    }
    let publisher = address("publisher").strip_prefix("http://").unwrap().parse().unwrap();
    assert_eq!(get(publisher, "/?content=hello"), pushed(2));
    for browser in &mut browsers {
        assert_eq!(browser.next().await, "hello");
    }
    all.stdout().expect("Ctrl-C stops all");
    all.signal(Signal::INT);
    assert_eq!(all.wait(), 0);
    assert!(std::net::TcpStream::connect::<std::net::SocketAddr>(publisher).is_err());
}
