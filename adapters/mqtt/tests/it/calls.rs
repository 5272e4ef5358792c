//! Publishing and subscribing where nothing goes wrong.

use crate::peer::{Listener, VERSIONS, client, is_silent, next, publish};
use workyard_mqtt::{ErrorKind, Mqtt, Publish, Qos, State};
use workyard_testbed::Mosquitto;

#[tokio::test]
async fn a_message_of_every_qos_arrives_at_another_client() {
    let broker = Mosquitto::start().await;
    let listener = Listener::start(broker.address(), "a/#", None).await;
    for version in VERSIONS {
        let mqtt = client(&broker, |options| options.version = version);
        for (qos, text) in [(Qos::AtMostOnce, "zero"), (Qos::AtLeastOnce, "one")] {
            mqtt.publish("a/b", text, qos, false).await.unwrap();
        }
        mqtt.publish("a/c", "two", Qos::ExactlyOnce, false).await.unwrap();
        mqtt.close().await;
    }
    listener.payloads(6).await;
    let mut heard = listener.heard();
    heard.sort_unstable();
    heard.dedup_by(|one, other| one == other);
    assert_eq!(heard, ["a/b 0 0 zero", "a/b 1 0 one", "a/c 2 0 two"]);
}

#[tokio::test]
async fn messages_of_another_client_arrive() {
    let broker = Mosquitto::start().await;
    for version in VERSIONS {
        let mqtt = client(&broker, |options| options.version = version);
        let mut all = mqtt.subscribe("s/+", Qos::ExactlyOnce).await.unwrap();
        let mut low = mqtt.subscribe("s/x", Qos::AtMostOnce).await.unwrap();
        let address = broker.address();
        publish(address, &["-t", "s/x", "-m", "hello", "-q", "2"]).await;
        publish(address, &["-t", "s/y", "-n", "-q", "1"]).await;
        let message = next(&mut all).await;
        assert_eq!((&*message.topic, message.text()), ("s/x", "hello".to_owned()));
        assert!(!message.retain && !message.duplicate);
        assert_eq!(next(&mut low).await.text(), "hello");
        let message = next(&mut all).await;
        assert_eq!((&*message.topic, message.payload.len()), ("s/y", 0));
        assert!(is_silent(&mut all).await && is_silent(&mut low).await);
        mqtt.close().await;
        assert!(all.next().await.is_none());
    }
}

#[tokio::test]
async fn a_payload_can_be_anything() {
    let broker = Mosquitto::start().await;
    for version in VERSIONS {
        let mqtt = client(&broker, |options| options.version = version);
        let mut subscription = mqtt.subscribe("bytes", Qos::AtLeastOnce).await.unwrap();
        for length in [0, 1, 127, 128, 16_383, 16_384, 500_000] {
            let payload: Vec<u8> = (0..length).map(|place| (place % 251) as u8).collect();
            mqtt.publish("bytes", payload.clone(), Qos::AtLeastOnce, false).await.unwrap();
            assert!(next(&mut subscription).await.payload == payload, "{length}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused_before_anything_is_sent() {
    let mqtt = Mqtt::open("mqtt://127.0.0.1:1").unwrap();
    let error = mqtt.publish("a/+", "", Qos::AtMostOnce, false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().starts_with("mqtt 127.0.0.1:1: publish: "), "{error}");
    let error = mqtt.subscribe("a/#/b", Qos::AtMostOnce).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    let error = mqtt.send(Publish::new("a", "").content_type("text/plain")).await.unwrap_err();
    assert!(error.to_string().contains("version=5"), "{error}");
    let none = workyard_mqtt::Subscribe::new(Qos::AtMostOnce).buffer_max(0);
    let error = mqtt.subscribe("a", none).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn a_client_connects_with_its_first_call_and_is_closed_for_good() {
    let broker = Mosquitto::start().await;
    let mqtt = client(&broker, |_| ());
    assert!(matches!(mqtt.status().state(), State::Connecting));
    assert_eq!(mqtt.stats().connected, 0);
    mqtt.ready().await.unwrap();
    assert!(matches!(mqtt.status().state(), State::Ready));
    assert_eq!(mqtt.stats().connected, 1);
    assert!(mqtt.client_id().starts_with("workyard-"));
    mqtt.publish("a", "", Qos::AtLeastOnce, false).await.unwrap();
    let clone = mqtt.clone();
    mqtt.close().await;
    clone.close().await;
    assert!(matches!(clone.status().state(), State::Closed));
    let error = clone.publish("a", "", Qos::AtLeastOnce, false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert_eq!(clone.ready().await.unwrap_err().kind(), ErrorKind::Closed);
    let unused = client(&broker, |_| ());
    unused.close().await;
    assert_eq!(unused.ready().await.unwrap_err().kind(), ErrorKind::Closed);
    assert!(!unused.publish("a", "", Qos::AtMostOnce, false).await.unwrap_err().outcome_unknown());
}

#[test]
fn it_works_in_every_kind_of_runtime() {
    let multi = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let single = tokio::runtime::Builder::new_current_thread().enable_all().build();
    for runtime in [multi.unwrap(), single.unwrap()] {
        runtime.block_on(async {
            let broker = Mosquitto::start().await;
            let mqtt = client(&broker, |_| ());
            let mut subscription = mqtt.subscribe("a", Qos::AtLeastOnce).await.unwrap();
            mqtt.publish("a", "x", Qos::AtLeastOnce, false).await.unwrap();
            assert_eq!(next(&mut subscription).await.text(), "x");
        });
    }
}
