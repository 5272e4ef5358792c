//! The example, run as its user runs it: workers that ask others, and are asked.

use crate::server::{Server, Step, ok, respond};
use serde_json::{Value, json};
use std::time::Duration;
use workyard_http::Http;
use workyard_testbed::Service;

#[tokio::test]
async fn workers_ask_several_shops_at_once() {
    let dear = Server::start(|_| ok(r#"{"price": 30}"#)).await;
    let cheap = Server::start(|_| ok(r#"{"price": 20}"#)).await;
    let none = Server::start(|_| respond("404 No", "", "")).await;
    let slow =
        Server::start(|_| [vec![Step::Pause(Duration::from_secs(30))], ok("")].concat()).await;
    let shops = [&dear, &cheap, &none, &slow].map(|server| server.url("")).join(",");
    let service = Service::start("http-in-worker", &[("SHOPS", &shops)]).await;
    let http = Http::open(&format!("http://{}", service.address())).unwrap();
    let response = http.get("cheapest").query([("book", "7")]).send().await.unwrap();
    let answer: Value = response.error_for_status().unwrap().json().unwrap();
    assert_eq!(answer["cheapest"], json!({ "shop": cheap.url(""), "price": 20 }), "{answer}");
    assert_eq!(answer["failed"].as_array().unwrap().len(), 2, "{answer}");
    assert_eq!(dear.only().target, "/price?book=7");
    let error = http.get("nowhere").send().await.unwrap().error_for_status().unwrap_err();
    assert_eq!(error.code(), Some("404"));
    for response in http.batch((0..200).map(|_| http.get("health")), 50).await {
        assert_eq!(response.unwrap().text().unwrap(), "well");
    }
    http.close().await;
    service.stop().await;
}
