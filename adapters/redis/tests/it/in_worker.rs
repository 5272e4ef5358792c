//! The example, as its user starts it.

use workyard_testbed::{Redis as Server, Service, eventually};

#[tokio::test]
async fn links_are_made_followed_and_looked_at() {
    let mut server = Server::setup().durable().start().await;
    let service = Service::start("redis-in-worker", &[("REDIS", &server.url())]).await;
    assert_eq!(service.post("/", "https://example.org").await.body, "/1\n");
    assert_eq!(service.post("/", "http://example.org").await.body, "/2\n");
    eventually("they were looked at", async || {
        service.get("/1").await.body.ends_with("times, safe\n")
            && service.get("/2").await.body.ends_with("times, not encrypted\n")
    })
    .await;
    assert_eq!(service.get("/3").await.body, "there is no such link\n");
    server.process.restart().await;
    eventually("it is there again", async || {
        service.get("/1").await.body.starts_with("https://example.org, followed ")
    })
    .await;
    service.stop().await;
}
