//! The example, as its user starts it.

use workyard_testbed::{Memcached as Server, Service};

#[tokio::test]
async fn pages_are_made_once_and_counted_always() {
    let server = Server::start().await;
    let url = format!("memcached://{}", server.address());
    let service = Service::start("memcached-in-worker", &[("MEMCACHED", &url)]).await;
    for count in 1..=5 {
        let answer = service.get("/page/about").await;
        assert_eq!(answer.status, 200);
        let made = if count == 1 { "made now" } else { "from the cache" };
        assert_eq!(answer.body, format!("the page /page/about, {made}, seen {count} times\n"));
    }
    assert_eq!(
        service.get("/page/other").await.body,
        "the page /page/other, made now, seen 1 times\n"
    );
    drop(server);
    let answer = service.get("/page/about").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, "the page /page/about, made now, seen by somebody\n");
    service.stop().await;
}
