//! The page of `cluster-push` in a real browser.

use crate::chromium::Chromium;
use crate::cluster::{Cluster, PUSHERS};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};
use workyard_tests::PATIENCE;

/// What was pushed to a page, the last first.
const PUSHED: &str = "[...document.querySelectorAll('#pushed li')].map((item) => item.textContent)";
const IS_WELCOME: &str = "document.querySelector('#state').textContent.startsWith('process ')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_sees_what_other_processes_push() {
    let cluster = Cluster::start();
    let mut chromium = Chromium::start().await;
    let url = format!("http://{}/", cluster.http);
    let (first, second) = (chromium.open(&url).await, chromium.open(&url).await);
    for page in [&first, &second] {
        chromium.shows(page, IS_WELCOME, &json!(true)).await;
    }
    let (status, answer) = cluster.get("/push?content=hello%2C+browsers+%E2%98%83");
    assert_eq!((status, answer), (200, json!({ "pushers": PUSHERS })));
    for page in [&first, &second] {
        chromium.shows(page, PUSHED, &json!(["hello, browsers ☃"])).await;
    }
    let submit = "document.querySelector('#content').value = '<b>from a page</b>';
        document.querySelector('#form').requestSubmit()";
    chromium.value(&first, submit).await;
    for page in [&first, &second] {
        let expected = json!(["<b>from a page</b>", "hello, browsers ☃"]);
        chromium.shows(page, PUSHED, &expected).await;
    }
    // Its processes are replaced: a page comes again by itself.
    cluster.service.says(&["reload"]);
    let begun = Instant::now();
    while chromium.value(&second, &format!("{PUSHED}[0]")).await != "after the reload" {
        assert!(begun.elapsed() < PATIENCE, "the page does not come again");
        assert_eq!(cluster.get("/push?content=after+the+reload").0, 200);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let picture = STANDARD.decode(chromium.screenshot(&second).await).unwrap();
    assert!(picture.starts_with(b"\x89PNG") && picture.len() > 5000, "{} bytes", picture.len());
    std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("cluster-push.png"), picture)
        .unwrap();
}
