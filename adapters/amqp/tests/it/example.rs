//! The example, as its user starts it.

use crate::broker::broker;
use workyard_testbed::{Service, eventually};

#[tokio::test]
async fn pictures_are_made_small_elsewhere() {
    let rabbit = &broker().await.rabbit;
    let url = rabbit.url(&rabbit.vhost().await);
    let service = Service::start("amqp-in-worker", &[("AMQP", &url)]).await;
    for picture in ["cat", "dog", "owl"] {
        assert_eq!(service.post("/pictures", picture).await.status, 202);
    }
    eventually("all are small", async || {
        service.get("/waiting").await.body == "0 wait, 3 are small\n"
    })
    .await;
    service.stop().await;
}
