//! Many requests at once.

use crate::server::{Server, Step, ok, respond};
use std::time::Duration;
use workyard_http::{ErrorKind, Http};

#[tokio::test]
async fn results_are_in_order_and_each_has_its_own_error() {
    let server = Server::start(|asked| {
        let number: u64 = asked.target[1..].parse().unwrap();
        let pause = Step::Pause(Duration::from_millis(40 - number));
        [vec![pause], ok(number.to_string())].concat()
    })
    .await;
    let gone = Server::start(|_| ok("")).await.url("/");
    let http = Http::open("http://h?attempts_max=1").unwrap();
    let urls = (0..40).map(|number| match number {
        7 => gone.clone(),
        8 => "ftp://h/".to_owned(),
        _ => server.url(&format!("/{number}")),
    });
    let results = http.batch(urls.map(|url| http.get(url)), 8).await;
    assert_eq!(results.len(), 40);
    for (number, result) in results.iter().enumerate() {
        match number {
            7 => assert_eq!(result.as_ref().unwrap_err().kind(), ErrorKind::Unreachable),
            8 => assert_eq!(result.as_ref().unwrap_err().kind(), ErrorKind::InvalidRequest),
            _ => assert_eq!(result.as_ref().unwrap().text().unwrap(), number.to_string()),
        }
    }
    assert!((2..=8).contains(&server.open_max()), "{}", server.open_max());
}

#[tokio::test]
async fn one_slow_request_does_not_hold_up_the_others() {
    let server = Server::start(|asked| match asked.number {
        0 => [vec![Step::Pause(Duration::from_secs(1))], ok("slow")].concat(),
        _ => respond("404 No", "", "quick"),
    })
    .await;
    let http = Http::new().unwrap();
    let first = http.get(server.url("/0"));
    let others = (1..100).map(|_| http.get(server.url("/x")));
    let batch = tokio::spawn({
        let requests: Vec<_> = std::iter::once(first).chain(others).collect();
        let http = http.clone();
        async move { http.batch(requests, 2).await }
    });
    workyard_testbed::eventually("the others are answered", async || http.stats().succeeded == 99)
        .await;
    let results = batch.await.unwrap();
    assert_eq!(results[0].as_ref().unwrap().text().unwrap(), "slow");
    assert!(http.batch(Vec::new(), 0).await.is_empty());
}
