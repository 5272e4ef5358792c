//! Messages that are too large, in both directions.

use crate::peer::{VERSIONS, client, next, publish};
use workyard_mqtt::{ErrorKind, Qos};
use workyard_testbed::Mosquitto;

#[tokio::test]
async fn what_is_too_large_is_not_sent() {
    let broker = Mosquitto::start().await;
    for version in VERSIONS {
        let mqtt = client(&broker, |options| {
            options.version = version;
            options.packet_bytes_max = 1000;
        });
        for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
            let error = mqtt.publish("a", vec![0; 1000], qos, false).await.unwrap_err();
            assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TooLarge, false));
            mqtt.publish("a", vec![0; 900], qos, false).await.unwrap();
        }
        assert_eq!((mqtt.stats().connected, mqtt.queued()), (1, 0));
    }
}

#[tokio::test]
async fn what_the_broker_finds_too_large_is_not_sent() {
    let broker = Mosquitto::setup().line("max_packet_size 2000").start().await;
    let mqtt = client(&broker, |options| options.version = VERSIONS[1]);
    let error = mqtt.publish("a", vec![0; 2000], Qos::AtLeastOnce, false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    mqtt.publish("a", vec![0; 1900], Qos::AtLeastOnce, false).await.unwrap();
    assert_eq!(mqtt.stats().connected, 1);
}

#[tokio::test]
async fn what_is_too_large_to_be_received_is_told_and_does_not_come_again() {
    let broker = Mosquitto::start().await;
    // With MQTT 5 the broker is told, and keeps it to itself.
    let mqtt = client(&broker, |options| {
        options.packet_bytes_max = 1000;
        options.client_id = Some("small".to_owned());
        options.clean_session = false;
    });
    let mut subscription = mqtt.subscribe("a/+", Qos::ExactlyOnce).await.unwrap();
    let large = "x".repeat(300_000);
    for qos in ["0", "1", "2"] {
        let path = std::env::temp_dir().join(format!("workyard-mqtt-{}", std::process::id()));
        std::fs::write(&path, &large).unwrap();
        publish(broker.address(), &["-t", "a/b", "-f", path.to_str().unwrap(), "-q", qos]).await;
        std::fs::remove_file(&path).unwrap();
        let error = subscription.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(error.to_string().contains("a message on \"a/b\" was skipped"), "{error}");
        publish(broker.address(), &["-t", "a/b", "-m", qos, "-q", qos]).await;
        assert_eq!(next(&mut subscription).await.text(), qos);
    }
    assert_eq!(mqtt.stats().connected, 1);
    let mqtt5 = client(&broker, |options| {
        options.version = VERSIONS[1];
        options.packet_bytes_max = 1000;
    });
    let mut subscription = mqtt5.subscribe("a/+", Qos::ExactlyOnce).await.unwrap();
    mqtt_large(&broker, large).await;
    mqtt5.publish("a/b", "small", Qos::AtLeastOnce, false).await.unwrap();
    assert_eq!(next(&mut subscription).await.text(), "small");
    assert_eq!(mqtt5.stats().connected, 1);
}

async fn mqtt_large(broker: &Mosquitto, text: String) {
    let mqtt = client(broker, |_| ());
    mqtt.publish("a/b", text, Qos::AtLeastOnce, false).await.unwrap();
}
