//! `cluster-push`: whoever holds a client, any process reaches it.

use crate::cluster::{Cluster, PUSHERS};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};
use workyard_tests::clients::until;

/// How a publication that went well is answered.
fn pushed(pushers: usize) -> (u16, Json) {
    (200, json!({ "pushers": pushers }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_content_reaches_every_client_of_every_process() {
    let cluster = Cluster::start();
    let mut browsers = cluster.browsers(5).await;
    assert_eq!(cluster.get("/push?content=hello%2C+clients+%E2%98%83"), pushed(PUSHERS));
    assert_eq!(cluster.get("/push?content="), pushed(PUSHERS));
    for browser in &mut browsers {
        assert_eq!(browser.next().await, "hello, clients ☃");
        assert_eq!(browser.next().await, "");
        browser.say("clients may talk").await;
    }
    for number in 0..100 {
        assert_eq!(cluster.get(&format!("/push?content={number}")), pushed(PUSHERS));
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
        assert_eq!(cluster.get(&format!("/push?{target}&{content}")), pushed(1));
    }
    // Who is not there receives nothing, and nobody else in his place.
    assert_eq!(cluster.get("/push?to_worker_id=1&to_connection_id=99&content=lost"), pushed(1));
    assert_eq!(cluster.get("/push?to_worker_id=99&to_connection_id=1&content=lost"), pushed(0));
    assert_eq!(cluster.get("/push?content=all"), pushed(PUSHERS));
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
    let cluster = Cluster::start();
    let mut browsers = cluster.browsers(2).await;
    let polite = browsers.remove(0);
    let target = format!("to_worker_id=0&to_connection_id={}", polite.connection_id);
    polite.leave().await;
    drop(browsers.pop().unwrap());
    assert_eq!(cluster.get(&format!("/push?{target}&content=too+late")), pushed(1));
    browsers.extend(cluster.browsers(1).await);
    assert_eq!(cluster.get("/push?content=still+here"), pushed(PUSHERS));
    for browser in &mut browsers {
        assert_eq!(browser.next().await, "still here");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_takes_its_own_clients_with_it_and_comes_back() {
    let cluster = Cluster::start();
    let mut browsers = cluster.browsers(1).await;
    let before = cluster.service.pids("pusher");
    assert_eq!(before.len(), PUSHERS);
    kill_process(Pid::from_raw(before[1]).unwrap(), Signal::KILL).unwrap();
    let is_replaced = || async {
        let now = cluster.service.pids("pusher");
        now.len() == PUSHERS && now[1] != before[1]
    };
    until("another has its place", is_replaced).await;
    let all_subscribe = || async { cluster.get("/push?content=after") == pushed(PUSHERS) };
    until("the server knows", all_subscribe).await;
    browsers.retain(|browser| browser.worker_id != 1);
    for browser in &mut browsers {
        assert_eq!(browser.next().await, "after");
    }
    assert_eq!(cluster.service.pids("pusher")[0], before[0]);
    // Its id is that of its predecessor, and so is its channel.
    let mut second = cluster.browsers(1).await.remove(1);
    let target = format!("to_worker_id=1&to_connection_id={}", second.connection_id);
    assert_eq!(cluster.get(&format!("/push?{target}&content=direct")), pushed(1));
    assert_eq!(second.next().await, "direct");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_replaces_every_process_and_clients_come_again() {
    let cluster = Cluster::start();
    let mut browsers = cluster.browsers(1).await;
    let before = cluster.service.pids("pusher");
    cluster.service.says(&["reload"]);
    let after = cluster.service.pids("pusher");
    assert_eq!(after.len(), PUSHERS);
    assert!(before.iter().all(|pid| !after.contains(pid)), "{before:?} {after:?}");
    for browser in &mut browsers {
        browser.is_closed().await;
    }
    let mut browsers = cluster.browsers(1).await;
    assert_eq!(cluster.get("/push?content=anew"), pushed(PUSHERS));
    for browser in &mut browsers {
        assert_eq!(browser.next().await, "anew");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cluster_outlives_a_restart_of_the_server() {
    let mut cluster = Cluster::start();
    let mut browsers = cluster.browsers(2).await;
    cluster.daemon.restart();
    let all_back = || async { cluster.get("/push?content=back") == pushed(PUSHERS) };
    until("all pushers are back", all_back).await;
    for browser in &mut browsers {
        assert_eq!(browser.next().await, "back");
    }
}

#[tokio::test]
async fn a_query_that_is_wrong_is_explained() {
    let cluster = Cluster::start();
    for (target, text) in [
        ("/push", "content"),
        ("/push?contents=x", "content"),
        ("/push?content=x&to_worker_id=1", "to_connection_id"),
        ("/push?content=x&to_connection_id=1", "to_worker_id"),
        ("/push?content=x&to_worker_id=one&to_connection_id=1", "to_worker_id"),
        ("/push?content=x&to_worker_id=1&to_connection_id=one", "to_connection_id"),
        ("/push?content=x&to_worker_id=1&to_connection_id=-1", "to_connection_id"),
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
    let (status, answer) = cluster.get("/push?content=x");
    assert_eq!(status, 503, "{answer}");
    cluster.daemon.start_again();
    let all_back = || async { cluster.get("/push?content=back") == pushed(PUSHERS) };
    until("it goes on", all_back).await;
}
