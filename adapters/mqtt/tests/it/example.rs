//! The example, as its user starts it.

use crate::peer::{Listener, publish};
use workyard_testbed::{Mosquitto, Service, eventually};

#[tokio::test]
async fn machines_are_asked_and_ordered_by_http() {
    let mut broker = Mosquitto::start().await;
    let listener = Listener::start(broker.address(), "plant/+/order", None).await;
    let service = Service::start("mqtt-in-worker", &[("MQTT", &broker.url())]).await;
    let address = broker.address();
    publish(address, &["-t", "plant/7/state", "-m", "running", "-q", "1", "-r"]).await;
    eventually("the state is known", async || service.get("/plant/7").await.body == "running\n")
        .await;
    assert_eq!(service.get("/plant/8").await.body, "unknown\n");
    assert_eq!(service.post("/plant/7", "stop").await.body, "ordered\n");
    assert_eq!(listener.payloads(1).await, ["stop"]);
    broker.process.restart().await;
    assert_eq!(service.post("/plant/7", "go").await.body, "ordered\n");
    service.stop().await;
}
