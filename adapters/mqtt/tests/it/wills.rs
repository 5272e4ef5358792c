//! What the broker says when a client is gone.

use crate::peer::{Listener, VERSIONS, client, client_at};
use std::time::Duration;
use workyard_mqtt::{Mqtt, Qos, State, Will};
use workyard_testbed::{Mosquitto, Relay, eventually};

fn with_will(broker: &Mosquitto, version: workyard_mqtt::Version, payload: &str) -> Mqtt {
    client(broker, |options| {
        options.version = version;
        options.will = Some(Will {
            topic: "gone".into(),
            payload: payload.into(),
            qos: Qos::AtLeastOnce,
            retain: true,
        });
    })
}

#[tokio::test]
async fn the_will_is_published_for_who_is_dropped_and_not_for_who_is_closed() {
    let broker = Mosquitto::start().await;
    let listener = Listener::start(broker.address(), "gone", None).await;
    for version in VERSIONS {
        let closed = with_will(&broker, version, "closed");
        let dropped = with_will(&broker, version, "dropped");
        let (closed_clone, mut states) = (closed.clone(), dropped.status().watch());
        closed.ready().await.unwrap();
        let subscription = dropped.subscribe("a", Qos::AtMostOnce).await.unwrap();
        closed_clone.close().await;
        drop(dropped);
        // Who listens still has the client.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(matches!(*states.borrow(), State::Ready));
        drop(subscription);
        states.wait_for(|state| matches!(state, State::Closed)).await.unwrap();
    }
    assert_eq!(listener.payloads(2).await, ["dropped", "dropped"]);
}

#[tokio::test]
async fn what_is_under_way_is_sent_before_a_client_is_closed() {
    let broker = Mosquitto::start().await;
    let listener = Listener::start(broker.address(), "a", None).await;
    let relay = Relay::to(broker.address()).await;
    relay.slow(Duration::from_millis(5));
    let url = broker.url_at(relay.address());
    let mqtt = client_at(&url, |options| options.inflight_max = 2);
    let publishing: Vec<_> = (0..50)
        .map(|number| {
            let mqtt = mqtt.clone();
            tokio::spawn(async move {
                mqtt.publish("a", number.to_string(), Qos::ExactlyOnce, false).await
            })
        })
        .collect();
    eventually("calls are under way", async || mqtt.stats().calls == 50).await;
    mqtt.close().await;
    for published in publishing {
        published.await.unwrap().unwrap();
    }
    assert_eq!(listener.payloads(50).await.len(), 50);
}
